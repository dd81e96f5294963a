// Adam's first steps with and without bias correction: their length, and the moments behind them.

import { createPlot } from "./plot.js";
import { element } from "./controls.js";
import { format } from "./ticks.js";
import { noise } from "./random.js";
import { relative } from "./relative.js";
import { FACES, FORMULAS, SERIES } from "./mathematics.js";

const WITH = FACES.adam;
const WITHOUT = SERIES[5];
const FIRST = SERIES[0];
const SECOND = SERIES[1];

// The gradient of every step is 1 and noise of this deviation.
export function gradientsOf({ steps, noise: deviation, seed }) {
  return Float64Array.from({ length: steps }, (_, i) =>
    FORMULAS.observed(1, noise(seed, i + 1, 0), { noise: deviation }));
}

// Each step in multiples of ε, against the gradient: θ starts at 0, the learning rate is 1.
export function stepsOf(gradients, { beta1, beta2, bias_correction: corrected }) {
  const lengths = new Float64Array(gradients.length);
  let state = [0, 0, 0];
  for (let t = 1; t <= gradients.length; t++) {
    const next = FORMULAS.adam(0, gradients[t - 1], state[1], state[2], t,
      { lr: 1, beta1, beta2, eps: 0, bias_correction: corrected });
    lengths[t - 1] = -next[0];
    state = next;
  }
  return lengths;
}

// The two moments as collected and as corrected.
export function momentsOf(gradients, { beta1, beta2 }) {
  const found = { s: [], sHat: [], r: [], rHat: [] };
  let [s, r] = [0, 0];
  for (let t = 1; t <= gradients.length; t++) {
    const g = gradients[t - 1];
    const first = FORMULAS.ewma_normalised_step(s, g, t, { alpha: beta1 });
    const second = FORMULAS.ewma_normalised_step(r, g * g, t, { alpha: beta2 });
    [s, r] = [first[0], second[0]];
    found.s.push(s);
    found.sHat.push(first[1]);
    found.r.push(r);
    found.rHat.push(second[1]);
  }
  return found;
}

export function correction(root, config, host) {
  let lengths, moments;
  return relative(root, config, host, {
    controls: () => [
      { kind: "slider", key: "beta1", label: "First moment", symbol: "ρ_1", min: 0, max: 0.999, scale: "complement" },
      { kind: "slider", key: "beta2", label: "Second moment", symbol: "ρ_2", min: 0, max: 0.9999, scale: "complement" },
      { kind: "slider", key: "noise", label: "Noise of the gradient", symbol: "σ", min: 0, max: 3 },
      { kind: "slider", key: "steps", label: "Steps shown", symbol: "t", min: 5, max: 2000, scale: "log", integer: true },
      { kind: "slider", key: "seed", label: "Seed of the noise", min: 0, max: 99, integer: true },
    ],
    build(shell) {
      const pair = element(shell.document, "div", { class: "ok-pair" });
      shell.stage.append(pair);
      lengths = shell.plot(createPlot(pair, {
        label: "Length of each step", height: 240,
        x: { domain: [1, 100], label: "step t" }, y: { domain: [0, 4], label: "step, in multiples of ε" },
      }));
      moments = shell.plot(createPlot(pair, {
        label: "The moments, corrected and not", height: 240,
        x: { domain: [1, 100], label: "step t" }, y: { domain: [0, 1.5], label: "moments s and r" },
      }));
    },
    draw(shell, state) {
      const gradients = gradientsOf(state);
      const plain = stepsOf(gradients, { ...state, bias_correction: false });
      const corrected = stepsOf(gradients, { ...state, bias_correction: true });
      const found = momentsOf(gradients, state);
      const t = Float64Array.from(gradients, (_, i) => i + 1);
      const domain = [1, state.steps];
      const top = (...lists) => 1.08 * Math.max(...lists.map((list) => Math.max(...list)));
      const bottom = (...lists) => 1.08 * Math.min(0, ...lists.map((list) => Math.min(...list)));
      lengths.update({ x: { domain }, y: { domain: [bottom(plain, corrected), top(plain, corrected)] } });
      moments.update({ x: { domain }, y: { domain: [bottom(found.s, found.sHat), top(found.sHat, found.rHat)] } });
      const draw = (plot, lists) => {
        plot.clear("data");
        const context = plot.layer("data");
        for (const [values, look] of lists) plot.line(context, t, values, { markers: 7, ...look });
      };
      draw(lengths, [
        [Float64Array.from(t, () => 1), { colour: lengths.colours().muted, dash: [1.2, 1.4], width: 1.3, markers: 0 }],
        [plain, { face: WITHOUT }],
        [corrected, { face: WITH, width: 2.2 }],
      ]);
      draw(moments, [
        [found.s, { face: FIRST, dash: [1.2, 1.4], alpha: 0.9 }],
        [found.sHat, { face: FIRST, dash: [] }],
        [found.r, { face: SECOND, dash: [1.2, 1.4], alpha: 0.9 }],
        [found.rHat, { face: SECOND, dash: [] }],
      ]);
      const largest = plain.reduce((best, value, i) => (value > plain[best] ? i : best), 0);
      const settled = plain.findLastIndex((value, i) => Math.abs(value / corrected[i] - 1) > 0.05) + 2;
      shell.lines([
        { label: "corrected", face: WITH },
        { label: "not corrected", face: WITHOUT },
        { label: "s", face: { ...FIRST, dash: [1.2, 1.4] } },
        { label: "ŝ", face: { ...FIRST, dash: [] } },
        { label: "r", face: { ...SECOND, dash: [1.2, 1.4] } },
        { label: "r̂", face: { ...SECOND, dash: [] } },
      ]);
      shell.facts([
        ["First step, corrected", `${format(corrected[0])} ε`],
        ["not corrected", `${format(plain[0])} ε`],
        ["largest, not corrected", `${format(plain[largest])} ε at step ${largest + 1}`],
        ["within 5 % of each other", settled > state.steps ? `later than step ${state.steps}` : `from step ${settled}`],
      ]);
    },
    said(state) {
      const gradients = gradientsOf(state);
      const plain = stepsOf(gradients, { ...state, bias_correction: false });
      const best = Math.max(...plain);
      return `First step without correction ${format(plain[0])} ε, largest ${format(best)} ε.`;
    },
  });
}
