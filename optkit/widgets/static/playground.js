// The playground: one figure, drawn from one plain state. What a reader does changes the state and nothing else.

import { announcer } from "./announce.js";
import { buttons, details, element, slider, toggle, choice, write } from "./controls.js";
import { last, trajectory } from "./engine.js";
import { account, createFormula } from "./formula.js";
import { createLosses } from "./losses.js";
import { digits } from "./notation.js";
import { createPanel } from "./panel.js";
import { asPython } from "./python.js";
import { check, encode, history } from "./state.js";
import { createSurface } from "./surface.js";
import { createTools } from "./tools.js";

const SPEEDS = [5, 20, 60, 200];
const REST = 150; // milliseconds without a change, after which a change is told outside

/**
 * Draw a playground into `root`. config: {state, offered: rules shown without asking}.
 * host: {change(state, final), link(text) -> address}, each optional.
 */
export function playground(root, config, host, mathematics) {
  const { ownerDocument: document } = root;
  const view = document.defaultView;
  const first = check(mathematics, config.state);
  let state = config.linked ? check(mathematics, config.linked, first) : first;
  const steps = history(first);
  steps.put(state);
  let hover = null;
  let alive = false;
  let runs = [];
  const known = new Map(); // rule → {key, run}: a path is computed again only if its own request has changed
  let due = 0;
  let told = null;
  let playing = 0;

  const make = (tag, attributes, ...children) => element(document, tag, attributes, ...children);
  const main = make("div", { class: "ok-main" });
  const left = make("div", { class: "ok-surface" });
  const side = make("div", { class: "ok-side" });
  main.append(left, side);
  root.append(main);
  const say = announcer(root);

  const surface = createSurface(left, (start, final) => change({ start }, final));
  const transport = make("div", { class: "ok-transport" });
  left.append(transport);
  const drive = buttons(transport, { label: "Play" }, [
    { name: "start", label: "To the start", icon: "start", onclick: () => change({ step: 0 }, true) },
    { name: "back", label: "One step back", icon: "back", onclick: () => change({ step: state.step - 1 }, true) },
    { name: "play", label: "Play", icon: "play", onclick: () => (playing ? stop() : play()) },
    { name: "step", label: "One step on", icon: "step", onclick: () => change({ step: state.step + 1 }, true) },
  ]);
  let speed = SPEEDS[1];
  choice(transport, { label: "Speed", options: SPEEDS.map((s) => ({ value: String(s), label: `${s} steps/s` })), value: String(speed) },
    (value) => { speed = Number(value); });

  const scrub = slider(transport, { label: "step", symbol: ["mi", "t"], integer: true, min: 0, max: state.steps, value: state.step },
    (step, final) => change({ step }, final));
  left.append(make("p", { class: "ok-hint" }, "Drag the circle, tap the surface, or move the circle with the arrow keys: all rules start there."));

  const losses = createLosses(side, (step) => look(step), (step) => change({ step }, true));
  const list = make("div", { class: "ok-rules", role: "group", "aria-label": "Rules" });
  side.append(list);
  const below = make("div", { class: "ok-below" });
  root.append(below);
  const more = details(below, "More rules");
  more.body.classList.add("ok-columns");
  const offered = new Set([...(config.offered ?? []), ...first.rules]);
  const rows = new Map();
  for (const entry of Object.values(mathematics.RULES)) {
    const row = make("div", { class: "ok-rule" });
    const control = toggle(row, { label: entry.label, value: false, face: entry, description: entry.description }, (on) => {
      const rules = Object.keys(mathematics.RULES).filter((name) => (name === entry.name ? on : state.rules.includes(name)));
      change({ rules, selected: on ? entry.name : state.selected }, true);
    });
    const value = make("span", { class: "ok-value" });
    row.append(value);
    (offered.has(entry.name) ? list : more.body).append(row);
    rows.set(entry.name, { control, value, row });
  }
  more.element.hidden = more.body.childElementCount === 0;

  const panel = createPanel(below, mathematics, change);
  const numbers = details(below, "This step in numbers");
  const numbersTop = make("p", { class: "ok-hint" });
  numbers.body.append(numbersTop);
  let coordinate = 0;
  choice(numbers.body, { label: "Coordinate", options: [{ value: "0", label: "θ₁" }, { value: "1", label: "θ₂" }], value: "0" },
    (value) => { coordinate = Number(value); showNumbers(); });
  const formula = createFormula(numbers.body);
  numbers.element.addEventListener("toggle", showNumbers);

  const sections = { rules: more.element, surface: panel.about.element, pace: panel.pace.element, numbers: numbers.element };
  for (const name of config.opened ?? []) sections[name].open = true;

  const tools = createTools(root, {
    undo: () => set(steps.back(), true, false),
    reset: () => set(first, true),
    link: host?.link && (() => host.link(encode(state))),
    python: () => asPython(mathematics, state),
  });

  /** Take over part of a state; what is out of range is moved into it. */
  function change(part, final) {
    if (!("step" in part) || part.step !== state.step) if (!part.playing) stop();
    set({ ...state, ...stretched(part) }, final);
  }

  /** A step that stood at the end stays at the end when the number of steps changes. */
  function stretched(part) {
    return "steps" in part && state.step === state.steps ? { ...part, step: part.steps } : part;
  }

  function set(next, final, remember = true) {
    const before = state;
    state = check(mathematics, next, state);
    if (final && remember) steps.put(state);
    if (JSON.stringify({ ...before, step: 0 }) === JSON.stringify({ ...state, step: 0 })) {
      showDrive();
      drawStep();
    } else draw();
    tell(final);
  }

  function tell(final) {
    clearTimeout(told);
    if (final) host?.change?.(state, true);
    else told = setTimeout(() => host?.change?.(state, false), REST);
  }

  function compute() {
    runs = state.rules.map((name) => {
      const request = {
        rule: name, problem: state.problem, problemHyper: state.problem_hyper, hyper: state.hyper[name] ?? {},
        start: state.start, steps: state.steps, schedule: state.schedule, noise: state.noise, batch: state.batch_size, seed: state.seed,
      };
      const key = JSON.stringify(request);
      const old = known.get(name);
      if (old?.key === key) return old.run;
      const path = trajectory(mathematics, request, old?.run.path);
      const face = mathematics.RULES[name];
      const run = { face, path, ...columns(path, old?.run) };
      known.set(name, { key, run });
      return run;
    });
  }

  function draw() {
    compute();
    surface.show(mathematics.PROBLEMS[state.problem], state.problem_hyper);
    surface.startAt(state.start);
    losses.draw(runs, state.steps);
    panel.update(state);
    for (const [name, { control }] of rows) control.update({ value: state.rules.includes(name) });
    showDrive();
    drawStep();
  }

  function showDrive() {
    scrub.update({ value: state.step, max: state.steps });
    tools.update({ undo: !steps.canGoBack });
    drive.update("back", { disabled: state.step === 0 });
    drive.update("start", { disabled: state.step === 0 });
    drive.update("step", { disabled: state.step === state.steps });
  }

  /** What depends on the step that is shown. */
  function drawStep() {
    const step = hover ?? state.step;
    surface.trace(runs, step);
    losses.point(runs, step);
    for (const [name, { value, row }] of rows) {
      const run = state.rules.includes(name) ? runs[state.rules.indexOf(name)] : null;
      row.classList.toggle("ok-off", run === null);
      write(value, run === null ? "" : standing(run.path, step));
    }
    showNumbers();
    const said = runs.map(({ face, path }) => `${face.label}: ${standing(path, step)}`).join("; ");
    if (alive) say(said); // nothing is said before the reader has done something
  }

  function showNumbers() {
    if (!numbers.element.open) return;
    const at = state.rules.indexOf(state.selected);
    const step = hover ?? state.step;
    const run = runs[at];
    const lines = run ? account(run.face, run.path, step, coordinate) : [];
    numbersTop.textContent = lines.length
      ? `${run.face.label}, step ${step}: g = ${digits(run.path.gradients[(step - 1) * run.path.dim + coordinate])}.`
      : "Choose a rule and a step from 1 on.";
    formula.update(lines);
  }

  function look(step) {
    if (step === hover || playing) return;
    hover = step;
    schedule(drawStep);
  }

  function schedule(work) {
    if (due) return;
    due = view.requestAnimationFrame(() => {
      due = 0;
      work();
    });
  }

  function play() {
    const from = state.step >= state.steps ? 0 : state.step;
    let began = null;
    drive.update("play", { icon: "pause", label: "Pause" });
    const frame = (now) => {
      began ??= now;
      const step = Math.min(state.steps, from + Math.floor(((now - began) / 1000) * speed));
      playing = view.requestAnimationFrame(frame);
      if (step !== state.step) change({ step, playing: true }, step === state.steps);
      if (step === state.steps) stop();
    };
    playing = view.requestAnimationFrame(frame);
  }

  function stop() {
    if (!playing) return;
    view.cancelAnimationFrame(playing);
    playing = 0;
    drive.update("play", { icon: "play", label: "Play" });
    tell(true);
  }

  surface.onresize = draw;
  losses.onresize = draw;
  draw();
  alive = true;
  return {
    get state() {
      return state;
    },
    /** Take over a state, or a part of one, from outside. */
    update(part) {
      state = check(mathematics, { ...state, ...part }, state);
      steps.put(state);
      draw();
    },
    refresh() {
      surface.refresh();
      losses.refresh();
      draw();
    },
    destroy() {
      stop();
      clearTimeout(told);
      surface.plot.destroy();
      losses.plot.destroy();
      root.replaceChildren();
    },
  };
}

/** The coordinates of a path as arrays of their own, written into those of the path before where they fit. */
function columns(path, old) {
  const size = path.steps + 1;
  const fits = old?.xs.length === size;
  const xs = fits ? old.xs : new Float64Array(size);
  const ys = fits ? old.ys : new Float64Array(size);
  for (let k = 0; k < size; k++) {
    xs[k] = path.theta[k * path.dim];
    ys[k] = path.theta[k * path.dim + 1];
  }
  const counted = fits ? old.counted : Float64Array.from({ length: size }, (_, k) => k);
  return { xs, ys, counted };
}

/** How low a rule stands, in words. */
function standing(path, step) {
  if (path.diverged >= 0 && step >= path.diverged) return `diverged at ${path.diverged}`;
  return digits(path.loss[Math.min(step, last(path))]);
}
