// A frame with axes, and canvases inside it for what is drawn. Text and handles are SVG above the canvases.

import { makeScale } from "./scales.js";
import { ticks, format } from "./ticks.js";
import { drawMarker, dashOf } from "./marks.js";
import { element, svgElement } from "./controls.js";

const MARGIN = { left: 46, right: 10, top: 24, bottom: 38 }; // pixels: ticks and labels fit at every width
const NAMES = ["ink", "muted", "ground", "card", "line", "accent", "low", "high"];
const VARIABLES = { low: "shade-low", high: "shade-high" };
const DENSE = 600; // points that are drawn
const SLACK = 0.2; // pixels
const FAR = 1e5; // pixels; a canvas draws what lies further away wrongly

// "ρ_1 of β": a letter by itself is italic (but not the article), what follows an underscore stands lower.
function mathText(document, node, text) {
  node.replaceChildren();
  for (const part of String(text).split(/(\p{L}_[\p{L}\p{N}]+|(?<![\p{L}])[\p{L}](?![\p{L}]))/u)) {
    if (!part) continue;
    const [letter, index] = part.split("_");
    if (!/^\p{L}$/u.test(letter) || (letter === "a" && !index)) {
      node.append(svgElement(document, "tspan", {}, part));
      continue;
    }
    node.append(svgElement(document, "tspan", { class: "ok-italic" }, letter));
    if (index) {
      node.append(svgElement(document, "tspan", { dy: 3, class: "ok-index" }, index));
      node.append(svgElement(document, "tspan", { dy: -3 }, "\u200b"));
    }
  }
}

