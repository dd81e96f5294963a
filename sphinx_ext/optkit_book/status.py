"""The status of a build: ``{optkit-status}`` lists the versions it ran with, and when.

MyST-NB's own table of the notebooks says by two emoji whether each ran, which are boxes where no font has
them; here they become words.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterator
from importlib.metadata import version
from typing import ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective

import optkit

# What the numbers of the book depend on, and what sets it.
PACKAGES = (
    "torch",
    "numpy",
    "scipy",
    "pandas",
    "scikit-learn",
    "matplotlib",
    "jupyter-book",
    "sphinx",
    "myst-nb",
)


def facts() -> Iterator[tuple[str, str]]:
    """Name and value of each fact about this build."""
    # SOURCE_DATE_EPOCH is what makes two builds of one text the same to the last byte.
    moment = time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", time.time())))
    yield "Built", time.strftime("%Y-%m-%d %H:%M UTC", moment)
    yield "optkit", optkit.__version__
    yield "Python", platform.python_version()
    for name in PACKAGES:
        yield name, version(name)
    yield "Machine", f"{platform.system()}, {platform.machine()}, {os.cpu_count()} processors"


WORDS = {"✅": "ran", "❌": "failed"}


class Status(SphinxDirective):
    """The directive: a table of the facts."""

    has_content = False
    option_spec: ClassVar[dict] = {}

    def run(self) -> list[nodes.Node]:
        """Make the table."""
        table = nodes.table(classes=["optkit-status"])
        group = nodes.tgroup("", *(nodes.colspec("", colwidth=width) for width in (30, 70)), cols=2)
        body = nodes.tbody()
        for fact in facts():
            entries = (nodes.entry("", nodes.paragraph(text=text)) for text in fact)
            body += nodes.row("", *entries)
        group += body
        table += group
        return [table]


def outdated(app: Sphinx, env: BuildEnvironment, added: set, changed: set, removed: set) -> list[str]:
    """The status page is written anew whenever another page is."""
    return [name for name in env.found_docs if name.rsplit("/")[-1] == "status"] if added or changed else []


def in_words(app: Sphinx, document: nodes.document, name: str) -> None:
    """Say in words whether a notebook ran."""
    for entry in document.findall(nodes.entry):
        if entry.astext() in WORDS:
            entry.children = [nodes.paragraph(text=WORDS[entry.astext()])]


def setup(app: Sphinx) -> None:
    """Connect to Sphinx."""
    app.connect("doctree-resolved", in_words)
    app.add_directive("optkit-status", Status)
    app.connect("env-get-outdated", outdated)
