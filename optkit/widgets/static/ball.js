// INNA's ball on the ravine of its paper: what the viscous and the Newton-like damping do.

import { createPlot } from "./plot.js";
import { buttons, element } from "./controls.js";
import { trajectory } from "./engine.js";
import { createSurface } from "./surface.js";
import { format } from "./ticks.js";
import { relative } from "./relative.js";
import { FACES, PROBLEMS, RULES, SCHEDULES } from "./mathematics.js";

const FACE = FACES.inna;
const PROBLEM = PROBLEMS.nonsmooth_ravine;
const MOST = 100000;
const DRAWN = 4000; // points of the path that are drawn; what is said comes from every step
const NEAR = 0.1;
const SECONDS = 8;

export function runOf({ alpha, beta, lr, paper_start: paperStart, start, time }, old = null) {
  const steps = Math.max(1, Math.min(MOST, Math.round(time / lr)));
  return trajectory({ RULES, PROBLEMS, SCHEDULES }, {
    rule: "inna", problem: PROBLEM.name, hyper: { lr, alpha, beta, paper_start: paperStart }, start, steps,
    schedule: null, noise: 0,
  }, old);
}

// The step from which on the ball stays near the minimum, and how often it crossed the floor until then.
export function journeyOf(path) {
  const [mx, my] = PROBLEM.minima[0];
  let arrived = 0;
  for (let k = path.steps; k >= 0; k--) {
    if (!(Math.hypot(path.theta[2 * k] - mx, path.theta[2 * k + 1] - my) < NEAR)) {
      arrived = k + 1;
      break;
    }
  }
  const end = arrived > path.steps ? path.steps : arrived - 1;
  let crossings = 0;
  let before = 0;
  for (let k = 0; k <= end; k++) {
    const side = Math.sign(path.theta[2 * k + 1] - Math.abs(path.theta[2 * k]));
    if (!side) continue;
    if (before && side !== before) crossings++;
    before = side;
  }
  return { arrived: arrived > path.steps ? null : arrived, crossings };
}

