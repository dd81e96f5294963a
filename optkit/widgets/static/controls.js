// Sliders, choices, toggles and buttons: real form elements, labelled by nesting, without a single id.

import { ICONS } from "./icons.js";
import { markerPath, dashOf } from "./marks.js";
import { format as plain } from "./ticks.js";
import { mathematics } from "./notation.js";

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === false || value === null || value === undefined) continue;
    node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children);
  return node;
}

export function element(document, tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function svgElement(document, tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

// "ρ_1" as an italic letter with an index; several symbols are parted by spaces.
export function symbolText(node, symbol) {
  const document = node.ownerDocument;
  node.replaceChildren();
  symbol.split(" ").forEach((part, place) => {
    if (place) node.append(" ");
    const [letter, index] = part.split("_");
    const mark = /^[\p{L}]$/u.test(letter) ? "i" : "span";
    node.append(element(document, mark, {}, letter));
    if (index) node.append(element(document, "sub", {}, index));
  });
}

/** Put a text into a node, or leave the node alone: a text that is written again is laid out again. */
export function write(node, text) {
  if (node.textContent === text) return;
  if (node.firstChild?.nodeType === 3 && node.childNodes.length === 1) node.firstChild.data = text;
  else node.textContent = text;
}

/** Set a property of a form element where it differs. */
function put(node, name, value) {
  if (node[name] !== value) node[name] = value;
}

function drawSymbol(node, symbol) {
  if (symbol === null || symbol === undefined) node.replaceChildren();
  else if (typeof symbol === "string") symbolText(node, symbol);
  else node.replaceChildren(mathematics(node.ownerDocument, symbol));
}

// A named group of controls.
export function field(parent, legend) {
  const document = parent.ownerDocument;
  const group = element(document, "div", { class: "ok-field", role: "group", "aria-label": legend });
  parent.append(group);
  return group;
}

const FINE = 1000; // positions of a slider's handle
const WAYS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 };

function rounded(value) {
  return Number(value.toPrecision(3));
}

// The value is printed beside its label in the course's symbol; a screen reader hears name and value.
export function slider(parent, options, oninput) {
  const document = parent.ownerDocument;
  const given = { scale: "linear", integer: false, description: "", symbol: null, format: plain, ...options };
  const name = element(document, "span", { class: "ok-name" });
  const sign = element(document, "span", { class: "ok-symbol", "aria-hidden": "true" });
  const shown = element(document, "output", { class: "ok-value", "aria-hidden": "true" });
  const input = element(document, "input", {
    type: "range", class: "ok-range", step: 1, "aria-description": given.description || null,
  });
  const label = element(
    document, "label", { class: "ok-slider", title: given.description || null },
    element(document, "span", { class: "ok-caption" }, name, sign, shown), input,
  );
  parent.append(label);
  let value = given.value;
  let [named, drawnSymbol, filled] = [null, null, null]; // what is shown now
  let written = false; // the handle's own rounding must not change a value that was set from outside

  const whole = () => given.integer && given.scale === "linear";
  // To the straight line on which the handle runs, and back.
  const bend = (number) => {
    if (given.scale === "log") return Math.log10(number);
    return given.scale === "complement" ? Math.log10(1 - number) : number;
  };
  const unbend = (place) => {
    if (given.scale === "log") return rounded(Math.pow(10, place));
    if (given.scale === "complement") return Number((1 - rounded(Math.pow(10, place))).toFixed(12));
    // As many decimals as a slider of this length can tell apart: 0.9, not 0.8999999.
    const digit = Math.floor(Math.log10((given.max - given.min) / FINE));
    return Number(place.toFixed(Math.min(20, Math.max(0, -digit))));
  };
  const toPlace = (number) => {
    if (whole()) return number;
    const [low, high] = [bend(given.min), bend(given.max)];
    return Math.round(FINE * Math.min(1, Math.max(0, (bend(number) - low) / (high - low))));
  };
  const fromPlace = (place) => {
    if (whole()) return Math.round(place);
    if (place <= 0) return given.min;
    if (place >= FINE) return given.max;
    const [low, high] = [bend(given.min), bend(given.max)];
    const raw = unbend(low + (place / FINE) * (high - low));
    return Math.min(given.max, Math.max(given.min, given.integer ? Math.round(raw) : raw));
  };
  const show = () => {
    const text = given.format(value);
    write(shown, `${given.symbol ? "= " : ""}${text}`);
    if (input.getAttribute("aria-valuetext") !== text) input.setAttribute("aria-valuetext", text);
    const place = Number(input.value);
    const share = `${((100 * (place - Number(input.min))) / (Number(input.max) - Number(input.min) || 1)).toFixed(1)}%`;
    if (share !== filled) input.style.setProperty("--ok-share", (filled = share));
  };
  const draw = () => {
    if (named !== given.label) {
      named = given.label;
      name.textContent = named;
      input.setAttribute("aria-label", named);
    }
    if (drawnSymbol !== given.symbol) drawSymbol(sign, (drawnSymbol = given.symbol));
    put(input, "min", String(whole() ? given.min : 0));
    put(input, "max", String(whole() ? given.max : FINE));
    put(input, "value", String(toPlace(value)));
    put(input, "disabled", Boolean(given.disabled));
    show();
  };
  const changed = (final) => {
    if (!final || written) {
      value = fromPlace(Number(input.value));
      written = !final;
    }
    show();
    oninput(value, final);
  };
  input.addEventListener("input", () => {
    written = true;
    changed(false);
  });
  input.addEventListener("change", () => changed(true));
  input.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const way = WAYS[event.key];
    if (!way) return;
    event.preventDefault();
    const [low, high] = [Number(input.min), Number(input.max)];
    const fine = event.shiftKey || whole() ? 1 : FINE / 200;
    const stride = Math.abs(way) > 1 ? Math.max(1, Math.round((high - low) / 10)) : fine;
    // Whole numbers on a logarithmic scale lie far apart at its low end: go on until the value changes.
    let place = Number(input.value);
    do place += Math.sign(way) * stride;
    while (place > low && place < high && fromPlace(place) === value);
    input.value = place;
    written = true;
    changed(true);
  });
  draw();
  return {
    element: label,
    input,
    get value() {
      return value;
    },
    update(changes) {
      Object.assign(given, changes);
      if ("value" in changes) {
        if (changes.value === value && Object.keys(changes).length === 1) return;
        value = changes.value;
      }
      draw();
    },
  };
}

