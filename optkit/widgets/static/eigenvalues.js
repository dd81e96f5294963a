// The two roots of momentum on a quadratic: the plane of ε and α, the roots, and the errors that follow.

import { channels, createPlot } from "./plot.js";
import { contours } from "./contours.js";
import { element } from "./controls.js";
import { format } from "./ticks.js";
import { handle, relative } from "./relative.js";
import { FACES, FORMULAS, SERIES } from "./mathematics.js";

const NX = 161;
const NY = 121;
const LEVELS = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1];
const GENTLE = SERIES[0];
const STEEP = SERIES[1];
const STEPS = 120;

// The factor per step in the long run: the worse of the two ends, between which no curvature is worse.
export function rateOf(lr, momentum, smallest, largest) {
  return Math.max(
    FORMULAS.larger_modulus(smallest, { lr, momentum }),
    FORMULAS.larger_modulus(largest, { lr, momentum }),
  );
}

// |θ| after each step from θ = 1, v = 0, along the eigenvector with this curvature.
export function errorsOf(curvature, lr, momentum, steps = STEPS) {
  const errors = new Float64Array(steps + 1).fill(NaN);
  let [theta, v] = [1, 0];
  errors[0] = 1;
  for (let t = 1; t <= steps && Math.abs(theta) < 1e12; t++) {
    [theta, v] = FORMULAS.momentum_standard(theta, curvature * theta, v, t, { lr, momentum });
    errors[t] = Math.abs(theta);
  }
  return errors;
}

export function planeOf(smallest, largest) {
  const xs = Float64Array.from({ length: NX }, (_, i) => ((i + 0.5) / NX) * (4 / largest));
  const ys = Float64Array.from({ length: NY }, (_, j) => (j + 0.5) / NY);
  const values = new Float64Array(NX * NY);
  for (let j = 0; j < NY; j++) {
    for (let i = 0; i < NX; i++) values[j * NX + i] = rateOf(xs[i], ys[j], smallest, largest);
  }
  return { xs, ys, values, lines: contours(values, xs, ys, LEVELS) };
}

function behaviour(curvature, lr, momentum) {
  const modulus = FORMULAS.larger_modulus(curvature, { lr, momentum });
  const [first, , turn] = FORMULAS.root_parts(curvature, { lr, momentum });
  if (modulus > 1 + 1e-12) return "diverges";
  if (turn > 0) return "swings";
  return first > 0 && first >= Math.abs(modulus) - 1e-12 ? "creeps" : "zigzags";
}

export function eigenvalues(root, config, host) {
  let plane, roots, fall, knob;
  let cached = null;
  let shown = ""; // what the plane was drawn for
  return relative(root, config, host, {
    controls: (given, state) => [
      { kind: "slider", key: "lr", label: "Learning rate", symbol: "ε", min: 1e-4, max: 4, scale: "log" },
      { kind: "slider", key: "momentum", label: "Momentum", symbol: "α", min: 0, max: 0.999, scale: "complement" },
      { kind: "slider", key: "condition", label: "Condition number", symbol: "κ", min: 1, max: 1000, scale: "log" },
    ],
    build(shell) {
      const { document, state } = shell;
      const pair = element(document, "div", { class: "ok-pair" });
      shell.stage.append(pair);
      plane = shell.plot(createPlot(pair, {
        label: "Rate of convergence over learning rate and momentum", height: 250, grid: false,
        x: { domain: [0, 4 / state.condition], label: "learning rate ε" }, y: { domain: [0, 1], label: "momentum α" },
      }));
      roots = shell.plot(createPlot(pair, {
        label: "The roots in the complex plane", height: 250, equal: true,
        x: { domain: [-1.15, 1.15], label: "real part" }, y: { domain: [-1.15, 1.15], label: "imaginary part" },
      }));
      fall = shell.plot(createPlot(shell.stage, {
        label: "Error along the two eigenvectors, step by step", height: 150,
        x: { domain: [0, STEPS], label: "step t" }, y: { scale: "log", domain: [1e-8, 10], label: "error |θ|" },
      }));
      knob = handle(shell, {
        plot: plane, label: "Learning rate and momentum",
        at: () => [state.lr, state.momentum],
        text: () => `ε ${format(state.lr)}, α ${format(state.momentum)}`,
        step: () => [0.04 / state.condition, 0.01],
        move(x, y, final) {
          const lr = Math.min(4 / state.condition, Math.max(0.004 / state.condition, x));
          shell.change({ lr: Number(lr.toPrecision(3)), momentum: Number(Math.min(0.999, Math.max(0, y)).toFixed(3)) },
            final);
        },
      });
    },
    draw(shell, state) {
      const { lr, momentum, condition } = state;
      if (!cached || cached.condition !== condition) cached = { condition, ...planeOf(1, condition) };
      plane.update({ x: { domain: [0, 4 / condition] } });
      const look = JSON.stringify([condition, plane.width, plane.height, plane.colours()]);
      if (look !== shown) drawPlane(shell, plane, cached);
      shown = look;
      const best = FORMULAS.best_heavy_ball({ smallest: 1, largest: condition });
      const descent = FORMULAS.best_descent({ smallest: 1, largest: condition });
      plane.clear("marks");
      const marks = plane.layer("marks");
      plane.points(marks, [best[0]], [best[1]], { face: FACES.momentum_standard, size: 11 });
      plane.points(marks, [descent[0]], [descent[1]], { face: FACES.gradient_descent, size: 11 });
      const rate = rateOf(lr, momentum, 1, condition);
      knob.draw(0, 4 / condition, lr);

      roots.clear("data");
      const context = roots.layer("data");
      const turn = Float64Array.from({ length: 181 }, (_, i) => (Math.PI * i) / 90);
      const ink = roots.colours();
      roots.line(context, turn.map(Math.cos), turn.map(Math.sin), { colour: ink.ink, width: 1.2 });
      // Every curvature in between, on a logarithmic scale, as a fine trail.
      const trail = Array.from({ length: 41 }, (_, i) => Math.pow(condition, i / 40));
      drawRoots(roots, context, trail, state, { colour: ink.muted, marker: "o", size: 3 });
      drawRoots(roots, context, [condition], state, { face: STEEP, size: 11 });
      drawRoots(roots, context, [1], state, { face: GENTLE, size: 11 });

      fall.clear("data");
      const steps = Float64Array.from({ length: STEPS + 1 }, (_, t) => t);
      const lines = fall.layer("data");
      fall.line(lines, steps, errorsOf(condition, lr, momentum), { face: STEEP, markers: 8 });
      fall.line(lines, steps, errorsOf(1, lr, momentum), { face: GENTLE, markers: 8 });

      shell.lines([
        { label: "λ = 1", face: GENTLE },
        { label: `λ = κ = ${format(condition)}`, face: STEEP },
        { label: "best momentum", face: FACES.momentum_standard, line: false },
        { label: "best gradient descent", face: FACES.gradient_descent, line: false },
      ]);
      shell.facts([
        ["Factor per step", format(rate)],
        ["steps to a tenth", rate < 1 ? format(Math.ceil(Math.LN10 / -Math.log(rate))) : "never"],
        ["along λ = 1 it", behaviour(1, lr, momentum)],
        ["along λ = κ it", behaviour(condition, lr, momentum)],
        ["best with momentum", format(best[2])],
        ["best without", format(descent[2])],
      ]);
    },
    said({ lr, momentum, condition }) {
      const rate = rateOf(lr, momentum, 1, condition);
      return `ε ${format(lr)}, α ${format(momentum)}: factor ${format(rate)} per step; it `
        + `${behaviour(1, lr, momentum)} along the gentle direction, ${behaviour(condition, lr, momentum)} along the steep one.`;
    },
  });
}

