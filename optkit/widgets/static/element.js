// The two ways in: a custom element for a page, a widget for a notebook. Both draw into a shadow root.

import { FACES, FORMULAS, PROBLEMS, RULES, SCHEDULES, SERIES } from "./mathematics.js";
import { KINDS } from "./kinds.js";
import { decode } from "./state.js";
import { STYLE } from "./style.js";

const NAME = "optkit-playground";
const LINK = /^#optkit-(\d{1,3})=(.*)$/s;
const COMMON = { RULES, PROBLEMS, SCHEDULES, FORMULAS, FACES, SERIES };

/** The mathematics of one figure: everybody's, and what its author has added. */
function tables(extra) {
  if (!extra) return COMMON;
  // The author's own rules and problems, generated when the page or the notebook was made. A link never gets here.
  const own = new Function(`return ${extra}`)();
  const both = { ...COMMON };
  for (const name of Object.keys(own)) both[name] = { ...COMMON[name], ...own[name] };
  return both;
}

/** Draw a figure into an element's shadow root. Returns {update, destroy, …} of its kind. */
function open(element, { kind, config, extra }, host) {
  const root = element.shadowRoot ?? element.attachShadow({ mode: "open" });
  const { ownerDocument: document } = element;
  const style = document.createElement("style");
  style.textContent = STYLE;
  const body = document.createElement("div");
  body.className = "ok-root";
  // On paper stands the printed figure, which is the element's own content.
  root.replaceChildren(style, body, document.createElement("slot"));
  const forget = watchTheme(element, () => figure?.refresh?.());
  const figure = KINDS[kind](body, config, host, tables(extra));
  return {
    ...figure,
    get state() {
      return figure.state;
    },
    destroy() {
      forget();
      figure.destroy();
    },
  };
}

/** Keep the attribute data-dark in step with the page, whatever page it is. */
function watchTheme(element, changed) {
  const { ownerDocument: document } = element;
  const view = document.defaultView;
  const system = view.matchMedia("(prefers-color-scheme: dark)");
  const contrast = view.matchMedia("(forced-colors: active)");
  let before = null;
  const look = () => {
    const { dataset } = document.documentElement;
    const { body } = document;
    const named = dataset.theme ?? (body?.dataset.jpThemeLight === "false" ? "dark" : undefined);
    const lit = body?.dataset.jpThemeLight === "true" || body?.classList.contains("vscode-light");
    const dark = named ? named === "dark" : !lit && (body?.classList.contains("vscode-dark") || system.matches);
    element.toggleAttribute("data-dark", dark);
    const now = `${dark} ${contrast.matches}`;
    if (before !== null && now !== before) changed();
    before = now;
  };
  look();
  const observer = new view.MutationObserver(look);
  const options = { attributes: true, attributeFilter: ["data-theme", "data-mode", "data-jp-theme-light", "class"] };
  observer.observe(document.documentElement, options);
  if (document.body) observer.observe(document.body, options);
  system.addEventListener("change", look);
  contrast.addEventListener("change", look);
  return () => {
    observer.disconnect();
    system.removeEventListener("change", look);
    contrast.removeEventListener("change", look);
  };
}

/** Register the custom element. */
export function define() {
  if (typeof customElements === "undefined" || customElements.get(NAME)) return;
  customElements.define(NAME, class extends HTMLElement {
    #figure = null;
    #listen = null;

    connectedCallback() {
      if (this.#figure) return;
      // The page may still be on its way: the settings are whole once the printed figure follows them.
      if (this.querySelector("script ~ img")) this.#open();
      else new MutationObserver((_, observer) => {
        if (!this.querySelector("script ~ img")) return;
        observer.disconnect();
        if (this.isConnected && !this.#figure) this.#open();
      }).observe(this, { childList: true });
    }

    #open() {
      const given = JSON.parse(this.querySelector('script[type="application/json"]').textContent);
      const place = [...this.ownerDocument.querySelectorAll(NAME)].indexOf(this) + 1;
      const { location, history } = this.ownerDocument.defaultView;
      const fromLink = () => {
        const [, number, text] = LINK.exec(location.hash) ?? [];
        return Number(number) === place ? decode(text) : null;
      };
      const linked = fromLink();
      this.#figure = open(this, linked ? { ...given, config: { ...given.config, linked } } : given, {
        link(text) {
          history.replaceState(history.state, "", `#optkit-${place}=${text}`);
          return location.href;
        },
      });
      if (linked) this.scrollIntoView({ block: "center" });
      this.#listen = () => {
        const found = fromLink();
        if (found) this.#figure.update(found);
      };
      this.ownerDocument.defaultView.addEventListener("hashchange", this.#listen);
    }

    disconnectedCallback() {
      this.ownerDocument.defaultView.removeEventListener("hashchange", this.#listen);
      // A move within the page disconnects and connects again: only what stays away is taken down.
      queueMicrotask(() => {
        if (this.isConnected) return;
        this.#figure?.destroy();
        this.#figure = null;
      });
    }

    /** The state of the figure: a plain object, for whoever tests or scripts the page. */
    get state() {
      return this.#figure?.state;
    }
  });
}

/** Call once the element is on the page: a notebook asks for the figure before, and there it has no colours. */
function whenShown(element, call) {
  if (element.isConnected) {
    call();
    return () => {};
  }
  const { ResizeObserver } = element.ownerDocument.defaultView;
  const watcher = new ResizeObserver(() => {
    if (!element.isConnected) return;
    watcher.disconnect();
    call();
  });
  watcher.observe(element);
  return () => watcher.disconnect();
}

/** The caption under a figure in a notebook, from pieces of [kind of element, text]; none without a title. */
function captionOf(document, pieces) {
  if (!pieces?.length) return [];
  const line = document.createElement("p");
  line.style.margin = "0.5em 0";
  for (const [kind, text] of pieces) line.append(Object.assign(document.createElement(kind), { textContent: text }));
  return [line];
}

/** anywidget's side: Python's traits and the figure keep each other up to date. */
export const widget = {
  render({ model, el }) {
    const given = { kind: model.get("_kind"), config: model.get("_config"), extra: model.get("_extra") };
    const traits = model.get("_shared");
    const holder = el.ownerDocument.createElement("div");
    holder.dataset.lmSuppressShortcuts = "true"; // else Jupyter takes the arrow keys for its own
    el.append(holder, ...captionOf(el.ownerDocument, model.get("_caption")));
    let mine = false;
    const take = (values) => {
      mine = true;
      for (const name of traits) if (name in values) model.set(name, values[name]);
      model.save_changes();
      mine = false;
    };
    const current = () => Object.fromEntries(traits.map((name) => [name, model.get(name)]));
    let figure = null;
    const forget = whenShown(holder, () => {
      figure = open(holder, { ...given, config: { ...given.config, state: current() } }, { change: take });
    });
    const follow = () => {
      if (!mine) figure?.update(current());
    };
    for (const name of traits) model.on(`change:${name}`, follow);
    return () => {
      for (const name of traits) model.off(`change:${name}`, follow);
      forget();
      figure?.destroy();
    };
  },
};
