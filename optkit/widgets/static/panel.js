// The settings: sliders of the chosen rule, the problem, the schedule, the noise, the start and the length.

import { choice, details, element, field, slider, toggle, write } from "./controls.js";
import { clamp, MOST_STEPS } from "./state.js";
import { words } from "./notation.js";

const NONE = "none";

/**
 * One control for each hyper-parameter of an entry, made anew when the entry changes.
 * onchange(name, value, final).
 */
export function hyperControls(parent, legend, onchange) {
  const group = field(parent, legend);
  let shown = "";
  let controls = new Map();
  return {
    update(entry, values) {
      if (entry.name !== shown) {
        shown = entry.name;
        group.replaceChildren();
        controls = new Map(entry.hyper.map((hyper) => [hyper.name, make(group, hyper, values[hyper.name], onchange)]));
      }
      for (const hyper of entry.hyper) {
        const value = values[hyper.name];
        const ends = hyper.flag ? {} : reach(hyper, value);
        controls.get(hyper.name).update({ value, ...ends });
      }
    },
  };
}

function make(parent, hyper, value, onchange) {
  const { name, description } = hyper;
  const label = name.replaceAll("_", " ");
  if (hyper.flag) {
    return toggle(parent, { label, value, description }, (now) => onchange(name, now, true));
  }
  const given = { label, symbol: hyper.symbol, value, description, scale: hyper.scale, integer: hyper.integer };
  if (label === words(hyper.symbol)) given.label = description.split(/[:.,]/)[0];
  return slider(parent, { ...given, ...reach(hyper, value) }, (now, final) => onchange(name, clamp(hyper, now), final));
}

/** The slider's ends, further out where the value lies beyond them. */
function reach(hyper, value) {
  const [low, high] = hyper.slider;
  if (hyper.scale === "log" && !(value > 0)) return { min: low, max: high };
  return { min: Math.min(low, value), max: hyper.scale === "complement" ? high : Math.max(high, value) };
}

/** All settings. change(part of a state, final). */
export function createPanel(parent, mathematics, change) {
  const { ownerDocument: document } = parent;
  const options = (table, entries = Object.values(table)) =>
    entries.map(({ name, label }) => ({ value: name, label }));
  let state = null;

  const rule = element(document, "section", { class: "ok-section", "aria-label": "Settings of a rule" });
  parent.append(rule);
  const selected = choice(rule, { label: "Settings of", options: [], value: "" }, (name) => {
    change({ selected: name }, true);
  });
  const ruleSliders = element(document, "div", { class: "ok-panel" });
  rule.append(ruleSliders);
  const ruleHyper = hyperControls(ruleSliders, "Hyper-parameters of the rule", (name, value, final) => {
    const own = { ...state.hyper[state.selected], [name]: value };
    change({ hyper: { ...state.hyper, [state.selected]: own } }, final);
  });

  const about = details(parent, "Loss surface and start");
  const plane = Object.values(mathematics.PROBLEMS).filter((entry) => entry.dim === 2);
  const problem = choice(about.body, { label: "Problem", options: options(null, plane), value: "" }, (name) => {
    const { start, noise } = mathematics.PROBLEMS[name];
    change({ problem: name, problem_hyper: {}, start: [...start], noise }, true);
  });
  const said = element(document, "p", { class: "ok-hint" });
  about.body.append(said);
  const aboutSliders = element(document, "div", { class: "ok-panel" });
  about.body.append(aboutSliders);
  const problemHyper = hyperControls(aboutSliders, "Settings of the problem", (name, value, final) => {
    change({ problem_hyper: { ...state.problem_hyper, [name]: value } }, final);
  });
  const coordinates = ["1", "2"].map((index, i) =>
    slider(
      aboutSliders,
      { label: "start", symbol: ["msub", ["mi", "θ"], ["mn", index]], min: 0, max: 1, value: 0, description: "Where all rules start." },
      (value, final) => change({ start: state.start.map((old, j) => (i === j ? value : old)) }, final),
    ),
  );

  const pace = details(parent, "Schedule, noise and number of steps");
  const plan = choice(
    pace.body,
    { label: "Learning-rate schedule", options: [{ value: NONE, label: "None" }, ...options(mathematics.SCHEDULES)], value: NONE },
    (name) => change({ schedule: name === NONE ? null : { name, hyper: {} } }, true),
  );
  const planSliders = element(document, "div", { class: "ok-panel" });
  pace.body.append(planSliders);
  const planHyper = hyperControls(planSliders, "Settings of the schedule", (name, value, final) => {
    change({ schedule: { ...state.schedule, hyper: { ...state.schedule.hyper, [name]: value } } }, final);
  });
  const paceSliders = element(document, "div", { class: "ok-panel" });
  pace.body.append(paceSliders);
  const put = (options, name) => slider(paceSliders, { value: options.min, ...options }, (value, final) => change({ [name]: value }, final));
  const rest = {
    steps: put({ label: "number of steps", scale: "log", integer: true, min: 1, max: MOST_STEPS }, "steps"),
    noise: put({ label: "gradient noise of one example", symbol: ["mi", "σ"], min: 0, max: 10, description: "Standard deviation in each coordinate." }, "noise"),
    batch: put({ label: "batch size", symbol: ["mi", "m"], scale: "log", integer: true, min: 1, max: 4096, description: "The noise of a batch is σ/√m." }, "batch_size"),
    seed: put({ label: "seed of the noise", integer: true, min: 0, max: 99 }, "seed"),
  };

  return {
    about,
    pace,
    update(now) {
      state = now;
      const on = now.rules.map((name) => mathematics.RULES[name]);
      selected.update({ options: options(null, on), value: now.selected, disabled: on.length === 0 });
      const entry = mathematics.RULES[now.selected];
      rule.hidden = !entry;
      if (entry) ruleHyper.update(entry, valuesOf(entry, now.hyper[now.selected]));
      const place = mathematics.PROBLEMS[now.problem];
      problem.update({ value: now.problem });
      write(said, place.description);
      problemHyper.update(place, valuesOf(place, now.problem_hyper));
      coordinates.forEach((control, i) => {
        const [low, high] = place.window[i];
        const value = now.start[i];
        control.update({ value, min: Math.min(low, value), max: Math.max(high, value) });
      });
      plan.update({ value: now.schedule?.name ?? NONE });
      planSliders.hidden = now.schedule === null;
      if (now.schedule) {
        const family = mathematics.SCHEDULES[now.schedule.name];
        planHyper.update(family, valuesOf(family, now.schedule.hyper));
      }
      rest.noise.update({ value: now.noise, max: Math.max(10, now.noise) });
      rest.seed.update({ value: now.seed, max: Math.max(99, now.seed) });
      rest.steps.update({ value: now.steps });
      rest.batch.update({ value: now.batch_size, max: Math.max(4096, now.batch_size) });
    },
  };
}

function valuesOf(entry, given = {}) {
  return Object.fromEntries(entry.hyper.map(({ name, default: value }) => [name, given[name] ?? value]));
}
