// Says to a screen reader what has changed, once the reader's hand rests.

import { element } from "./controls.js";

const REST = 700; // milliseconds without a further change

export function announcer(parent) {
  const document = parent.ownerDocument;
  const region = element(document, "div", { class: "ok-hidden", role: "status", "aria-live": "polite" });
  parent.append(region);
  let waiting = null;
  return (text) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      if (region.textContent !== text) region.textContent = text;
    }, REST);
  };
}
