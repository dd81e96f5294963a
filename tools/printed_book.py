"""The whole book as one page of HTML, made from its finished pages, to be printed.

Each page is a part; its places get names of their own, and links from page to page lead to them. Code that a
page folds away is left out. Answers and solutions, which a page hides until they are wanted, come at the end.
"""

from __future__ import annotations

import html
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

import yaml
from bs4 import BeautifulSoup, Tag

STATIC = Path(__file__).resolve().parent / "printed_book_static"
KOREAN = re.compile(
    r"[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]+(?: [\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]+)*"
)
LEFT_OUT = "a.headerlink, details.hide.above-input, .copybtn, .viewcode-link"
POINTERS = ("id", "for", "aria-labelledby", "aria-describedby")
ANSWERS = "answers"
LETTERS = "korean-letters"  # where the font is served that has them

PAGE = """<!DOCTYPE html>
<html lang="en" data-theme="light">
<head>
<meta charset="utf-8">
<title>{title}</title>
<link rel="stylesheet" href="_static/pygments.css">
<link rel="stylesheet" href="_static/optkit.css">
<link rel="stylesheet" href="{letters}/400.css">
<style>{style}</style>
<script>{script}</script>
<script defer src="_static/mathjax/tex-chtml.js"></script>
</head>
<body class="mathjax_ignore">
<section class="cover">
<p class="title">{title}</p>
<p>{about}</p>
<p>Figures that answer to the mouse are printed as they stand when the page is opened. The code of figures,
which the pages fold away, stands in the notebooks. Answers and solutions are at the end.</p>
<p>Text and figures: CC BY 4.0. Code: BSD-3-Clause.</p>
</section>
<nav class="contents" aria-labelledby="contents">
<h1 id="contents">Contents</h1>
{contents}
</nav>
<main>
{parts}
</main>
</body>
</html>
"""


@dataclass
class Book:
    """What has been read so far."""

    names: list[str]
    solutions: list[str] = field(default_factory=list)


def order(root: Path) -> Iterator[tuple[str, str]]:
    """Name of each page of the book and caption of its part, in the order of _toc.yml."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))

    def files(entries: list[dict], caption: str) -> Iterator[tuple[str, str]]:
        for entry in entries:
            if "file" in entry:
                yield entry["file"], caption
            yield from files(entry.get("sections", []), caption)

    yield toc["root"], ""
    for part in toc.get("parts", []):
        yield from files(part["chapters"], part.get("caption", ""))
    yield from files(toc.get("chapters", []), "")


def printed(site: Path, root: Path) -> str:
    """The page to print."""
    pages = list(order(root))
    book = Book([name for name, _ in pages])
    parts, contents, caption = [], [], ""
    for name, part_caption in pages:
        article = part(site / f"{name}.html", name, book)
        if part_caption != caption:
            caption = part_caption
            contents.append(f'<p class="part">{html.escape(caption)}</p>')
        contents += entries(article)
        parts.append(f'<div class="page">{article}</div>')
    if book.solutions:
        title = "Answers and solutions"
        text = f'<h1 id="{ANSWERS}">{title}</h1>{"".join(book.solutions)}'
        parts.append(f'<div class="page bd-article">{text}</div>')
        contents.append(_entry("h1", ANSWERS, title))
    settings = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    about = f"{html.escape(settings['author'])}, {settings['copyright']}"
    return PAGE.format(
        title=html.escape(settings["title"]),
        about=about,
        letters=LETTERS,
        style=(STATIC / "print.css").read_text(encoding="utf-8"),
        script=(STATIC / "print.js").read_text(encoding="utf-8"),
        contents="\n".join(contents),
        parts="\n".join(parts),
    )


def part(file: Path, name: str, book: Book) -> Tag:
    """The article of a page, with names of its own, and without what paper cannot do."""
    article = BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser").select_one("article.bd-article")
    for one in article.select(LEFT_OUT):
        one.decompose()
    for live in article.select("optkit-playground"):
        live.replace_with(live.select_one("img.optkit-printed").extract())
    for figure in article.select("figure"):
        figure["role"] = "group"  # else the tags have a picture more, without words
    for folded in article.select("details"):
        folded["open"] = ""
    _name_places(article, name)
    _lead_links(article, name, book)
    for image in article.select("img[src]"):
        if not image["src"].startswith("data:"):
            image["src"] = posixpath.normpath(posixpath.join(posixpath.dirname(name), image["src"]))
    for question in article.select("fieldset.optkit-quiz"):
        _answers_at_the_end(question, book)
    _solutions_at_the_end(article, book)
    for text in article.find_all(string=KOREAN):
        # A font for the letters, and a language for who listens.
        marked = KOREAN.sub(r'<span lang="ko">\g<0></span>', html.escape(text))
        text.replace_with(BeautifulSoup(marked, "html.parser"))
    return article


def slug(name: str) -> str:
    """What the names of a page's places begin with."""
    return name.replace("/", "-")


def _name_places(article: Tag, name: str) -> None:
    for one in article.find_all(lambda tag: any(tag.get(pointer) for pointer in POINTERS)):
        for pointer in POINTERS:
            if one.get(pointer):
                one[pointer] = " ".join(f"{slug(name)}--{word}" for word in one[pointer].split())
    article["id"] = slug(name)


def _lead_links(article: Tag, name: str, book: Book) -> None:
    """Links to pages of the book lead to their place in it; others become plain text."""
    for link in article.select("a[href]"):
        if re.match(r"\w+:", link["href"]):
            continue
        path, _, place = unquote(link["href"]).partition("#")
        folder = posixpath.dirname(name)
        page = posixpath.normpath(posixpath.join(folder, path)).removesuffix(".html") if path else name
        if page in book.names:
            link["href"] = f"#{slug(page)}--{place}" if place else f"#{slug(page)}"
        else:
            link.unwrap()


def _answers_at_the_end(question: Tag, book: Book) -> None:
    exercise = question.find_parent(class_="exercise")
    heading = exercise.select_one(".admonition-title") if exercise else question.legend
    title = " ".join(heading.get_text().split())
    lines = []
    for answer in question.select(".optkit-answer"):
        said = answer.select_one(".optkit-feedback")
        lines.append(f"<li>{answer.label.decode_contents()}<br>{said.span.decode_contents()}</li>")
        said.decompose()
        answer.input.replace_with(
            BeautifulSoup('<span class="box" aria-hidden="true">○</span>', "html.parser")
        )
    text = f"<h2>{html.escape(title)}</h2><ul>{''.join(lines)}</ul>"
    book.solutions.append(f'<div class="answers">{text}</div>')


def _solutions_at_the_end(article: Tag, book: Book) -> None:
    for solution in article.select("div.solution"):
        title = solution.select_one(".admonition-title")
        heading = BeautifulSoup(f"<h2>{html.escape(' '.join(title.get_text().split()))}</h2>", "html.parser")
        title.replace_with(heading)
        book.solutions.append(str(solution.extract()))


def entries(article: Tag) -> Iterator[str]:
    """The lines of the contents for a page: its title, and its own headings."""
    for heading in article.select("h1, h2"):
        place = heading.find_parent("section")
        if place is not None and place.get("id"):
            yield _entry(heading.name, place["id"], " ".join(heading.get_text().split()))


def _entry(level: str, place: str, title: str) -> str:
    place = html.escape(place)
    return (
        f'<p class="{level}"><a href="#{place}">{html.escape(title)}</a>'
        '<span class="dots" aria-hidden="true"></span>'
        f'<span class="number" data-place="{place}">000</span></p>'
    )
