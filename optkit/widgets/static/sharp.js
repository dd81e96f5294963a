// A sharp and a flat minimum in one dimension, the ball around θ, and where SAM and gradient descent end.

import { createPlot } from "./plot.js";
import { format } from "./ticks.js";
import { handle, relative } from "./relative.js";
import { FACES, FORMULAS, SERIES } from "./mathematics.js";

const WINDOW = [-2.2, 3.2];
const TOP = 3;
const PLACES = Float64Array.from({ length: 201 }, (_, i) => (i - 100) / 100);
const WORST = SERIES[3];

export function lossOf(theta, { sharp, flat }) {
  return FORMULAS.two_valleys(theta, { sharp, flat });
}

function slopeOf(theta, { sharp, flat }) {
  return FORMULAS.two_valleys_slope(theta, { sharp, flat });
}

// The highest loss within ρ of θ, and where it is.
export function worstOf(theta, state) {
  let best = { at: theta, loss: lossOf(theta, state) };
  for (const place of PLACES) {
    const at = FORMULAS.ball_point(theta, place, { rho: state.rho });
    const loss = lossOf(at, state);
    if (loss > best.loss) best = { at, loss };
  }
  return best;
}

// Where SAM takes its gradient.
export function climbOf(theta, state) {
  const g = slopeOf(theta, state);
  return FORMULAS.sam_perturbation(theta, g, 1, { grad_norm: Math.abs(g), rho: state.rho })[0];
}

export function pathOf(state, sam) {
  const path = [state.theta];
  for (let t = 1; t <= state.steps; t++) {
    const theta = path[t - 1];
    const g = slopeOf(sam ? climbOf(theta, state) : theta, state);
    path.push(FORMULAS.gradient_descent(theta, g, t, { lr: state.lr })[0]);
  }
  return path;
}

function endOf(path, { sharp, flat }) {
  const end = path[path.length - 1];
  if (!Number.isFinite(end) || Math.abs(end) > 1e3) return "diverges";
  const valley = (end < 0) === (sharp >= flat) ? "sharp" : "flat";
  const settled = Math.abs(end - (end < 0 ? -1 : 1)) < 0.15;
  if (settled) return `in the ${valley} minimum`;
  const still = path.length > 1 && Math.abs(end - path[path.length - 2]) < 1e-3;
  return `${still ? "held" : "on the way"} at ${format(end)}`;
}

export function sharp(root, config, host) {
  let plot, knob;
  return relative(root, config, host, {
    controls: () => [
      { kind: "slider", key: "theta", label: "Start", symbol: "θ", min: -2, max: 3 },
      { kind: "slider", key: "rho", label: "Radius of the ball", symbol: "ρ", min: 0, max: 1 },
      { kind: "slider", key: "sharp", label: "Curvature on the left", symbol: "λ", min: 1, max: 50 },
      { kind: "slider", key: "flat", label: "Curvature on the right", symbol: "λ", min: 0.2, max: 10 },
      { kind: "slider", key: "lr", label: "Learning rate", symbol: "ε", min: 0.001, max: 0.2, scale: "log" },
      { kind: "slider", key: "steps", label: "Steps", symbol: "t", min: 0, max: 300, integer: true },
    ],
    build(shell) {
      plot = shell.plot(createPlot(shell.stage, {
        label: "The loss, the worst loss in the ball, and two paths", height: 280,
        x: { domain: WINDOW, label: "parameter θ" }, y: { domain: [-0.12, TOP], label: "loss" },
      }));
      knob = handle(shell, {
        plot, label: "Start θ", axes: "x",
        at: () => [shell.state.theta, lossOf(shell.state.theta, shell.state)],
        text: () => `θ ${format(shell.state.theta)}, loss ${format(lossOf(shell.state.theta, shell.state))}`,
        step: () => [0.05, 0],
        move: (x, _, final) => shell.change({ theta: Number(Math.min(3, Math.max(-2, x)).toFixed(3)) }, final),
      });
    },
    draw(shell, state) {
      plot.clear("data");
      const context = plot.layer("data");
      const { ink, muted, accent } = plot.colours();
      const count = Math.max(200, Math.round(plot.width));
      const xs = Float64Array.from({ length: count + 1 }, (_, i) => WINDOW[0] + (i / count) * (WINDOW[1] - WINDOW[0]));
      const here = lossOf(state.theta, state);
      const worst = worstOf(state.theta, state);
      // The ball: a band over what it covers, dense at its edge.
      const [left, right] = [-1, 1].map((place) => plot.x.map(FORMULAS.ball_point(state.theta, place, state)));
      context.save();
      context.globalAlpha = 0.12;
      context.fillStyle = accent;
      context.fillRect(left, 0, right - left, plot.height);
      context.restore();
      plot.line(context, xs, xs.map((x) => worstOf(x, state).loss), { face: WORST, width: 1.8 });
      plot.line(context, xs, xs.map((x) => lossOf(x, state)), { colour: ink, width: 2.2 });
      const climb = climbOf(state.theta, state);
      if (state.rho > 0) {
        plot.line(context, [worst.at, worst.at], [here, worst.loss], { colour: muted, width: 1.2, dash: [3, 3] });
        plot.points(context, [worst.at], [worst.loss], { face: WORST, size: 10 });
      }
      const draw = (path, face) => {
        const heights = path.map((theta) => lossOf(theta, state));
        plot.line(context, path, heights, { face: { ...face, dash: [] }, width: 1, alpha: 0.6 });
        plot.points(context, path, heights, { face, size: 7, from: 1, alpha: 0.85 });
        plot.points(context, path.slice(-1), heights.slice(-1), { face, size: 12 });
      };
      const [descent, sam] = [pathOf(state, false), pathOf(state, true)];
      draw(descent, FACES.gradient_descent);
      draw(sam, FACES.sam_perturbation);
      plot.points(context, [climb], [lossOf(climb, state)], { face: FACES.sam_perturbation, size: 11, hollow: true });
      knob.draw(-2, 3, state.theta);
      shell.lines([
        { label: "worst loss within ρ", face: WORST },
        { label: "Gradient descent", face: FACES.gradient_descent },
        { label: "SAM", face: FACES.sam_perturbation, note: "(hollow: where it takes its first gradient)" },
      ]);
      shell.facts([
        ["Loss at θ", format(here)],
        ["worst within ρ", format(worst.loss)],
        ["sharpness", format(worst.loss - here)],
        ["loss at SAM's point", format(lossOf(climb, state))],
        ["Gradient descent ends", endOf(descent, state)],
        ["SAM ends", endOf(sam, state)],
      ]);
    },
    said(state) {
      const here = lossOf(state.theta, state);
      return `Sharpness ${format(worstOf(state.theta, state).loss - here)} at θ ${format(state.theta)}. Gradient descent ends `
        + `${endOf(pathOf(state, false), state)}, SAM ${endOf(pathOf(state, true), state)}.`;
    },
  });
}
