// What the small figures share: their state, their controls, their numbers, and the tools below them.

import { choice, element, field, legend, slider, svgElement, toggle, write } from "./controls.js";
import { announcer } from "./announce.js";
import { encode, history, settings } from "./state.js";
import { createTools } from "./tools.js";

// parts: {
//   controls: [{kind: "slider" | "choice" | "toggle", key, …as in controls.js}],
//   build(shell): makes the plots in shell.stage, once;
//   draw(shell, state): computes and draws; may call shell.facts([[name, value], …]) and shell.lines([…]);
//   said(state): one sentence for those who do not see it;
// }
// config: {state: {…}, initial: {…}, allowed: {…}, python: class name, linked: a state from a link, …}
export function relative(root, config, host, parts) {
  const document = root.ownerDocument;
  const view = document.defaultView;
  const body = element(document, "div", { class: "ok-relative" });
  root.append(body);
  const stage = element(document, "div", { class: "ok-stage" });
  const numbers = element(document, "dl", { class: "ok-facts" });
  body.append(stage);
  const lines = legend(body);
  body.append(numbers);
  const panel = element(document, "div", { class: "ok-panel" });
  body.append(panel);
  const say = announcer(body);
  const clean = (given, fallback) => settings(config.allowed, given, fallback);
  const first = clean(config.state, config.initial);
  const state = clean(config.linked, first);
  const past = history(first);
  past.put(state);
  const plots = [];
  const controls = new Map();
  let waiting = 0;

  const shell = {
    document, view, body, stage, panel, state, config, say, plots,
    plot(made) {
      plots.push(made);
      made.onresize = () => redraw();
      return made;
    },
    facts(pairs) {
      // The nodes stay and only their texts change: an assistive reader keeps its place.
      while (numbers.children.length < pairs.length) {
        numbers.append(element(document, "div", {}, element(document, "dt"), element(document, "dd")));
      }
      [...numbers.children].forEach((row, place) => {
        row.hidden = place >= pairs.length;
        if (row.hidden) return;
        pairs[place].forEach((text, column) => write(row.children[column], text));
      });
    },
    lines: lastOf((entries) => lines.update(entries)),
    change(changes, final = true, remember = true) {
      Object.assign(state, changes);
      for (const [key, value] of Object.entries(changes)) controls.get(key)?.update({ value });
      if (final && remember) past.put(state);
      redraw();
      host?.change?.({ ...state }, final);
      if (final && parts.said) say(parts.said(state));
    },
    redraw,
  };

  const groups = new Map();
  const groupOf = (name) => {
    if (!groups.has(name)) {
      const group = field(panel, name);
      group.className = "ok-toggles";
      groups.set(name, group);
    }
    return groups.get(name);
  };
  for (const { kind, key, into, ...options } of parts.controls(config, state)) {
    const parent = into ? groupOf(into) : panel;
    const made = { slider, choice, toggle }[kind](
      parent, { ...options, value: state[key] },
      (value, final = true) => shell.change({ [key]: value }, final),
    );
    controls.set(key, made);
  }
  shell.controls = controls;
  parts.build(shell);

  const tools = createTools(body, {
    undo: () => shell.change(past.back(), true, false),
    reset: () => shell.change(first),
    link: host?.link && (() => host.link(encode(state))),
    python: () => pythonOf(config.python, state, config.initial),
  });

  // Many events may come before the next picture: they are drawn once.
  function redraw() {
    if (waiting) return;
    waiting = view.requestAnimationFrame(() => {
      waiting = 0;
      drawNow();
    });
  }
  function drawNow() {
    parts.draw(shell, state);
    tools.update({ undo: !past.canGoBack, reset: equal(state, first) });
  }
  drawNow();

  return {
    state,
    /** Take over a state, or a part of one, from outside. */
    update(next) {
      Object.assign(state, clean(next, state));
      past.put(state);
      for (const [key, control] of controls) control.update({ value: state[key] });
      redraw();
    },
    refresh() {
      for (const made of plots) made.refresh();
      redraw();
    },
    destroy() {
      view.cancelAnimationFrame(waiting);
      parts.destroy?.(shell);
      for (const made of plots) made.destroy();
      body.remove();
    },
  };
}

// Pass a value on only where it differs from the last one.
function lastOf(show) {
  let last = "";
  return (value) => {
    const now = JSON.stringify(value);
    if (now === last) return;
    last = now;
    show(value);
  };
}

function equal(a, b) {
  return JSON.stringify(a) === JSON.stringify(b);
}

function literal(value) {
  if (value === true) return "True";
  if (value === false) return "False";
  if (value === null) return "None";
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (typeof value === "object") {
    const pairs = Object.entries(value).map(([key, each]) => JSON.stringify(key) + ": " + literal(each));
    return `{${pairs.join(", ")}}`;
  }
  return JSON.stringify(value);
}

// The cell that makes this figure: only what differs from the class's own defaults is named.
export function pythonOf(name, state, initial) {
  const given = Object.keys(initial)
    .filter((key) => !equal(state[key], initial[key]))
    .map((key) => `${key}=${literal(state[key])}`);
  return `from optkit.widgets import ${name}\n\n${name}(${given.join(", ")})\n`;
}

// A point to drag along the picture, or to move by the arrow keys; Shift makes the steps small.
// options: {plot, label, at(): [x, y], text(): what is said, move(x, y, final), step: [dx, dy] of one key press}
export function handle(shell, { plot, label, at, text, move, step, axes = "xy" }) {
  const document = shell.document;
  const make = (tag, attributes) => svgElement(document, tag, attributes);
  const group = make("g", {
    class: "ok-handle", tabindex: 0, role: "slider", "aria-label": label,
    "aria-description": "Arrow keys move it, with Shift in small steps.",
  });
  group.append(make("circle", { class: "ok-halo", r: 22 }), make("circle", { class: "ok-knob", r: 8 }));
  plot.overlay.append(group);
  let held = null;
  group.addEventListener("pointerdown", (event) => {
    held = event.pointerId;
    group.setPointerCapture(held);
    event.preventDefault();
    group.focus({ preventScroll: true });
  });
  group.addEventListener("pointermove", (event) => {
    if (event.pointerId === held) move(...plot.position(event), false);
  });
  const release = (event) => {
    if (event.pointerId !== held) return;
    held = null;
    move(...at(), true);
  };
  group.addEventListener("pointerup", release);
  group.addEventListener("pointercancel", release);
  group.addEventListener("keydown", (event) => {
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    let way = ways[event.key];
    if (!way || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    if (axes === "x") way = [way[0] + way[1], 0];
    const size = event.shiftKey ? 0.1 : 1;
    const [x, y] = at();
    const [dx, dy] = step();
    move(x + way[0] * dx * size, y + way[1] * dy * size, true);
  });
  return {
    element: group,
    draw(low, high, now) {
      const [x, y] = at();
      const px = Math.min(plot.width, Math.max(0, plot.x.map(x)));
      const py = Math.min(plot.height, Math.max(0, plot.y.map(y)));
      group.setAttribute("transform", `translate(${px.toFixed(2)} ${py.toFixed(2)})`);
      group.setAttribute("aria-valuetext", text());
      group.setAttribute("aria-valuemin", low);
      group.setAttribute("aria-valuemax", high);
      group.setAttribute("aria-valuenow", now);
    },
  };
}
