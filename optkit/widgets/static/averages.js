// Moving averages over a noisy series: what α, the window and the first value do, and how late they are.

import { createPlot } from "./plot.js";
import { element, svgElement } from "./controls.js";
import { format } from "./ticks.js";
import { noise } from "./random.js";
import { relative } from "./relative.js";
import { FORMULAS, SERIES } from "./mathematics.js";

const EWMA = SERIES[0];
const SMA = SERIES[1];
const TRUTH = { colour: "var(--ok-ink)", dash: [1.2, 1.4], marker: null };
const AGES = 40;

// The series at t = 1 … steps, as optkit.averages.noisy_signal makes it.
export function seriesOf({ signal, steps, noise: deviation, seed }) {
  const truth = new Float64Array(steps);
  const seen = new Float64Array(steps);
  for (let t = 1; t <= steps; t++) {
    truth[t - 1] = FORMULAS[signal](t, { steps });
    seen[t - 1] = FORMULAS.observed(truth[t - 1], noise(seed, t, 0), { noise: deviation });
  }
  return { truth, seen };
}

// form: "first" (v₁ = g₁), "normalised" (bias divided out) or "zero" (started at zero and left so).
export function ewmaOf(values, alpha, form) {
  const average = new Float64Array(values.length);
  let v = 0;
  for (let t = 1; t <= values.length; t++) {
    if (form === "first") {
      v = FORMULAS.ewma_step(v, values[t - 1], t, { alpha });
      average[t - 1] = v;
    } else {
      const [s, corrected] = FORMULAS.ewma_normalised_step(v, values[t - 1], t, { alpha });
      v = s;
      average[t - 1] = form === "zero" ? s : corrected;
    }
  }
  return average;
}

// Not a number until the window is full.
export function smaOf(values, window) {
  const average = new Float64Array(values.length).fill(NaN);
  const weight = 1 / window;
  for (let t = window - 1; t < values.length; t++) {
    let total = 0;
    for (let i = 0; i < window; i++) total = FORMULAS.weighted_term(total, values[t - i], { weight });
    average[t] = total;
  }
  return average;
}

// Lag and variance factor of the simple average, from its weights: Σ i w and Σ w².
export function smaReach(window) {
  const weight = 1 / window;
  let lag = 0;
  let left = 0;
  for (let i = 0; i < window; i++) {
    lag = FORMULAS.weighted_term(lag, i, { weight });
    left = FORMULAS.weighted_term(left, weight, { weight });
  }
  return { lag, left };
}

// The weight of each value of the last `ages` in the average at step `at`: what a series of zeros with a one
// in its place averages to.
export function weightsOf(average, at, ages) {
  const weights = [];
  const impulse = new Float64Array(at);
  for (let age = 0; age < Math.min(at, ages); age++) {
    impulse.fill(0);
    impulse[at - 1 - age] = 1;
    weights.push(average(impulse)[at - 1]);
  }
  return weights;
}

export function errorOf(average, truth) {
  let total = 0;
  let count = 0;
  for (let t = 0; t < truth.length; t++) {
    if (Number.isNaN(average[t])) continue;
    total += (average[t] - truth[t]) ** 2;
    count++;
  }
  return Math.sqrt(total / count);
}

