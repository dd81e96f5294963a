"""Mend in the finished pages what theme, Sphinx and pandas write against the HTML standard or WAI-ARIA.

Each mend names who writes the fault and which check finds it (of axe-core or html-validate, both run by
tests/site, the weight of a page, or the eye). A mend that is no longer needed finds nothing and can go; a
page is mended once, however often the book is built.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from sphinx.application import Sphinx

SUMMARY = re.compile(r"<summary\b.*?</summary>", re.DOTALL)
OUTPUT_STYLE = re.compile(r'(<div class="output text_html">\s*)<style>(.*?)</style>', re.DOTALL)
ARROW = 'class="tb-icon toggle-chevron-right" width'
NO_WORDS = '[".headerlink", "script"'  # what Sphinx's search leaves out of the words of a page
THEMES_WORDS = '".header-article-items", "#jb-print-docs-body"'
TITLES = (  # a numbered page was found twice: "4. Momentum" and "4. Momentum > Momentum"
    ("titles[file] === title ? 1 : 0", "id === null ? 1 : 0"),
    ("titles[file] !== title ? `${titles[file]} > ${title}` : title",
     "id !== null ? `${titles[file]} > ${title}` : titles[file]"),
)  # fmt: skip


@dataclass(frozen=True)
class Mend:
    """A fault: who writes it, which check finds it, and how it is mended."""

    writer: str
    check: str
    fault: str
    mended: str


MENDS = (
    # The name of a button must hold the words that stand on it: a reader who speaks says what is seen.
    Mend(
        "pydata-sphinx-theme",
        "label-content-name-mismatch",
        r'(<button class="btn search-button-field [^>]*?) aria-label="Search"',
        r"\1",
    ),
    Mend(
        "myst-nb", "label-content-name-mismatch", r'<summary aria-label="Toggle hidden content">', "<summary>"
    ),
    # The arrow that unfolds a part of the list of pages has no name.
    Mend(
        "pydata-sphinx-theme",
        "summary-name",
        r'<summary>(<span class="toctree-toggle")',
        r'<summary aria-label="Pages of this part">\1',
    ),
    # Its three icons bear titles of their own, which are no names of the button.
    Mend(
        "pydata-sphinx-theme",
        "label-content-name-mismatch",
        r'(<i class="theme-switch [^>]*?)\s+title="[^"]*"',
        r'\1 aria-hidden="true"',
    ),
    # The book's name and the search button stood outside of all landmarks.
    Mend(
        "sphinx-book-theme",
        "region",
        r'<div id="pst-primary-sidebar" class="bd-sidebar-primary bd-sidebar">',
        '<div id="pst-primary-sidebar" class="bd-sidebar-primary bd-sidebar" role="complementary"'
        ' aria-label="The book">',
    ),
    # The title that it prints is empty on pages without a document.
    Mend("sphinx-book-theme", "empty-heading", r"<h1></h1>", ""),
    # DPUB-ARIA has withdrawn doc-biblioentry, and a list of other than listitems is none.
    Mend("Sphinx", "aria-deprecated-role", r'(<div class="citation"[^>]*?) role="doc-biblioentry"', r"\1"),
    Mend(
        "Sphinx",
        "aria-required-children",
        r'<div role="list" class="citation-list">',
        '<div class="citation-list">',
    ),
    # The index of all words, 47 kB before anything is shown, for a search as one types, which is off.
    Mend(
        "pydata-sphinx-theme",
        "weight of a page",
        r'\s*<script src="[^"]*(?:searchtools|language_data|searchindex)\.js"></script>'
        r'(?!.*<div id="search-results">)',
        "",
    ),
    # Every exercise bears the same id, which no link uses.
    Mend("sphinx-exercise", "no-dup-id", r'<section id="(?:exercise|solution)-content">', "<section>"),
    # A description cut in the middle of a character's name.
    Mend(
        "sphinxext-opengraph", "unrecognized-char-ref", r"(<meta [^>]*&(?:gt|lt|amp|quot))(?![\w;])", r"\1;"
    ),
    # A paragraph that holds a list has ended before it.
    Mend("Sphinx", "close-order", r"(</[uo]l>)\s*</p>", r"\1"),
    # The link to the exercise begins with the space before it, which is underlined.
    Mend(
        "sphinx-exercise",
        "by eye",
        r'(<p class="admonition-title">Solution to)(<a class="reference internal"[^>]*>) ',
        r"\1 \2",
    ),
    # The names of the index stand in a row of their own, with nothing beside them: they head their columns.
    Mend(
        "pandas",
        "by eye",
        r'<tr style="text-align: right;">((?:\s*<t[hd]></t[hd]>)+)((?:\s*<th>[^<]+</th>)+)\s*</tr>'
        r"\s*<tr>((?:\s*<th>[^<]+</th>)+)(?:\s*<t[hd]></t[hd]>)+\s*</tr>",
        r'<tr style="text-align: right;">\3\2\n    </tr>',
    ),
    # An empty corner of a table heads nothing; the book's own style sheet sets tables.
    Mend("pandas", "empty-table-header", r"<th></th>", "<td></td>"),
    Mend("pandas", "no-deprecated-attr", r'(<t[hd][^>]*?) valign="\w+"', r"\1"),
    Mend("pandas", "element-permitted-content", r"<style scoped>.*?</style>\n?", ""),
)


def mended(html: str) -> str:
    """The page without these faults."""
    for mend in MENDS:
        html = re.sub(mend.fault, mend.mended, html, flags=re.DOTALL)
    # A summary holds phrases, no paragraphs (html-validate: element-permitted-content).
    html = SUMMARY.sub(lambda found: re.sub(r"<(/?)p\b", r"<\1span", found[0]), html)
    return _styles_in_head(_ids_once(html))


def _ids_once(html: str) -> str:
    """Citations count from 1 in each docstring: the first on the page keeps its id (no-dup-id)."""
    seen: set[str] = set()

    def first(found: re.Match[str]) -> str:
        known = found[2] in seen
        seen.add(found[2])
        return found[1] if known else found[0]

    return re.sub(r'(<span class="bibtex-citation") id="(id\d+)"', first, html)


def _styles_in_head(html: str) -> str:
    """Style sheets that an output brings along stand in the head, each once (element-permitted-content)."""
    styles = dict.fromkeys(found[2] for found in OUTPUT_STYLE.finditer(html))
    sheets = "".join(f"<style>{style}</style>\n" for style in styles)
    return OUTPUT_STYLE.sub(r"\1", html).replace("</head>", f"{sheets}</head>", 1)


def mend_pages(app: Sphinx, error: Exception | None) -> None:
    """Mend the pages of a finished HTML site."""
    if error is not None or app.builder.format != "html":
        return
    for path in pages(Path(app.outdir)):
        html = path.read_text(encoding="utf-8")
        if (better := mended(html)) != html:
            path.write_text(better, encoding="utf-8")
    script = Path(app.outdir) / "_static" / "togglebutton.js"  # sphinx-togglebutton: an arrow without a name
    if script.is_file():
        text = script.read_text(encoding="utf-8")
        script.write_text(
            re.sub(f'(?<!"true" ){ARROW}', f'aria-hidden="true" {ARROW}', text), encoding="utf-8"
        )
    script = Path(app.outdir) / "_static" / "searchtools.js"  # Sphinx: buttons and contents in what was found
    if script.is_file():
        text = script.read_text(encoding="utf-8")
        better = text if THEMES_WORDS in text else text.replace(NO_WORDS, f"{NO_WORDS}, {THEMES_WORDS}")
        for fault, mend in TITLES:
            better = better.replace(fault, mend)
        if better != text:
            script.write_text(better, encoding="utf-8")


def pages(site: Path) -> list[Path]:
    """The pages of a built site; what lies in _static are parts of the theme."""
    return sorted(path for path in site.rglob("*.html") if "_static" not in path.relative_to(site).parts)
