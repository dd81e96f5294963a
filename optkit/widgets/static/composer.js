// A schedule from its parts: warm-up, linear scaling, a decay; and what it does to SGD on a noisy bowl.

import { createPlot } from "./plot.js";
import { element } from "./controls.js";
import { trajectory } from "./engine.js";
import { format } from "./ticks.js";
import { relative } from "./relative.js";
import { FORMULAS, PROBLEMS, RULES, SERIES } from "./mathematics.js";

const COMPOSED = SERIES[0];
const CONSTANT = SERIES[5];
const REFERENCE = 256;

// The factor at step t. names: for the chosen decay, its hyper-parameter → [state key, name without and with
// warm-up]; in the joined formula a name that the warm-up has taken bears a number.
export function factorOf(state, names) {
  const { decay, warm, warmup, start, steps, scale } = state;
  const hyper = { batch_size: scale * REFERENCE, reference: REFERENCE };
  if (warm) Object.assign(hyper, { after: warmup, steps: warmup, start });
  for (const [key, alone, joined] of names[decay]) {
    // A decay that ends, ends with the run.
    const value = key === "rest" ? Math.max(1, steps - (warm ? warmup : 0)) : state[key];
    hyper[warm ? joined : alone] = value;
  }
  const formula = FORMULAS[`${decay}_${warm ? "after_warmup" : "alone"}`];
  return (t) => formula(t, hyper);
}

// The noise has deviation 1 at a batch of 256, and falls with the root of the batch.
function runOf({ lr, steps, seed, scale }, factor, old) {
  const tables = { RULES, PROBLEMS, SCHEDULES: { composed: { factor } } };
  const problem = PROBLEMS.noisy_quadratic;
  return trajectory(tables, {
    rule: "gradient_descent", problem: problem.name, hyper: { lr }, start: problem.start, steps,
    schedule: factor ? { name: "composed", hyper: {} } : null, noise: problem.noise,
    batch: factor ? scale : 1, seed,
  }, old);
}

// The loss of the run's last tenth, on average: how still it became.
export function endOf(loss) {
  const from = Math.floor(0.9 * loss.length);
  let total = 0;
  for (let k = from; k < loss.length; k++) total += loss[k];
  return total / (loss.length - from);
}

export function composer(root, config, host) {
  let rates, losses;
  const paths = [null, null];
  return relative(root, config, host, {
    controls: (given) => [
      { kind: "choice", key: "decay", label: "Decay", options: given.decays },
      { kind: "slider", key: "steps", label: "Steps", min: 20, max: 2000, scale: "log", integer: true },
      { kind: "slider", key: "lr", label: "Learning rate", symbol: "ε", min: 0.001, max: 0.3, scale: "log" },
      { kind: "slider", key: "warmup", label: "Steps of warm-up", symbol: "T", min: 1, max: 500, scale: "log", integer: true },
      { kind: "slider", key: "start", label: "Factor at its start", symbol: "η_0", min: 0, max: 1 },
      { kind: "slider", key: "scale", label: "Batch, in multiples of 256", symbol: "k", min: 1, max: 16, integer: true },
      { kind: "slider", key: "every", label: "Steps between drops", symbol: "T", min: 1, max: 1000, scale: "log", integer: true },
      { kind: "slider", key: "drop", label: "Factor of each drop", symbol: "γ", min: 0.01, max: 1 },
      { kind: "slider", key: "shrink", label: "Factor of each step", symbol: "γ", min: 0.9, max: 0.9999, scale: "complement" },
      { kind: "slider", key: "soon", label: "How soon it falls", symbol: "γ", min: 0.001, max: 10, scale: "log" },
      { kind: "slider", key: "q", label: "Exponent", symbol: "q", min: 0, max: 1 },
      { kind: "slider", key: "eta", label: "Faster than 1/log by", symbol: "η", min: 0.01, max: 10, scale: "log" },
      { kind: "slider", key: "end", label: "Factor at the end", symbol: "η_T", min: 0, max: 1 },
      { kind: "toggle", key: "warm", label: "Warm-up", into: "Parts" },
      { kind: "toggle", key: "logarithmic", label: "Logarithmic rate", into: "Parts" },
    ],
    build(shell) {
      const pair = element(shell.document, "div", { class: "ok-pair" });
      shell.stage.append(pair);
      rates = shell.plot(createPlot(pair, {
        label: "Learning rate at each step", height: 230,
        x: { domain: [1, 100], label: "step t" }, y: { domain: [0, 1], label: "learning rate" },
      }));
      losses = shell.plot(createPlot(pair, {
        label: "Loss of stochastic gradient descent under it", height: 230,
        x: { domain: [0, 100], label: "step t" }, y: { scale: "log", domain: [1e-3, 100], label: "loss on a noisy bowl" },
      }));
    },
    draw(shell, state) {
      const { names } = shell.config;
      const used = new Set(names[state.decay].map(([key]) => key));
      for (const key of ["every", "drop", "shrink", "soon", "q", "eta", "end"]) {
        shell.controls.get(key).element.hidden = !used.has(key);
      }
      for (const key of ["warmup", "start"]) shell.controls.get(key).update({ disabled: !state.warm });
      const factor = factorOf(state, names);
      const t = Float64Array.from({ length: state.steps }, (_, i) => i + 1);
      const lr = t.map((step) => state.lr * factor(step));
      const highest = Math.max(...lr, state.lr);
      const lowest = Math.max(Math.min(...lr.filter((value) => value > 0)), highest * 1e-6);
      rates.update({
        x: { domain: [1, state.steps] },
        y: state.logarithmic
          ? { scale: "log", domain: [lowest / 1.4, highest * 1.4] }
          : { scale: "linear", domain: [0, highest * 1.08] },
      });
      rates.clear("data");
      const context = rates.layer("data");
      rates.line(context, [1, state.steps], [state.lr, state.lr], { face: CONSTANT, width: 1.6 });
      rates.line(context, t, lr, { face: COMPOSED, width: 2.2, markers: 7 });

      paths[0] = runOf(state, factor, paths[0]);
      paths[1] = runOf(state, null, paths[1]);
      const steps = Float64Array.from({ length: state.steps + 1 }, (_, i) => i);
      const first = paths[0].loss[0];
      losses.update({ x: { domain: [0, state.steps] }, y: { domain: [1e-4 * first, 10 * first] } });
      losses.clear("data");
      const lines = losses.layer("data");
      losses.line(lines, steps, paths[1].loss, { face: CONSTANT, width: 1.4, alpha: 0.85 });
      losses.line(lines, steps, paths[0].loss, { face: COMPOSED, width: 1.8, markers: 7 });
      const said = (path) => (path.diverged >= 0 ? `diverges at step ${path.diverged}` : format(endOf(path.loss)));
      shell.lines([{ label: "your schedule", face: COMPOSED }, { label: "constant rate", face: CONSTANT }]);
      shell.facts([
        ["Rate at first", format(lr[0])],
        ["highest", format(Math.max(...lr))],
        ["last", format(lr[lr.length - 1])],
        ["sum of rates", format(lr.reduce((sum, value) => sum + value, 0))],
        ["loss at the end", said(paths[0])],
        ["under a constant rate", said(paths[1])],
      ]);
    },
    said(state) {
      const path = runOf(state, factorOf(state, config.names));
      return path.diverged >= 0 ? `Diverges at step ${path.diverged}.` : `Loss at the end ${format(endOf(path.loss))}.`;
    },
  });
}
