// The formula of the chosen rule, line by line, with the numbers of one step put in.

import { digits, mathematics } from "./notation.js";

/** What a step did to one coordinate: [{left, right, depth, values, result}, …] or [{if, …}]. Free of the DOM. */
export function account(rule, path, step, coordinate) {
  const { dim, hyper } = path;
  if (!rule.trace || step < 1 || step > path.steps) return [];
  const at = (step - 1) * dim + coordinate;
  const g = path.gradients[at];
  if (Number.isNaN(path.theta[at]) || Number.isNaN(g)) return [];
  const lines = [];
  if (rule.climbTrace) {
    const first = (step - 1) * dim;
    let squares = 0;
    for (let i = 0; i < dim; i++) squares += path.clean[first + i] ** 2;
    const given = { rho: hyper.rho, eps: 1e-12, grad_norm: Math.sqrt(squares) };
    add(lines, rule.climbLines, rule.climbTrace(path.theta[at], path.clean[at], step, given));
  }
  const state = path.states.map((values) => values[at]);
  const now = "lr" in hyper ? { ...hyper, lr: path.rates[step - 1] } : hyper;
  add(lines, rule.lines, rule.trace(path.theta[at], g, ...state, step, now));
  return lines;
}

function add(lines, texts, trace) {
  for (const [index, values, result] of trace) lines.push({ ...texts[index], values, result });
}

/** A table of the lines: symbols on the left, this step's numbers on the right. */
export function createFormula(parent) {
  const { ownerDocument: document } = parent;
  const list = document.createElement("ol");
  list.className = "ok-lines";
  parent.append(list);
  const row = (line) => {
    const item = document.createElement("li");
    item.style.setProperty("--depth", line.depth ?? 0);
    const symbols = document.createElement("span");
    symbols.className = "ok-symbols";
    const numbers = document.createElement("span");
    numbers.className = "ok-numbers";
    if (line.if) {
      symbols.append("if ", mathematics(document, line.if), ":");
      numbers.append(mathematics(document, line.if, line.values), line.result ? " — yes" : " — no");
    } else {
      symbols.append(mathematics(document, ["mrow", line.left, ["mo", "="], line.right]));
      const filled = mathematics(document, ["mrow", ["mo", "="], line.right], line.values);
      numbers.append(filled, " ", mathematics(document, ["mrow", ["mo", "="], ["mn", digits(line.result)]]));
    }
    item.append(symbols, numbers);
    return item;
  };
  return {
    element: list,
    update(lines) {
      list.replaceChildren(...lines.map(row));
    },
  };
}
