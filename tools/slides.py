"""Cut slides for the lecture out of the built book, one deck for each chapter that marks cells for it.

    python tools/slides.py            from _build/html into _build/slides
    python tools/slides.py FOLDER     elsewhere

JupyterLab keeps in a cell's metadata which slide it belongs to (slide, subslide, fragment, skip, notes; a
cell without a mark goes on with the slide before it). What stands on a slide is what stands on the page:
figures, numbers, outputs, and the figures that answer. The folder asks no other host for anything. reveal.js
(MIT) is fetched by its version and checksum from npm's registry, once, into the user's cache folder.
"""

from __future__ import annotations

import html
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import built_book
import npm_packages
from bs4 import BeautifulSoup, Comment, Tag

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path("_build") / "slides"
OWN = Path(__file__).resolve().parent / "slides_static"
OWN_FILES = ("slides.css", "slides.js")
FROM_BOOK = ("pygments.css", "optkit.css", "favicon.svg", "mathjax")
FROM_REVEAL = ("LICENSE", "dist/reveal.css", "dist/reveal.js", "dist/plugin/notes.js")
FIGURES = Path("_static") / "optkit" / "figures.js"
MARK = re.compile(r"\s*cell (?P<cell>\d+): (?P<type>[a-z-]+)\s*")
FIGURE = "figure.optkit-figure, figure.optkit-live, optkit-playground"
OUTPUT_STYLE = re.compile(r"<style>[^<]*\.optkit-quiz[^<]*</style>")  # what an output brought along
# Not on a slide: solutions, folded code, the little links beside headings.
LEFT_OUT = "div.solution, details.hide.above-input, a.headerlink"
LIVE = "optkit-playground"

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="_static/favicon.svg">
<link rel="stylesheet" href="_static/reveal/reveal.css">
<link rel="stylesheet" href="_static/pygments.css">
<link rel="stylesheet" href="_static/optkit.css">
<link rel="stylesheet" href="_static/slides.css">
{styles}<script src="_static/slides.js"></script>
<script src="_static/reveal/notes.js"></script>
<script src="_static/reveal/reveal.js"></script>
<script defer src="_static/mathjax/tex-chtml.js"></script>
{module}</head>
<body>
<main class="reveal mathjax_ignore"><div class="slides">
{slides}
</div></main>
<div class="tools"><a href="index.html">All slides</a><button type="button">Dark or light (D)</button></div>
</body>
</html>
"""
INDEX = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Slides</title>
<link rel="icon" href="_static/favicon.svg">
<link rel="stylesheet" href="_static/slides.css">
</head>
<body>
<main class="list">
<h1>Slides</h1>
<ul>
{decks}
</ul>
<p>Arrow keys go from slide to slide, F fills the screen, S opens the speaker's view, D turns light and dark,
and ? lists all keys. A figure that answers has the arrow keys for itself while it is in focus; Page Down goes
on.</p>
</main>
</body>
</html>
"""


@dataclass
class Slide:
    """The pieces of one slide in their order: the HTML of each, and whether it comes on a key."""

    kind: str
    where: str
    pieces: list[tuple[str, Tag]] = field(default_factory=list)


def blocks(section: Tag) -> Iterator[Tag | Comment]:
    """The blocks of a page and the marks between them, in the order of reading."""
    for child in section.children:
        if isinstance(child, Tag) and child.name == "section":
            yield from blocks(child)
        elif isinstance(child, Tag | Comment):
            yield child


def cut(page: str) -> tuple[str, list[Slide]]:
    """The title of a page of the book, and its slides."""
    article = BeautifulSoup(page, "html.parser").select_one("article.bd-article")
    for one in article.select(LEFT_OUT):
        one.decompose()
    for one in article.select(":scope div section"):
        one.name = "div"  # to reveal.js every section is a slide
    title = " ".join(article.h1.get_text().split())
    slides: list[Slide] = []
    kind, waiting, where = "skip", [], title
    for block in blocks(article):
        if isinstance(block, Comment):
            found = MARK.fullmatch(block)
            if not found:
                continue
            before, kind = kind, found["type"]
            if kind == "-":
                kind = before if before in {"skip", "notes"} else "-"
            if kind in {"slide", "subslide"}:
                slides.append(Slide(kind, where, waiting))
                waiting = []
            continue
        if block.name in {"h1", "h2", "h3"}:
            where = " ".join(block.get_text().split())
        if block.name == "h1" and not slides:
            waiting = [("-", block)]  # the title stands before the first mark
        elif slides and kind != "skip" and not _is_empty(block):
            slides[-1].pieces.append((kind, block))
    return title, [slide for slide in slides if slide.pieces]


def _is_empty(block: Tag) -> bool:
    return not block.get_text().strip() and not block.select_one(f"img, {LIVE}") and block.name != LIVE


def deck(page: str) -> tuple[str, str, int]:
    """Title of a deck, the HTML of its slides, and how many there are."""
    title, slides = cut(page)
    stacks: list[list[str]] = []
    for slide in slides:
        if slide.kind == "slide" or not stacks:
            stacks.append([])
        stacks[-1].append(_slide(slide))
    joined = [one[0] if len(one) == 1 else f"<section>\n{''.join(one)}</section>\n" for one in stacks]
    return title, "".join(joined), len(slides)