export function ball(root, config, host) {
  let surface, away, transport;
  let path = null;
  let key = "";
  let thin = null;
  let playing = 0;
  let shown = 1; // the share of the path that has been rolled

  function compute(state) {
    const { alpha, beta, lr, paper_start: paper, start, time } = state;
    const now = JSON.stringify([alpha, beta, lr, paper, start, time]);
    if (now === key) return;
    key = now;
    path = runOf(state, path);
    const last = path.diverged < 0 ? path.steps : Math.max(0, path.diverged - 1);
    const stride = Math.max(1, Math.ceil((last + 1) / DRAWN));
    const count = Math.floor(last / stride) + 1;
    thin = { xs: new Float64Array(count), ys: new Float64Array(count), distance: new Float64Array(count),
      steps: new Float64Array(count), path: { steps: count - 1, diverged: -1, points: path.points, radius: 0 } };
    for (let i = 0; i < count; i++) {
      const k = i * stride;
      thin.xs[i] = path.theta[2 * k];
      thin.ys[i] = path.theta[2 * k + 1];
      thin.distance[i] = Math.hypot(thin.xs[i] - PROBLEM.minima[0][0], thin.ys[i] - PROBLEM.minima[0][1]);
      thin.steps[i] = k;
    }
  }

  function stop(shell) {
    shell.view.cancelAnimationFrame(playing);
    playing = 0;
    transport.update("play", { icon: "play", label: "Let the ball roll", pressed: false });
  }

  function roll(shell) {
    if (playing) return stop(shell);
    if (shown >= 1) shown = 0;
    let before = null;
    const frame = (now) => {
      shown = Math.min(1, shown + (before === null ? 0 : (now - before) / (1000 * SECONDS)));
      before = now;
      shell.redraw();
      if (shown < 1) playing = shell.view.requestAnimationFrame(frame);
      else stop(shell);
    };
    transport.update("play", { icon: "pause", label: "Hold the ball", pressed: true });
    playing = shell.view.requestAnimationFrame(frame);
  }

  return relative(root, config, host, {
    controls: () => [
      { kind: "slider", key: "alpha", label: "Viscous damping", symbol: "α", min: 0, max: 4 },
      { kind: "slider", key: "beta", label: "Newton-like damping", symbol: "β", min: 0.001, max: 1, scale: "log" },
      { kind: "slider", key: "lr", label: "Step size", symbol: "γ", min: 1e-4, max: 0.01, scale: "log" },
      { kind: "slider", key: "time", label: "Time, γ times steps", min: 1, max: 10 },
      { kind: "toggle", key: "paper_start", label: "Start at velocity −g as in the paper", into: "Start" },
    ],
    build(shell) {
      const { document, state } = shell;
      const pair = element(document, "div", { class: "ok-pair ok-pair-wide" });
      shell.stage.append(pair);
      surface = createSurface(pair, (start, final) => {
        shown = 1;
        shell.change({ start }, final);
      });
      surface.onresize = () => shell.redraw();
      shell.plots.push({ refresh: () => surface.refresh(), destroy: () => surface.plot.destroy() });
      away = shell.plot(createPlot(pair, {
        label: "Distance to the minimum", height: 230,
        x: { domain: [0, state.time / state.lr], label: "step t" },
        y: { scale: "log", domain: [1e-4, 10], label: "distance to the minimum" },
      }));
      const row = element(document, "div", { class: "ok-transport" });
      shell.stage.append(row);
      transport = buttons(row, { label: "The ball" }, [
        { name: "play", label: "Let the ball roll", icon: "play", pressed: false, onclick: () => roll(shell) },
        ...config.settings.map(([alpha, beta]) => ({
          name: `${alpha} ${beta}`, label: `α = ${alpha}, β = ${beta}`, text: `α = ${alpha}, β = ${beta}`,
          pressed: false, onclick: () => shell.change({ alpha, beta }),
        })),
      ]);
    },
    draw(shell, state) {
      compute(state);
      surface.show(PROBLEM, {});
      surface.startAt(state.start);
      const end = Math.round(shown * thin.path.steps);
      surface.trace([{ face: FACE, path: thin.path, xs: thin.xs, ys: thin.ys }], end);
      away.update({ x: { domain: [0, path.steps] }, y: { domain: [1e-3, 10] } });
      away.clear("data");
      const context = away.layer("data");
      const floor = Float64Array.from(thin.distance, (value) => Math.max(value, 1e-3));
      const { muted } = away.colours();
      away.line(context, [0, path.steps], [NEAR, NEAR], { colour: muted, width: 1.2, dash: [3, 3] });
      if (shown < 1) away.line(context, thin.steps, floor, { face: FACE, width: 1.3, alpha: 0.3 });
      away.line(context, thin.steps, floor, { face: FACE, width: 2, to: end + 1 });
      away.points(context, [thin.steps[end]], [floor[end]], { face: FACE, size: 11 });
      for (const [alpha, beta] of config.settings) {
        transport.update(`${alpha} ${beta}`, { pressed: alpha === state.alpha && beta === state.beta });
      }
      const { arrived, crossings } = journeyOf(path);
      shell.lines([{ label: "INNA", face: FACE, note: `α = ${format(state.alpha)}, β = ${format(state.beta)}` }]);
      shell.facts([
        ["Steps", format(path.steps)],
        ["crosses the floor", `${crossings} times`],
        ["stays within 0.1 of the minimum from step", path.diverged >= 0 ? "never: it diverges" : arrived === null ? "not yet" : String(arrived)],
      ]);
    },
    said(state) {
      compute(state);
      const { arrived, crossings } = journeyOf(path);
      if (path.diverged >= 0) return "The ball leaves the picture for good.";
      const when = arrived === null ? "it has not arrived yet" : `it has arrived at step ${arrived}`;
      return `The ball crosses the floor ${crossings} times; ${when}.`;
    },
    destroy: (shell) => shell.view.cancelAnimationFrame(playing),
  });
}
