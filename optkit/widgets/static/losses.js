// The loss against the step, one line for each rule, on a logarithmic axis; it shows the step under the pointer.

import { last } from "./engine.js";
import { createPlot } from "./plot.js";

const DEEPEST = 1e-10; // of the loss at the start: what lies lower is rounding

export function createLosses(parent, onhover, onchoose) {
  const plot = createPlot(parent, {
    label: "Loss at each step",
    x: { scale: "linear", domain: [0, 1], label: "step t" },
    y: { scale: "log", domain: [1e-3, 1], label: "loss" },
    height: 150,
  });
  const lines = plot.layer("lines");
  const mark = plot.layer("mark");
  let redraw = () => {};
  let steps = 1;
  let shown = new Float64Array(0);
  const stepAt = (event) => Math.min(steps, Math.max(0, Math.round(plot.position(event)[0])));
  plot.svg.addEventListener("pointermove", (event) => {
    if (event.pointerType === "mouse") onhover(stepAt(event));
  });
  plot.svg.addEventListener("pointerleave", () => onhover(null));
  plot.svg.addEventListener("click", (event) => onchoose(stepAt(event)));
  plot.onresize = () => redraw();

  return {
    plot,
    set onresize(f) {
      redraw = f;
    },
    draw(runs, count) {
      steps = count;
      plot.update({ x: { domain: [0, count] }, y: axis(runs) });
      const [low, high] = plot.y.domain;
      plot.clear("lines");
      for (const { face, path, counted } of runs) {
        if (shown.length !== path.loss.length) shown = new Float64Array(path.loss.length);
        for (let k = 0; k < shown.length; k++) shown[k] = Math.min(high * 10, Math.max(low, path.loss[k]));
        plot.line(lines, counted, shown, { face, width: 1.7, to: last(path) + 1 });
      }
    },
    point(runs, step) {
      plot.clear("mark");
      const x = plot.x.map(step);
      Object.assign(mark, { strokeStyle: plot.colours().muted, lineWidth: 1 });
      mark.setLineDash([3, 3]);
      mark.beginPath();
      mark.moveTo(x, 0);
      mark.lineTo(x, plot.height);
      mark.stroke();
      mark.setLineDash([]);
      const [low, high] = plot.y.domain;
      for (const { face, path } of runs) {
        const at = Math.min(step, last(path));
        const value = Math.min(high, Math.max(low, path.loss[at]));
        plot.points(mark, [at], [value], { face, size: 8 });
      }
    },
    refresh() {
      plot.refresh();
    },
  };
}

/** Whole powers of ten around all that is finite; a symmetric scale where the loss is negative. */
function axis(runs) {
  let [low, high, first] = [Infinity, -Infinity, 1];
  for (const { path } of runs) {
    first = Math.abs(path.loss[0]) || first;
    for (let k = 0; k <= last(path); k++) {
      const value = path.loss[k];
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  if (!(high >= low)) return { scale: "log", domain: [1e-3, 1] };
  high = Math.min(high, 1e3 * first);
  if (low < -1e-12 * first) {
    const most = 10 ** Math.ceil(Math.log10(Math.max(Math.abs(low), high, 1e-6)));
    return { scale: "symlog", domain: [Math.max(low, -1e3 * first), high > 0 ? most : 0], threshold: 1e-2 * most };
  }
  low = Math.max(low, DEEPEST * first);
  const top = Math.ceil(Math.log10(Math.max(high, low)));
  return { scale: "log", domain: [10 ** Math.min(Math.floor(Math.log10(low)), top - 1), 10 ** top] };
}
