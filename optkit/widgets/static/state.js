// The whole state of a figure as one plain object: checked and clamped, in a link and out of one, undone.
// Free of the DOM. Nothing that comes in is trusted: what is unknown falls away, what is out of range is moved
// to the nearest value in range, and only numbers, flags and known names come out.

export const MOST_STEPS = 5000;
const LONGEST = 4000; // characters of a link's state
const FARTHEST = 1e6; // of a start, and of a hyper-parameter without an end
const WORD = /^[A-Za-z][A-Za-z0-9_]{0,60}$/;

/** The state of a playground of which nothing is said. */
export function initial(mathematics) {
  const problem = Object.keys(mathematics.PROBLEMS)[0];
  return {
    problem,
    problem_hyper: {},
    start: [...mathematics.PROBLEMS[problem].start],
    rules: ["gradient_descent"],
    hyper: {},
    schedule: null,
    noise: mathematics.PROBLEMS[problem].noise,
    batch_size: 1,
    seed: 0,
    steps: 100,
    step: 100,
    selected: "gradient_descent",
  };
}

/** A clean state: what is right in `given`, and what `fallback` says for the rest. */
export function check(mathematics, given, fallback = initial(mathematics)) {
  const from = isObject(given) ? given : {};
  const problem = known(mathematics.PROBLEMS, from.problem) ? from.problem : fallback.problem;
  const entry = mathematics.PROBLEMS[problem];
  const same = problem === fallback.problem;
  const rules = Array.isArray(from.rules)
    ? [...new Set(from.rules.slice(0, 40).filter((name) => known(mathematics.RULES, name)))]
    : [...fallback.rules];
  const steps = whole(from.steps, 1, MOST_STEPS, fallback.steps);
  const hyper = {};
  for (const name of Object.keys(mathematics.RULES)) {
    const values = own(from.hyper, name) ?? own(fallback.hyper, name);
    const clean = hypers(mathematics.RULES[name], values, own(fallback.hyper, name));
    if (Object.keys(clean).length) hyper[name] = clean;
  }
  return {
    problem,
    problem_hyper: hypers(entry, from.problem_hyper ?? (same ? fallback.problem_hyper : {}), {}),
    start: point(from.start, same ? fallback.start : entry.start, entry.dim),
    rules,
    hyper,
    schedule: plan(mathematics, from.schedule === undefined ? fallback.schedule : from.schedule),
    noise: number(from.noise, 0, 1000, same ? fallback.noise : entry.noise),
    batch_size: whole(from.batch_size, 1, 65536, fallback.batch_size),
    seed: whole(from.seed, 0, 4294967295, fallback.seed),
    steps,
    step: whole(from.step, 0, steps, Math.min(fallback.step, steps)),
    selected: selected(rules, from.selected, fallback.selected),
  };
}

/** The settings of a small figure: what is right in `given`, and what `fallback` says for the rest. */
export function settings(allowed, given, fallback) {
  const from = isObject(given) ? given : {};
  const clean = {};
  for (const [name, rule] of Object.entries(allowed)) {
    const value = Object.hasOwn(from, name) ? from[name] : undefined;
    if (rule.names) clean[name] = rule.names.includes(value) ? value : fallback[name];
    else clean[name] = rule.dim ? point(value, fallback[name], rule.dim) : clamp(rule, value, fallback[name]);
  }
  return clean;
}

/** The state as the text of a link. */
export function encode(state) {
  return encodeURIComponent(JSON.stringify(state));
}

/** What a link's text says, unchecked; null if it says nothing. */
export function decode(text) {
  if (typeof text !== "string" || text.length === 0 || text.length > LONGEST) return null;
  try {
    const found = JSON.parse(decodeURIComponent(text));
    return isObject(found) ? found : null;
  } catch {
    return null;
  }
}

/** A value moved into the range of its hyper-parameter; the fallback if it is none. */
export function clamp(hyper, value, fallback = hyper.default) {
  if (hyper.flag) return typeof value === "boolean" ? value : fallback;
  let low = hyper.low ?? -FARTHEST;
  let high = hyper.high ?? FARTHEST;
  if (hyper.lowOpen && hyper.low !== null) low += 1e-9;
  if (hyper.highOpen && hyper.high !== null) high -= 1e-9;
  return hyper.integer ? whole(value, Math.ceil(low), Math.floor(high), fallback) : number(value, low, high, fallback);
}

/** Steps back: `put` a state after each change, `back` for the one before. */
export function history(first, most = 100) {
  const past = [structured(first)];
  return {
    put(state) {
      if (JSON.stringify(state) === JSON.stringify(past.at(-1))) return;
      past.push(structured(state));
      if (past.length > most) past.shift();
    },
    back() {
      if (past.length > 1) past.pop();
      return structured(past.at(-1));
    },
    get canGoBack() {
      return past.length > 1;
    },
  };
}

function structured(value) {
  return JSON.parse(JSON.stringify(value));
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function own(table, name) {
  return isObject(table) && Object.hasOwn(table, name) && isObject(table[name]) ? table[name] : undefined;
}

function known(table, name) {
  return typeof name === "string" && WORD.test(name) && Object.hasOwn(table, name);
}

function number(value, low, high, fallback) {
  return typeof value === "number" && Number.isFinite(value) ? Math.min(high, Math.max(low, value)) : fallback;
}

function whole(value, low, high, fallback) {
  return Math.round(number(value, low, high, fallback));
}

function point(value, fallback, dim) {
  const given = Array.isArray(value) ? value : [];
  return Array.from({ length: dim }, (_, i) => number(given[i], -FARTHEST, FARTHEST, fallback[i] ?? 0));
}

function hypers(entry, values, fallback = {}) {
  const clean = {};
  for (const hyper of entry.hyper) {
    if (isObject(values) && Object.hasOwn(values, hyper.name)) {
      clean[hyper.name] = clamp(hyper, values[hyper.name], fallback[hyper.name] ?? hyper.default);
    } else if (isObject(fallback) && Object.hasOwn(fallback, hyper.name)) clean[hyper.name] = fallback[hyper.name];
  }
  return clean;
}

function plan(mathematics, value) {
  if (!isObject(value) || !known(mathematics.SCHEDULES, value.name)) return null;
  return { name: value.name, hyper: hypers(mathematics.SCHEDULES[value.name], value.hyper) };
}

function selected(rules, wanted, fallback) {
  if (rules.includes(wanted)) return wanted;
  return rules.includes(fallback) ? fallback : (rules[0] ?? "");
}
