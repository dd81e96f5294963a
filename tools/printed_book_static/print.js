// Before printing: mathematics is set, and what is wider than the paper is set smaller.
const SMALLEST = 0.5;
const wide = (element, room) => element.scrollWidth > room + 1 || element.getBoundingClientRect().width > room + 1;

function room(element) {
  const style = getComputedStyle(element.parentElement);
  return element.parentElement.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
}
function shrink(element) {
  for (let size = 0.95; size >= SMALLEST && wide(element, room(element)); size -= 0.05) {
    const usual = parseFloat(element.dataset.usual ??= getComputedStyle(element).fontSize);
    element.style.fontSize = `${usual * size}px`;
  }
}
// The contents name the page of each place.
function fillContents(pages) {
  for (const one of document.querySelectorAll(".number")) one.textContent = pages[one.dataset.place] ?? "";
}
// What still is wider than the paper.
function sticksOut() {
  const edge = document.documentElement.clientWidth + 1;
  const hidden = (element) => element.closest("mjx-assistive-mml, .MathJax_Preview, script, style");
  return [...document.querySelectorAll("main *, nav *")]
    .filter((element) => !hidden(element) && element.getClientRects().length && element.getBoundingClientRect().right > edge)
    .filter((element) => ![...element.children].some((child) => child.getBoundingClientRect().right > edge))
    .slice(0, 20).map((element) => `${element.closest("[id]")?.id}: ${element.tagName} ${element.textContent.trim().slice(0, 50)}`);
}
async function prepare() {
  await document.fonts.ready;
  document.querySelectorAll("main table, main div.math > mjx-container").forEach(shrink);
  await Promise.all([...document.images].map((one) => one.decode().catch(() => null)));
  document.documentElement.dataset.ready = "yes";
}
window.MathJax = {
  options: { processHtmlClass: "math", ignoreHtmlClass: "mathjax_ignore", enableMenu: false },
  startup: { pageReady: () => MathJax.startup.defaultPageReady().then(prepare) },
};
