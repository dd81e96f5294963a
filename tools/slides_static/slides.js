// Starts the slides: light or dark, mathematics first, then reveal.js; makes smaller what is too tall for the screen.
(() => {
  const KEY = "optkit-slides-theme";
  const SMALLEST = 0.5;
  const page = document.documentElement;

  function kept() {
    try { return localStorage.getItem(KEY); } catch { return null; }
  }
  function wear(theme) {
    page.dataset.theme = theme;
    page.dataset.mode = theme;
  }
  function turn() {
    wear(page.dataset.theme === "dark" ? "light" : "dark");
    try { localStorage.setItem(KEY, page.dataset.theme); } catch { /* a page from a file may have no storage */ }
  }
  const dark = matchMedia("(prefers-color-scheme: dark)");
  wear(kept() || (dark.matches ? "dark" : "light"));
  dark.addEventListener("change", () => kept() || wear(dark.matches ? "dark" : "light"));

  // What is too tall or too wide is set in smaller type, as a whole; below half its size it scrolls instead.
  function fit(slide) {
    if (!slide || slide.classList.contains("live")) return; // a figure that answers has its own sizes
    for (let size = 1; size >= SMALLEST; size -= 0.05) {
      slide.style.fontSize = `${1.45 * size}rem`;
      slide.style.setProperty("--fit", size);
      if (slide.scrollHeight <= slide.clientHeight + 1 && slide.scrollWidth <= slide.clientWidth + 1) return;
    }
  }

  // Keys that a control uses are its own: an arrow key moves the slider in focus, not the slide.
  const CONTROL = "input, select, textarea, button, summary, [role=slider], [role=radio], optkit-playground";
  const ALWAYS = new Set(["PageUp", "PageDown", "Escape"]);
  function forSlides(event) {
    const inControl = event.composedPath().some((one) => one instanceof Element && one.matches(CONTROL));
    return ALWAYS.has(event.key) || !inControl;
  }

  async function start() {
    await Reveal.initialize({
      disableLayout: true, display: "flex", hash: true, overview: false, slideNumber: "c/t", controlsTutorial: false, scrollActivationWidth: 0,
      transition: "none", backgroundTransition: "none", viewDistance: 1000, mobileViewDistance: 1000,
      keyboardCondition: forSlides, plugins: [RevealNotes],
    });
    Reveal.addKeyBinding({ keyCode: 68, key: "D", description: "Dark or light" }, turn);
    const now = () => fit(Reveal.getCurrentSlide());
    Reveal.on("slidechanged", now);
    addEventListener("resize", now);
    await document.fonts.ready;
    now();
    const look = new ResizeObserver(now);
    document.querySelectorAll("optkit-playground").forEach((one) => look.observe(one));
    page.dataset.ready = "yes";
  }

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelector(".tools button")?.addEventListener("click", turn);
    document.querySelectorAll("optkit-playground").forEach((one) => one.setAttribute("data-prevent-swipe", ""));
  });
  window.MathJax = {
    options: { processHtmlClass: "math", ignoreHtmlClass: "mathjax_ignore" },
    startup: { pageReady: () => MathJax.startup.defaultPageReady().then(start) },
  };
})();