def _slide(slide: Slide) -> str:
    shown = [(kind, block) for kind, block in slide.pieces if kind != "notes"]
    notes = "".join(str(block) for kind, block in slide.pieces if kind == "notes")
    figures = [block for _, block in shown if block.select_one(FIGURE)]
    words = [block for _, block in shown if not block.select_one(FIGURE)]
    heading = next((one for _, block in shown for one in _headings(block)), None)
    bare = all(_headings(block) for block in words)  # headings alone make no column
    live = any(block.select_one(LIVE) for block in figures)
    code = any(block.select_one("pre") for block in words)  # its lines want the whole width
    split = len(figures) == 1 and not (bare or live or code)
    headed = heading is shown[0][1]
    looks = {
        "split": split,
        "live": live,
        "with-code": bool(figures) and code,
        "only-figure": bool(figures) and bare and not live,
        "title-slide": headed and heading.name == "h1",
        "headed": headed,
    }
    classes = ["bd-article", *(name for name, holds in looks.items() if holds)]
    top = "" if headed else f'<p class="where">{html.escape(slide.where)}</p>\n'
    if split:
        columns = [
            [one for one in shown if one[1] is not figures[0]],
            [one for one in shown if one[1] is figures[0]],
        ]
        body = "".join(f"<div>{''.join(map(_piece, column))}</div>\n" for column in columns)
    else:
        body = f"<div>{''.join(map(_piece, shown))}</div>\n"
    label = html.escape(" ".join(heading.get_text().split()) if heading else slide.where)
    aside = f'<aside class="notes">{notes}</aside>\n' if notes else ""
    return (
        f'<section class="{" ".join(classes)}" aria-label="{label}">\n{top}'
        f'<div class="slide-body">\n{body}</div>\n{aside}</section>\n'
    )


def _headings(block: Tag) -> list[Tag]:
    return [block] if re.fullmatch(r"h[1-6]", block.name) else []


def _piece(piece: tuple[str, Tag]) -> str:
    kind, block = piece
    return f'<div class="fragment">{block}</div>\n' if kind == "fragment" else f"{block}\n"


def _at_home(slides: str, decks: set[str]) -> str:
    """Links to what is in the folder stay; those to the rest of the book become plain text."""
    soup = BeautifulSoup(slides, "html.parser")
    places = {one["id"] for one in soup.select("[id]")}
    for link in soup.select("a[href]"):
        path, _, place = link["href"].partition("#")
        if re.match(r"\w+:", link["href"]):
            link["target"], link["rel"] = "_blank", "noopener"
        elif path in decks:
            link["href"] = path
        elif path or place not in places:
            link.unwrap()
    for image in soup.select("img[src]"):
        image["src"] = image["src"].removeprefix("../")
    return str(soup)


def write(folder: Path, site: Path, reveal: Path) -> dict[str, int]:
    """Write all decks of a built site; the number of slides of each file.

    Args:
        folder: Where they go: a new folder, an empty one, or one with earlier slides, which are removed.
        site: The built book.
        reveal: The folder of the package reveal.js.

    Raises:
        FileExistsError: The folder holds something else.
    """
    pages = {path.name: path.read_text(encoding="utf-8") for path in sorted(site.glob("chapters/*.html"))}
    made = {name: deck(text) for name, text in pages.items() if "<!-- cell " in text}
    _clear(folder)
    _copy_assets(folder, site, reveal)
    lines = []
    for name, (title, slides, count) in made.items():
        slides = _at_home(slides, set(made))
        for source in re.findall(r'<img[^>]* src="(_images/[^"]+)"', slides):
            _copy(site / source, folder / source)
        module = (site / FIGURES).read_text(encoding="utf-8") if f"<{LIVE}" in slides else ""
        # In the page itself: a browser loads no module from a file beside a page that it read from a disk.
        script = f'<script type="module">\n{module}</script>\n' if module else ""
        styles = "".join(dict.fromkeys(OUTPUT_STYLE.findall(pages[name])))
        text = PAGE.format(
            title=f"{html.escape(title)} (slides)", styles=styles, slides=slides, module=script
        )
        (folder / name).write_text(text, encoding="utf-8")
        lines.append(f'<li><a href="{name}">{html.escape(title)}</a>, {count} slides</li>')
    (folder / "index.html").write_text(INDEX.format(decks="\n".join(lines)), encoding="utf-8")
    return {name: count for name, (_, _, count) in made.items()}


def _clear(folder: Path) -> None:
    """Remove earlier slides, and nothing else."""
    if folder.exists() and any(folder.iterdir()) and not (folder / "_static" / OWN_FILES[0]).is_file():
        raise FileExistsError(
            f"{folder} holds something that is not slides: name another folder, or empty it"
        )
    if folder.exists():
        shutil.rmtree(folder)


def _copy_assets(folder: Path, site: Path, reveal: Path) -> None:
    static = folder / "_static"
    for name in FROM_BOOK:
        _copy(site / "_static" / name, static / name)
    for name in OWN_FILES:
        _copy(OWN / name, static / name)
    for name in FROM_REVEAL:
        _copy(reveal / name, static / "reveal" / Path(name).name)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    (shutil.copytree if source.is_dir() else shutil.copyfile)(source, target)


def main() -> None:
    """Write the slides of the book as it is built."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / FOLDER
    try:
        reveal = npm_packages.folder(OWN / "npm") / "reveal.js"
    except npm_packages.FetchError as error:
        sys.exit(str(error))
    counts = write(target, ROOT / built_book.SITE, reveal)
    print(f"{sum(counts.values())} slides of {len(counts)} chapters are in {target}; open index.html there")
    if not counts:
        print("No chapter marks cells for slides: JupyterLab sets it beside a cell, as its slide type.")


if __name__ == "__main__":
    main()
