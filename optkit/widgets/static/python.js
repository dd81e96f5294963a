// A playground's state as the Python cell that makes it. Free of the DOM.

const INDENT = "    ";

/** The text of a cell. Only what differs from what Playground would choose itself is named. */
export function asPython(mathematics, state) {
  const problem = mathematics.PROBLEMS[state.problem];
  const lines = [
    `problem=${text(state.problem)}`,
    `rules=[${state.rules.map(text).join(", ")}]`,
    `start=${tuple(state.start)}`,
  ];
  const own = changed(state.problem_hyper, problem);
  if (own) lines.push(`problem_hyper=${own}`);
  const hyper = state.rules
    .map((name) => [name, changed(state.hyper[name], mathematics.RULES[name])])
    .filter(([, values]) => values);
  if (hyper.length) {
    const entries = hyper.map(([name, values]) => `${INDENT}${INDENT}${text(name)}: ${values},\n`);
    lines.push(`hyper={\n${entries.join("")}${INDENT}}`);
  }
  const imports = ["from optkit.widgets import Playground"];
  if (state.schedule) {
    imports.unshift(`from optkit.schedules import ${state.schedule.name}`);
    const values = Object.entries(state.schedule.hyper).map(([name, value]) => `${name}=${number(value)}`);
    lines.push(`schedule=${state.schedule.name}(${values.join(", ")})`);
  }
  if (state.noise !== problem.noise) lines.push(`noise=${number(state.noise)}`);
  if (state.batch_size !== 1) lines.push(`batch_size=${number(state.batch_size)}`);
  if (state.seed !== 0) lines.push(`seed=${number(state.seed)}`);
  lines.push(`steps=${number(state.steps)}`);
  if (state.step !== state.steps) lines.push(`step=${number(state.step)}`);
  if (state.selected !== state.rules[0]) lines.push(`selected=${text(state.selected)}`);
  const given = lines.map((line) => `${INDENT}${line},\n`);
  return `${imports.join("\n")}\n\nPlayground(\n${given.join("")})\n`;
}

function changed(values, entry) {
  const pieces = entry.hyper
    .filter(({ name, default: value }) => values && Object.hasOwn(values, name) && values[name] !== value)
    .map(({ name }) => `${text(name)}: ${number(values[name])}`);
  return pieces.length ? `{${pieces.join(", ")}}` : "";
}

function text(word) {
  return JSON.stringify(word);
}

function tuple(values) {
  return `(${values.map(number).join(", ")}${values.length === 1 ? "," : ""})`;
}

function number(value) {
  if (typeof value === "boolean") return value ? "True" : "False";
  return String(value);
}
