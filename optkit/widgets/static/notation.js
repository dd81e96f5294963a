// Trees of optkit.translation.mathml as MathML elements: with symbols, or with numbers in their place.

import { format } from "./ticks.js";

const MATHML = "http://www.w3.org/1998/Math/MathML";
const TAGS = new Set("math mi mn mo mrow msub msup msubsup mfrac msqrt mover mtext mspace".split(" "));

/** The <math> element of a tree. values: name → number, to stand where the tree has that name. */
export function mathematics(document, tree, values = null) {
  const math = document.createElementNS(MATHML, "math");
  math.append(build(document, tree, values, true));
  return math;
}

/** A number as formulas show it: four digits, a true minus, powers of ten. */
export function digits(value) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "—" : value > 0 ? "∞" : "−∞";
  return format(Number(value.toPrecision(4)));
}

/** A tree as plain words, for labels that are read aloud. */
export function words(tree) {
  if (typeof tree === "string") return tree;
  if (tree[0] === "slot") return words(tree[2]);
  return tree.slice(1).map(words).join("");
}

const isSign = (tree, sign) => Array.isArray(tree) && tree[0] === "mo" && tree[1] === sign;

/** leads: whether nothing stands before it, so that a minus needs no bracket. */
function build(document, tree, values, leads) {
  const make = (tag, ...children) => {
    const node = document.createElementNS(MATHML, tag);
    node.append(...children);
    return node;
  };
  if (typeof tree === "string") return document.createTextNode(tree);
  const [tag, ...rest] = tree;
  if (tag === "slot") {
    const [name, symbol] = rest;
    if (values === null || !Object.hasOwn(values, name)) return build(document, symbol, values, leads);
    const number = make("mn", digits(values[name]));
    const bare = leads || !number.textContent.startsWith("−");
    return bare ? number : make("mrow", make("mo", "("), number, make("mo", ")"));
  }
  if (tag === "times") return values === null ? make("mspace") : make("mo", "·");
  if (!TAGS.has(tag)) throw new Error(`no such tag of formulas: ${tag}`);
  const within = (index) => {
    if (tag !== "mrow") return tag !== "msup" && tag !== "msub";
    const before = rest[index - 1];
    return index === 0 ? leads : isSign(before, "=") || isSign(before, "(") || isSign(before, ",");
  };
  return make(tag, ...rest.map((child, index) => build(document, child, values, within(index))));
}