export function createPlot(parent, options) {
  const document = parent.ownerDocument;
  const view = document.defaultView;
  const margin = { ...MARGIN, ...options.margin };
  const given = { x: { scale: "linear", ...options.x }, y: { scale: "linear", ...options.y } };
  const shape = { equal: options.equal ?? false, grid: options.grid ?? true };

  const node = element(document, "div", { class: "ok-plot", role: "group", "aria-label": options.label });
  // The height follows from the width before a single line of script has measured anything.
  const inset = `${margin.left + margin.right}px`;
  const edge = `${margin.top + margin.bottom}px`;
  const room = element(document, "div", { class: "ok-plot-room" });
  if (options.aspect) room.style.paddingTop = `calc((100% - ${inset}) * ${options.aspect} + ${edge})`;
  else room.style.paddingTop = `calc(${options.height ?? 220}px + ${edge})`;
  const stage = element(document, "div", { class: "ok-plot-stage", "aria-hidden": "true" });
  const svg = svgElement(document, "svg", { class: "ok-plot-svg", role: "none" });
  const behind = svgElement(document, "svg", { class: "ok-plot-svg", "aria-hidden": "true" });
  const lattice = svgElement(document, "g");
  const axes = svgElement(document, "g", { class: "ok-axes", "aria-hidden": "true" });
  const overlay = svgElement(document, "g", { class: "ok-overlay" });
  const probe = element(document, "span", { class: "ok-hidden", "aria-hidden": "true" });
  for (const group of [lattice, axes, overlay]) group.setAttribute("transform", `translate(${margin.left} ${margin.top})`);
  Object.assign(stage.style, { left: `${margin.left}px`, top: `${margin.top}px` });
  behind.append(lattice);
  svg.append(axes, overlay);
  node.append(room, behind, stage, svg, probe);
  parent.append(node);

  const layers = new Map();
  let colours = null;
  let drawn = ""; // what the axes show now; drawing them again costs a layout
  let ratio = 0;

  const plot = {
    element: node, svg, overlay, width: 0, height: 0, x: null, y: null, onresize: null,

    layer(name) {
      if (!layers.has(name)) {
        const canvas = element(document, "canvas", { class: "ok-layer" });
        const context = canvas.getContext("2d");
        layers.set(name, { canvas, context });
        stage.append(canvas);
        fit(layers.get(name));
      }
      return layers.get(name).context;
    },

    clear(name) {
      plot.layer(name).clearRect(0, 0, plot.width, plot.height);
    },

    update(changes = {}) {
      for (const axis of ["x", "y"]) Object.assign(given[axis], changes[axis]);
      scales();
      drawAxes();
    },

    position(event) {
      const box = stage.getBoundingClientRect();
      const wide = box.width / plot.width || 1; // under a zoom or a transform of the page
      return [
        plot.x.invert((event.clientX - box.left) / wide),
        plot.y.invert((event.clientY - box.top) / wide),
      ];
    },

    colours() {
      if (!colours) {
        probe.style.forcedColorAdjust = "none"; // else every colour resolves to that of text
        const resolve = (text) => {
          probe.style.color = text;
          return view.getComputedStyle(probe).color;
        };
        colours = {};
        for (const name of NAMES) colours[name] = resolve(`var(--ok-${VARIABLES[name] ?? name})`);
        colours.isDark = luminance(colours.ground) < 0.35;
      }
      return colours;
    },

    colour(face) {
      return plot.colours().isDark ? face.dark ?? face.colour : face.colour;
    },

    refresh() {
      colours = null;
      drawn = "";
      drawAxes();
    },

    line: (context, xs, ys, look) => drawLine(plot, context, xs, ys, look),
    points: (context, xs, ys, look) => drawPoints(plot, context, xs, ys, look),

    destroy() {
      watcher?.disconnect();
      node.remove();
    },
  };

  function fit({ canvas, context }) {
    canvas.width = Math.max(1, Math.round(plot.width * ratio));
    canvas.height = Math.max(1, Math.round(plot.height * ratio));
    canvas.style.width = `${plot.width}px`;
    canvas.style.height = `${plot.height}px`;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  function scales() {
    let [x, y] = [given.x.domain, given.y.domain];
    if (shape.equal) [x, y] = widened(x, y, plot.width, plot.height);
    plot.x = makeScale(given.x.scale, x, [0, plot.width], given.x);
    plot.y = makeScale(given.y.scale, y, [plot.height, 0], given.y);
  }

  function measure() {
    const width = Math.max(40, node.clientWidth - margin.left - margin.right);
    const height = Math.max(40, node.clientHeight - margin.top - margin.bottom);
    const now = Math.min(3, view.devicePixelRatio || 1);
    if (width === plot.width && height === plot.height && now === ratio) return false;
    Object.assign(plot, { width, height });
    ratio = now;
    for (const layer of layers.values()) fit(layer);
    scales();
    drawAxes();
    return true;
  }

  function drawAxes() {
    const now = JSON.stringify([given.x, given.y, plot.width, plot.height, plot.x.domain, plot.y.domain]);
    if (now === drawn) return;
    drawn = now;
    axes.replaceChildren();
    lattice.replaceChildren();
    const { width, height } = plot;
    const put = (tag, attributes, ...children) => {
      const made = svgElement(document, tag, attributes, ...children);
      axes.append(made);
      return made;
    };
    axis("x", Math.max(2, Math.floor(width / 70)));
    axis("y", Math.max(2, Math.floor(height / 38)));
    put("path", { class: "ok-spine", d: `M0 0V${height}H${width}` });
    mathText(document, put("text", { class: "ok-label", x: width, y: height + 33, "text-anchor": "end" }),
      given.x.label ?? "");
    mathText(document, put("text", { class: "ok-label", x: 6 - margin.left, y: -10 }), given.y.label ?? "");

    function axis(name, count) {
      const horizontal = name === "x";
      const scale = plot[name];
      const found = given[name].ticks ?? ticks(scale.kind, scale.domain, count);
      let last = -Infinity;
      for (const value of found) {
        const at = Math.round(scale.map(value)) + 0.5;
        const text = format(value, found);
        if (shape.grid) {
          const d = horizontal ? `M${at} 0V${height}` : `M0 ${at}H${width}`;
          lattice.append(svgElement(document, "path", { class: "ok-grid", d }));
        }
        if (horizontal) {
          const half = 3.4 * text.length;
          if (at - half < last + 4) continue; // would touch its neighbour
          last = at + half;
          // The last label may not run out of the frame on the right.
          put("text", { class: "ok-tick", x: Math.min(at, width + margin.right - half - 1), y: height + 16,
            "text-anchor": "middle" }, text);
        } else {
          put("text", { class: "ok-tick", x: -6, y: at + 4, "text-anchor": "end" }, text);
        }
      }
    }
  }

  const watcher = view.ResizeObserver
    ? new view.ResizeObserver(() => {
      if (measure()) plot.onresize?.();
    })
    : null;
  measure();
  watcher?.observe(node);
  return plot;
}

// Both domains at one scale, widened about their middles, never cut.
export function widened(x, y, width, height) {
  const unit = Math.max((x[1] - x[0]) / width, (y[1] - y[0]) / height);
  const spread = ([low, high], size) => {
    const middle = (low + high) / 2;
    return [middle - (unit * size) / 2, middle + (unit * size) / 2];
  };
  return [spread(x, width), spread(y, height)];
}

// Red, green and blue, 0 to 255, of a colour as a browser prints it: rgb(26, 26, 26) or color(srgb 0.1 0.1 0.1).
export function channels(colour) {
  const numbers = (colour.match(/[\d.]+(?:e-?\d+)?/g) ?? ["255", "255", "255"]).slice(0, 3).map(Number);
  return /^rgb/.test(colour) ? numbers : numbers.map((share) => 255 * share);
}

// Relative luminance, 0 to 1, as WCAG defines it.
export function luminance(colour) {
  const [r, g, b] = channels(colour).map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : Math.pow((share + 0.055) / 1.055, 2.4);
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

// A pen that leaves out each point which the line passes by less than SLACK: it goes on from its last corner for as
// long as one straight line passes near enough to all points since, which a wedge of directions keeps track of.
function penOf(context) {
  let [ax, ay, qx, qy, held] = [0, 0, 0, 0, false]; // the last corner, the last point, and whether there is one
  let [lx, ly, rx, ry] = [0, 0, 0, 0]; // the sides of the wedge
  const end = () => {
    if (held) context.lineTo(qx, qy);
    held = false;
  };
  return {
    end,
    moveTo(x, y) {
      end();
      context.moveTo(x, y);
      ax = x;
      ay = y;
    },
    lineTo(x, y) {
      let dx = x - ax;
      let dy = y - ay;
      const near = rx * dy >= ry * dx && dx * ly >= dy * lx && (x - qx) * (qx - ax) + (y - qy) * (qy - ay) >= 0;
      if (held && !near) {
        end();
        ax = qx;
        ay = qy;
        dx = x - ax;
        dy = y - ay;
      }
      const share = SLACK / (Math.sqrt(dx * dx + dy * dy) || 1);
      const [left, up, right, down] = [dx - dy * share, dy + dx * share, dx + dy * share, dy - dx * share];
      if (!held || left * ly > up * lx) {
        lx = left;
        ly = up;
      }
      if (!held || rx * down > ry * right) {
        rx = right;
        ry = down;
      }
      qx = x;
      qy = y;
      held = true;
    },
  };
}

// Points nearer than about a pixel to the last drawn one are passed over, and so is what lies outside the frame:
// a long path costs what it shows.
function drawLine(plot, context, xs, ys, look = {}) {
  const { face = {}, width = 1.9, alpha = 1, markers = 0, size = 8, from = 0, to = xs.length } = look;
  const colour = look.colour ?? plot.colour(face);
  const near = to - from > DENSE ? 1 : 0.5;
  const pen = penOf(context);
  const edge = 2 * width; // beyond this far outside the frame nothing of the line is seen
  context.save();
  context.beginPath();
  let open = false;
  let joined = false; // whether the pen stands at the last point
  let drawn = 0;
  let [lastX, lastY, lastSide] = [0, 0, 0];
  for (let i = from; i < to; i++) {
    let px = plot.x.map(xs[i]);
    let py = plot.y.map(ys[i]);
    if (!(px === px && py === py)) {
      open = false;
      continue;
    }
    px = px > FAR ? FAR : px < -FAR ? -FAR : px;
    py = py > FAR ? FAR : py < -FAR ? -FAR : py;
    const side = (px < -edge ? 1 : px > plot.width + edge ? 2 : 0) | (py < -edge ? 4 : py > plot.height + edge ? 8 : 0);
    if (!open) joined = false;
    else if (side & lastSide) joined = false; // both ends beyond the same edge
    else {
      if (i + 1 < to && Math.abs(px - lastX) + Math.abs(py - lastY) < near) continue;
      if (!joined) pen.moveTo(lastX, lastY);
      pen.lineTo(px, py);
      joined = true;
      drawn++;
    }
    open = true;
    lastX = px;
    lastY = py;
    lastSide = side;
  }
  pen.end();
  // On a dense scribble no dash can be read, and dashes and wide corners are most of what a line costs.
  const dense = drawn > DENSE;
  const dash = dense ? [] : (look.dash ?? face.dash ?? []);
  Object.assign(context, {
    strokeStyle: colour, globalAlpha: alpha, lineWidth: dense ? 1 : width, lineJoin: dense ? "bevel" : "round",
    lineCap: dash.length ? "butt" : "round",
  });
  context.setLineDash(dashOf(dash, width));
  context.stroke();
  context.setLineDash([]);
  if (markers && face.marker) {
    const stride = Math.max(1, Math.floor((to - from) / markers));
    context.lineWidth = 2.4;
    for (let i = from + Math.floor(stride / 2); i < to; i += stride) {
      const [px, py] = [plot.x.map(xs[i]), plot.y.map(ys[i])];
      if (!(Math.abs(px) < FAR && Math.abs(py) < FAR)) continue;
      drawMarker(context, face.marker, px, py, size, colour, plot.colours().ground);
    }
  }
  context.restore();
}

function drawPoints(plot, context, xs, ys, look = {}) {
  const { face = {}, size = 5, alpha = 1, hollow = false, from = 0, to = xs.length } = look;
  const colour = look.colour ?? plot.colour(face);
  context.save();
  context.globalAlpha = alpha;
  context.lineWidth = 1.6;
  for (let i = from; i < to; i++) {
    const [px, py] = [plot.x.map(xs[i]), plot.y.map(ys[i])];
    if (!(Math.abs(px) < FAR && Math.abs(py) < FAR)) continue;
    drawMarker(context, look.marker ?? face.marker ?? "o", px, py, size, hollow ? null : colour,
      hollow ? colour : null);
  }
  context.restore();
}
