// What stands below every figure: undo, reset, a link to what is shown, and the Python that makes it.

import { buttons, element } from "./controls.js";

const FADE = 2000; // milliseconds for which it is said that something was copied

/** undo(), reset(); link() -> address, or null where no address leads to a figure; python() -> the text of a cell. */
export function createTools(parent, { undo, reset, link, python }) {
  const { ownerDocument: document } = parent;
  const { navigator } = document.defaultView;
  const tools = element(document, "div", { class: "ok-tools" });
  parent.append(tools);
  const row = buttons(tools, { label: "Tools" }, [
    { name: "undo", label: "Undo", text: "Undo", icon: "undo", onclick: undo },
    { name: "reset", label: "Reset", text: "Reset", icon: "reset", onclick: reset },
    ...(link ? [{ name: "link", label: "Copy a link to this state", text: "Link", icon: "link", onclick: () => copy(link(), "Link copied") }] : []),
    { name: "copy", label: "Copy the Python cell that makes this figure", text: "Copy as Python", icon: "copy",
      onclick: () => copy(python(), "Python copied") },
  ]);
  const note = element(document, "p", { class: "ok-hint ok-copied", "aria-live": "polite" });
  const text = element(document, "textarea", { class: "ok-text", readonly: true, rows: 4, "aria-label": "Text to copy", hidden: true });
  tools.append(note, text);
  let fading = null;

  async function copy(content, done) {
    let copied = false;
    try {
      await navigator.clipboard.writeText(content);
      copied = true;
    } catch {
      // No clipboard here (no permission, or an unsafe address): the text is shown to be copied by hand.
      text.hidden = false;
      text.value = content;
      text.select();
    }
    if (copied) text.hidden = true;
    note.textContent = copied ? done : "Copy the text below:";
    clearTimeout(fading);
    if (copied) fading = setTimeout(() => { note.textContent = ""; }, FADE);
  }

  return {
    /** Which of undo and reset have nothing to do. */
    update(disabled) {
      for (const [name, value] of Object.entries(disabled)) row.update(name, { disabled: value });
    },
  };
}