export function choice(parent, options, onchange) {
  const document = parent.ownerDocument;
  const select = element(document, "select", { class: "ok-select" });
  const name = element(document, "span", { class: "ok-name" }, options.label);
  const label = element(document, "label", { class: "ok-choice" }, name, select);
  parent.append(label);
  const draw = (entries) => {
    select.replaceChildren();
    const groups = new Map();
    for (const { value, label: text, group } of entries) {
      let into = select;
      if (group) {
        if (!groups.has(group)) {
          groups.set(group, element(document, "optgroup", { label: group }));
          select.append(groups.get(group));
        }
        into = groups.get(group);
      }
      into.append(element(document, "option", { value }, text));
    }
  };
  let offered = JSON.stringify(options.options);
  draw(options.options);
  select.value = options.value;
  select.addEventListener("change", () => onchange(select.value));
  return {
    element: label,
    update(changes) {
      const before = select.value;
      const now = changes.options && JSON.stringify(changes.options);
      if (now && now !== offered) {
        offered = now;
        draw(changes.options);
        select.value = before;
      }
      if ("value" in changes) put(select, "value", changes.value);
      if ("disabled" in changes) put(select, "disabled", changes.disabled);
    },
  };
}

// A line's look in small: its dash, its colour (light and dark), its marker.
export function swatch(document, face, { markers = true, line: lined = true } = {}) {
  const width = 2.2;
  const line = svgElement(document, "path", {
    d: "M1 8H29", class: "ok-swatch-line", "stroke-width": width,
    "stroke-dasharray": dashOf(face.dash, width).join(" ") || null,
  });
  const icon = svgElement(
    document, "svg",
    { class: "ok-swatch", viewBox: "0 0 30 16", width: 30, height: 16, "aria-hidden": "true" },
  );
  if (lined) icon.append(line);
  if (markers && face.marker) {
    const mark = svgElement(document, "path", { d: markerPath(face.marker, 9), class: "ok-swatch-mark" });
    mark.setAttribute("transform", "translate(15 8)");
    icon.append(mark);
  }
  icon.style.setProperty("--ok-light", face.colour);
  icon.style.setProperty("--ok-dark", face.dark ?? face.colour);
  return icon;
}