export function averages(root, config, host) {
  let main = null;
  let small = null;
  let guide = null;
  return relative(root, config, host, {
    controls: (given, state) => [
      { kind: "slider", key: "alpha", label: "Smoothing factor", symbol: "α", min: 0, max: 0.995, scale: "complement" },
      { kind: "slider", key: "window", label: "Simple window", symbol: "w", min: 1, max: 80, integer: true },
      { kind: "slider", key: "at", label: "Weights at step", symbol: "t", min: 1, max: state.steps, integer: true },
      { kind: "slider", key: "noise", label: "Noise", symbol: "σ", min: 0, max: 1 },
      { kind: "choice", key: "first", label: "First value", options: given.firsts },
      { kind: "choice", key: "signal", label: "True value", options: given.signals },
      { kind: "slider", key: "seed", label: "Seed of the noise", min: 0, max: 99, integer: true },
      { kind: "toggle", key: "shifted", label: "Shift the averages back by their lag", into: "Lag" },
    ],
    build(shell) {
      const pair = element(shell.document, "div", { class: "ok-pair ok-pair-wide" });
      shell.stage.append(pair);
      main = shell.plot(createPlot(pair, {
        label: "The series and its averages", height: 240,
        x: { domain: [0, shell.state.steps], label: "step t" }, y: { domain: [-0.8, 1.8], label: "value" },
      }));
      small = shell.plot(createPlot(pair, {
        label: "Weight of each value by its age", height: 240,
        x: { domain: [-1, AGES], label: "age in steps" }, y: { domain: [0, 0.2], label: "weight at step t" },
      }));
      guide = svgElement(shell.document, "path", { class: "ok-guide" });
      main.overlay.append(guide);
    },
    draw(shell, state) {
      shell.controls.get("at").update({ max: state.steps });
      const { truth, seen } = seriesOf(state);
      const ewma = ewmaOf(seen, state.alpha, state.first);
      const sma = smaOf(seen, state.window);
      const [window, age, left] = FORMULAS.ewma_reach({ alpha: state.alpha });
      const simple = smaReach(state.window);
      const steps = Float64Array.from(seen, (_, i) => i + 1);
      const earlier = (lag) => (state.shifted ? steps.map((t) => t - lag) : steps);
      const reach = 0.35 + 2.6 * state.noise;
      main.update({ x: { domain: [0, state.steps] }, y: { domain: [-reach, 1 + reach] } });
      main.clear("data");
      const context = main.layer("data");
      main.points(context, steps, seen, { colour: main.colours().muted, marker: "o", size: 2.6, alpha: 0.75 });
      main.line(context, steps, truth, { face: TRUTH, colour: main.colours().ink, width: 1.8 });
      main.line(context, earlier(simple.lag), sma, { face: SMA, width: 2, markers: 6 });
      main.line(context, earlier(age), ewma, { face: EWMA, width: 2.2, markers: 6 });
      const x = main.x.map(state.at).toFixed(1);
      guide.setAttribute("d", `M${x} 0V${main.height}`);

      const byAge = {
        ewma: weightsOf((values) => ewmaOf(values, state.alpha, state.first), state.at, AGES),
        sma: weightsOf((values) => smaOf(values, state.window), state.at, AGES),
      };
      const all = [...byAge.ewma, ...byAge.sma].filter(Number.isFinite);
      small.update({ y: { domain: [0, 1.12 * Math.max(0.05, ...all)] } });
      small.clear("data");
      const bars = small.layer("data");
      drawStems(small, bars, byAge.ewma, EWMA, -0.16);
      if (state.at >= state.window) drawStems(small, bars, byAge.sma, SMA, 0.16);

      const half = state.alpha > 0 ? FORMULAS.ewma_half_life({ alpha: state.alpha }) : 0;
      shell.lines([
        { label: "EWMA", face: EWMA, note: `α = ${format(state.alpha)}` },
        { label: "SMA", face: SMA, note: `w = ${state.window}` },
        { label: "True value", face: TRUTH },
      ]);
      shell.facts([
        ["EWMA covers about", `${format(window)} values`],
        ["EWMA lag", `${format(age)} steps`],
        ["half-life", `${format(half)} steps`],
        ["EWMA noise left", `${format(100 * Math.sqrt(left))} %`],
        ["EWMA error", format(errorOf(ewma, truth))],
        ["SMA lag", `${format(simple.lag)} steps`],
        ["SMA noise left", `${format(100 * Math.sqrt(simple.left))} %`],
        ["SMA error", format(errorOf(sma, truth))],
      ]);
    },
    said(state) {
      const [window, age] = FORMULAS.ewma_reach({ alpha: state.alpha });
      const { truth, seen } = seriesOf(state);
      const error = errorOf(ewmaOf(seen, state.alpha, state.first), truth);
      return `α ${format(state.alpha)}: about ${format(window)} values, lag ${format(age)} steps, `
        + `error ${format(error)}.`;
    },
  });
}

function drawStems(plot, context, weights, face, shift) {
  const width = Math.max(1.4, (0.3 * plot.width) / AGES);
  const ages = weights.map((_, age) => age + shift);
  for (let age = 0; age < weights.length; age++) {
    plot.line(context, [ages[age], ages[age]], [0, weights[age]], { face: { ...face, dash: [] }, width, alpha: 0.8 });
  }
  plot.points(context, ages, weights, { face, size: 5 });
}
