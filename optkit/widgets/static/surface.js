// The loss seen from above: shade, contours, minima, the paths of the rules, and the start to be dragged.

import { contours, quantileLevels } from "./contours.js";
import { svgElement } from "./controls.js";
import { filled, last } from "./engine.js";
import { drawMarker } from "./marks.js";
import { createPlot } from "./plot.js";
import { format } from "./ticks.js";

const GRID = 121; // points along each side, for contours
const SHADE = 8; // bands of shade
const STRIDE = 10; // pixels of one press of an arrow key

export function createSurface(parent, onmove) {
  const { ownerDocument: document } = parent;
  const plot = createPlot(parent, {
    label: "Loss surface",
    x: { scale: "linear", domain: [0, 1], label: "θ_1" },
    y: { scale: "linear", domain: [0, 1], label: "θ_2" },
    aspect: 0.72,
    grid: false,
  });
  const ground = plot.layer("ground");
  const trails = plot.layer("trails");
  const handle = svgElement(document, "g", {
    class: "ok-handle",
    role: "slider",
    tabindex: 0,
    "aria-label": "Start point; the arrow keys move it",
    "aria-valuemin": 0,
    "aria-valuemax": 100,
  });
  handle.append(
    svgElement(document, "circle", { class: "ok-halo", r: 20 }),
    svgElement(document, "circle", { class: "ok-knob", r: 7 }),
  );
  const scale = svgElement(document, "g", { class: "ok-scale", "aria-hidden": "true" });
  plot.overlay.append(scale, handle);

  let problem = null;
  let hyper = {};
  let start = [0, 0];
  let drawnFor = "";
  let redraw = () => {};

  /** Shade, contours and minima: once for each problem, size and theme. */
  function drawGround() {
    const key = JSON.stringify([problem.name, hyper, plot.width, plot.height, plot.colours()]);
    if (key === drawnFor) return;
    drawnFor = key;
    const [[left, right], [bottom, top]] = problem.window;
    const xs = Float64Array.from({ length: GRID }, (_, i) => left + ((right - left) * i) / (GRID - 1));
    const ys = Float64Array.from({ length: GRID }, (_, i) => bottom + ((top - bottom) * i) / (GRID - 1));
    const points = new Float64Array(2 * GRID * GRID);
    for (let j = 0, at = 0; j < GRID; j++) {
      for (let i = 0; i < GRID; i++) {
        points[at++] = xs[i];
        points[at++] = ys[j];
      }
    }
    const values = new Float64Array(GRID * GRID);
    problem.loss(filled(problem, hyper))(points, values, GRID * GRID);
    const levels = quantileLevels(values, 14);
    const { low, high, line, ink, muted } = plot.colours();
    plot.clear("ground");
    shade(values, levels, low, high);
    ground.lineWidth = 1;
    for (const { level, lines } of contours(values, xs, ys, levels)) {
      ground.strokeStyle = level === levels[0] ? muted : line;
      ground.globalAlpha = 1;
      for (const points of lines) {
        ground.beginPath();
        for (let k = 0; k < points.length; k += 2) {
          ground.lineTo(plot.x.map(points[k]), plot.y.map(points[k + 1]));
        }
        ground.stroke();
      }
    }
    ground.globalAlpha = 1;
    showScale(levels);
    for (const [x, y] of problem.minima) {
      drawMarker(ground, "*", plot.x.map(x), plot.y.map(y), 13, ink, low);
    }
  }

  /** Bands between levels, from a small picture that is drawn large. */
  function shade(values, levels, low, high) {
    const picture = document.createElement("canvas");
    picture.width = GRID;
    picture.height = GRID;
    const context = picture.getContext("2d");
    const image = context.createImageData(GRID, GRID);
    const [from, to] = [channels(low), channels(high)];
    for (let j = 0; j < GRID; j++) {
      for (let i = 0; i < GRID; i++) {
        const share = rank(levels, values[j * GRID + i]);
        const at = 4 * ((GRID - 1 - j) * GRID + i);
        for (let c = 0; c < 3; c++) image.data[at + c] = from[c] + (to[c] - from[c]) * share;
        image.data[at + 3] = 255;
      }
    }
    context.putImageData(image, 0, 0);
    ground.imageSmoothingEnabled = true;
    ground.imageSmoothingQuality = "high";
    // The outermost points lie on the frame: half a cell of the picture lies outside of it.
    const [w, h] = [plot.width / (GRID - 1), plot.height / (GRID - 1)];
    ground.drawImage(picture, -w / 2, -h / 2, plot.width + w, plot.height + h);
  }

  /** What the shade means: the lowest and the highest level, with the bands between them. */
  function showScale(levels) {
    const { low, high } = plot.colours();
    const [from, to] = [channels(low), channels(high)];
    const mixed = (share) => `rgb(${from.map((c, i) => Math.round(c + (to[i] - c) * share)).join(" ")})`;
    const width = 12;
    const right = plot.width;
    const text = (x, anchor, content) =>
      svgElement(document, "text", { class: "ok-tick", x, y: -9, "text-anchor": anchor }, content);
    const top = format(levels[levels.length - 1]);
    const end = right - 6.6 * top.length - 5;
    const begin = end - SHADE * width;
    scale.replaceChildren(
      text(right, "end", top),
      ...Array.from({ length: SHADE }, (_, k) =>
        svgElement(document, "rect", { x: begin + k * width, y: -18, width, height: 10, fill: mixed((k + 0.5) / SHADE) })),
      text(begin - 5, "end", `loss ${format(levels[0])}`),
    );
  }

  function place() {
    const [x, y] = [plot.x.map(start[0]), plot.y.map(start[1])];
    const inside = (value, most) => Math.min(most, Math.max(0, value));
    handle.setAttribute("transform", `translate(${inside(x, plot.width)} ${inside(y, plot.height)})`);
    const text = `θ₁ = ${format(start[0])}, θ₂ = ${format(start[1])}`;
    handle.setAttribute("aria-valuetext", text);
    handle.setAttribute("aria-valuenow", Math.round((100 * inside(x, plot.width)) / plot.width));
  }

  const move = (point, final) => {
    const [[left, right], [bottom, top]] = problem.window;
    const inside = (value, low, high) => round(Math.min(high, Math.max(low, value)), high - low);
    onmove([inside(point[0], left, right), inside(point[1], bottom, top)], final);
  };
  let held = null;
  const take = (event) => {
    if (event.button !== 0 || held !== null) return;
    held = event.pointerId;
    (event.target.closest(".ok-handle") ?? plot.svg).setPointerCapture(held);
    handle.focus({ preventScroll: true, focusVisible: false });
    event.preventDefault();
    if (!event.target.closest(".ok-handle")) move(plot.position(event), false);
  };
  const drag = (event) => {
    if (event.pointerId === held) move(plot.position(event), false);
  };
  const drop = (event) => {
    if (event.pointerId !== held) return;
    held = null;
    move(start, true);
  };
  handle.addEventListener("pointerdown", take);
  // A tap on the surface moves the start too; a finger that swipes over it scrolls the page.
  plot.svg.addEventListener("click", (event) => {
    if (!event.target.closest(".ok-handle")) move(plot.position(event), true);
  });
  plot.svg.addEventListener("pointermove", drag);
  for (const name of ["pointerup", "pointercancel"]) plot.svg.addEventListener(name, drop);
  handle.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!way) return;
    event.preventDefault();
    const pixels = event.shiftKey ? 1 : STRIDE;
    const [[left, right], [bottom, top]] = problem.window;
    const unit = [(right - left) / plot.width, (top - bottom) / plot.height];
    move([start[0] + way[0] * pixels * unit[0], start[1] + way[1] * pixels * unit[1]], true);
  });
  plot.onresize = () => redraw();

  return {
    plot,
    handle,
    set onresize(f) {
      redraw = f;
    },
    /** Choose the problem; its window becomes the frame. */
    show(entry, values) {
      problem = entry;
      hyper = values;
      plot.update({ x: { domain: entry.window[0] }, y: { domain: entry.window[1] } });
      drawGround();
    },
    startAt(point) {
      start = point;
      place();
    },
    /** runs: [{face, path, xs, ys}]; all of each path faintly, and what lies before `step` in full. */
    trace(runs, step) {
      plot.clear("trails");
      for (const { face, path, xs, ys } of runs) {
        const end = Math.min(step, last(path));
        if (end < last(path)) plot.line(trails, xs, ys, { face, width: 1.3, alpha: 0.3, to: last(path) + 1 });
        plot.line(trails, xs, ys, { face, width: 2.1, to: end + 1, markers: end > 12 ? 6 : 0, size: 7 });
      }
      for (const { face, path, xs, ys } of runs) here(face, path, xs, ys, step);
    },
    refresh() {
      drawnFor = "";
      plot.refresh();
      drawGround();
    },
  };

  /** Where a rule stands at a step, where it takes its next gradient, and whether it is gone. */
  function here(face, path, xs, ys, step) {
    const at = Math.min(step, last(path));
    const [x, y] = [plot.x.map(xs[at]), plot.y.map(ys[at])];
    const colour = plot.colour(face);
    const { ground: back } = plot.colours();
    if ((path.lookAhead || path.radius > 0) && at < path.steps && step <= at) {
      const [px, py] = [plot.x.map(path.points[2 * at]), plot.y.map(path.points[2 * at + 1])];
      if (Math.abs(px) < 1e5 && Math.abs(py) < 1e5) {
        trails.save();
        Object.assign(trails, { strokeStyle: colour, lineWidth: 1.4 });
        trails.setLineDash([2, 2]);
        trails.beginPath();
        trails.moveTo(x, y);
        trails.lineTo(px, py);
        trails.stroke();
        trails.setLineDash([]);
        trails.lineWidth = 2;
        drawMarker(trails, "o", px, py, 9, back, colour);
        trails.restore();
      }
    }
    trails.lineWidth = 2.4;
    const gone = path.diverged >= 0 && step >= path.diverged;
    const inside = [Math.min(plot.width - 6, Math.max(6, x)), Math.min(plot.height - 6, Math.max(6, y))];
    drawMarker(trails, gone ? "X" : face.marker, ...inside, gone ? 12 : 11, colour, back);
  }
}

/** Where a value stands among the levels, in bands: 0 below the first, 1 above the last. */
function rank(levels, value) {
  if (!(value <= levels[levels.length - 1])) return 1;
  let k = 0;
  while (value > levels[k]) k++;
  return (Math.floor((k / levels.length) * SHADE) + 0.5) / SHADE;
}

/** As many digits as a pixel of the frame can tell apart. */
function round(value, span) {
  const digits = Math.max(0, 3 - Math.floor(Math.log10(span)));
  return Number(value.toFixed(Math.min(12, digits)));
}

/** Red, green and blue, 0 to 255, of a colour as a browser prints it. */
function channels(colour) {
  const unit = colour.startsWith("rgb") ? 1 : 255; // color(srgb 0.5 …) counts from 0 to 1
  return colour.match(/[\d.]+(?:e-?\d+)?/g).slice(0, 3).map((text) => unit * Number(text));
}