export function toggle(parent, options, onchange) {
  const document = parent.ownerDocument;
  const input = element(document, "input", { type: "checkbox", class: "ok-check" });
  const name = element(document, "span", { class: "ok-name" }, options.label);
  const label = element(document, "label", { class: "ok-toggle", title: options.description || null }, input);
  if (options.face) label.append(swatch(document, options.face));
  label.append(name);
  if (options.description) input.setAttribute("aria-description", options.description);
  parent.append(label);
  input.checked = Boolean(options.value);
  input.addEventListener("change", () => onchange(input.checked));
  return {
    element: label,
    input,
    update(changes) {
      if ("value" in changes) put(input, "checked", Boolean(changes.value));
      if ("label" in changes) name.textContent = changes.label;
      if ("disabled" in changes) input.disabled = changes.disabled;
    },
  };
}

export function buttons(parent, { label }, entries) {
  const document = parent.ownerDocument;
  const row = element(document, "div", { class: "ok-buttons", role: "group", "aria-label": label });
  const made = new Map();
  const drawIcon = (icon) =>
    svgElement(
      document, "svg", { class: "ok-icon", viewBox: "0 0 20 20", width: 18, height: 18, "aria-hidden": "true" },
      svgElement(document, "path", { d: ICONS[icon], "fill-rule": "evenodd" }),
    );
  for (const entry of entries) {
    const button = element(document, "button", { type: "button", class: "ok-button", title: entry.label });
    const draw = () => {
      button.replaceChildren();
      if (entry.icon) button.append(drawIcon(entry.icon));
      if (entry.text) button.append(element(document, "span", {}, entry.text));
      button.title = entry.label;
      // The visible text is the name, so that who speaks to the machine can say what is read.
      if (entry.text) button.removeAttribute("aria-label");
      else button.setAttribute("aria-label", entry.label);
      button.disabled = Boolean(entry.disabled);
      if (entry.pressed !== undefined) button.setAttribute("aria-pressed", String(Boolean(entry.pressed)));
    };
    draw();
    button.addEventListener("click", () => entry.onclick());
    row.append(button);
    made.set(entry.name, { entry, draw, button });
  }
  parent.append(row);
  return {
    element: row,
    update(name, changes) {
      const { entry, draw, button } = made.get(name);
      if (Object.entries(changes).every(([key, value]) => entry[key] === value)) return;
      const iconChanges = "icon" in changes || "text" in changes || "label" in changes;
      Object.assign(entry, changes);
      if (iconChanges) draw();
      button.disabled = Boolean(entry.disabled);
      if (entry.pressed !== undefined) button.setAttribute("aria-pressed", String(Boolean(entry.pressed)));
    },
  };
}

export function details(parent, summary) {
  const document = parent.ownerDocument;
  const body = element(document, "div", { class: "ok-details-body" });
  const node = element(
    document, "details", { class: "ok-details" }, element(document, "summary", {}, summary), body,
  );
  parent.append(node);
  return { element: node, body };
}

// What the lines are, as a list beside or under a plot. entries: [{label, face, note?, markers?, line?}].
export function legend(parent, entries = []) {
  const document = parent.ownerDocument;
  const list = element(document, "ul", { class: "ok-legend" });
  parent.append(list);
  const update = (lines) => {
    list.replaceChildren(
      ...lines.map(({ label, face, note, markers, line }) => {
        const item = element(document, "li", {}, swatch(document, face, { markers, line }));
        const text = element(document, "span", {}, label);
        if (note) text.append(element(document, "span", { class: "ok-note" }, ` ${note}`));
        item.append(text);
        return item;
      }),
    );
  };
  update(entries);
  return { element: list, update };
}