function drawRoots(plot, context, curvatures, { lr, momentum }, look) {
  const xs = [];
  const ys = [];
  for (const curvature of curvatures) {
    const [first, second, turn] = FORMULAS.root_parts(curvature, { lr, momentum });
    xs.push(first, second);
    ys.push(turn, -turn);
  }
  plot.points(context, xs, ys, look);
}

// The shade grows with the factor per step, towards ink. Where it diverges there is none.
function drawPlane(shell, plot, { values, lines }) {
  plot.clear("shade");
  const context = plot.layer("shade");
  const { low, high, muted, ink, ground } = plot.colours();
  const canvas = shell.document.createElement("canvas");
  Object.assign(canvas, { width: NX, height: NY });
  const small = canvas.getContext("2d");
  const picture = small.createImageData(NX, NY);
  const [from, to] = [channels(low), channels(high)];
  for (let j = 0; j < NY; j++) {
    for (let i = 0; i < NX; i++) {
      const rate = values[j * NX + i];
      const at = 4 * ((NY - 1 - j) * NX + i);
      const share = Math.round(20 * Math.pow(rate, 4)) / 20;
      for (let c = 0; c < 3; c++) picture.data[at + c] = from[c] + (to[c] - from[c]) * share;
      picture.data[at + 3] = rate > 1 ? 0 : 255;
    }
  }
  small.putImageData(picture, 0, 0);
  context.imageSmoothingEnabled = true;
  context.drawImage(canvas, 0, 0, plot.width, plot.height);
  for (const { level, lines: found } of lines) {
    for (const line of found) {
      const points = { x: [], y: [] };
      for (let i = 0; i < line.length; i += 2) {
        points.x.push(line[i]);
        points.y.push(line[i + 1]);
      }
      plot.line(context, points.x, points.y, { colour: level === 1 ? ink : muted, width: level === 1 ? 2 : 1 });
      const middle = Math.floor(points.x.length / 2);
      if (level < 1 && points.x.length > 40) put(String(level), points.x[middle], points.y[middle]);
    }
  }
  put("diverges", (0.86 * 4) / shell.state.condition, 0.3);

  function put(text, x, y) {
    const [px, py] = [plot.x.map(x), plot.y.map(y)];
    context.save();
    Object.assign(context, {
      font: "11.5px system-ui, sans-serif", textAlign: "center", textBaseline: "middle", lineWidth: 3,
      strokeStyle: ground, fillStyle: ink, lineJoin: "round",
    });
    context.strokeText(text, px, py);
    context.fillText(text, px, py);
    context.restore();
  }
}
