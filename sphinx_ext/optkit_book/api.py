"""The API reference, from the docstrings: ``.. optkit-room:: optkit.averages`` lists all of a room.

Functions and classes are set by autodoc. What autodoc cannot know is set here: a rule, a problem, a schedule
and any other formula is a value, not a function, and shows its own sentence, its equation and its source.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import nested_parse_with_titles

import optkit
from optkit.translation import to_latex

LOGGER = logging.getLogger(__name__)
HIDDEN = {"__main__", "myst"}  # the command line, and a plugin which only MyST-NB calls
_NAMED = re.compile(r"(?<![`:\w])`([^`\n]+)`(?!`)")
_COLON = "\ue000"  # stands for a colon where Napoleon would take what is before it for a type
_SOURCE = re.compile(r"^(\s*)Sources?: (.*?)\.?$", re.MULTILINE)
_KEY = re.compile(r"\b[a-z]+\d{4}[a-z]+\b")


def rooms() -> list[str]:
    """All rooms of the package that a reader may import."""
    return [f"optkit.{name}" for name in dir(optkit) if name not in HIDDEN and not name.startswith("_")]


def public_names(module: ModuleType) -> list[str]:
    """What a module offers: its ``__all__``, or, without one, what it defines and does not hide."""
    if hasattr(module, "__all__"):
        return list(module.__all__)
    own = (
        name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__
    )
    return [name for name in own if not name.startswith("_")]


class Room(SphinxDirective):
    """The directive."""

    required_arguments = 1
    has_content = False
    option_spec: ClassVar[dict[str, Any]] = {}

    def run(self) -> list[nodes.Node]:
        """Set the text of the room's docstring, then each public name."""
        module = importlib.import_module(self.arguments[0])
        files = (
            Path(module.__file__).parent.rglob("*.py") if hasattr(module, "__path__") else [module.__file__]
        )
        for file in files:
            self.env.note_dependency(str(file))
        lines = list(_room(module))
        holder = nodes.section()
        holder.document = self.state.document
        nested_parse_with_titles(self.state, StringList(lines, source=module.__file__), holder)
        return holder.children


def _room(module: ModuleType) -> Iterator[str]:
    yield f".. automodule:: {module.__name__}"
    yield "   :no-members:"
    yield ""
    for name in public_names(module):
        yield from _entry(f"{module.__name__}.{name}", getattr(module, name))
        yield ""


def _entry(path: str, value: Any) -> Iterator[str]:
    room, name = path.rsplit(".", 1)
    origin = ".".join(getattr(value, "__module__", "").split(".")[:2])
    if not room.startswith(origin) and origin in rooms() and _is_public(value, name, origin):
        yield f".. py:data:: {name}"
        yield ""
        yield f"   The same as :py:obj:`{origin}.{name}`."
    elif inspect.isclass(value):
        yield f".. autoclass:: {path}"
        yield "   :members:"
    elif inspect.isroutine(value):
        yield f".. autofunction:: {path}"
    elif hasattr(value, "source") and hasattr(value, "description"):
        yield from _formula(name, value)
    else:
        yield from _value(name, value)


def _is_public(value: Any, name: str, room: str) -> bool:
    called = inspect.isclass(value) or inspect.isroutine(value)
    return called and name in public_names(importlib.import_module(room))


def _value(name: str, value: Any) -> Iterator[str]:
    """A table or another constant: its keys, its length, or itself."""
    yield f".. py:data:: {name}"
    yield ""
    if isinstance(value, dict):
        yield f"   A table with the keys {', '.join(f'``{key}``' for key in value)}."
    elif isinstance(value, tuple):
        kinds = ", ".join(sorted({f"``{type(one).__name__}``" for one in value}))
        yield f"   {len(value)} entries, each a {kinds}."
    else:
        yield f"   ``{value!r}``"


def _formula(name: str, value: Any) -> Iterator[str]:
    """A rule, problem, schedule or other formula: its sentence, its equation, its source."""
    yield f".. py:data:: {name}"
    yield ""
    for line in _prose(value):
        yield f"   {line}"
    yield ""
    yield "   .. math::"
    yield ""
    for line in to_latex(value).strip().splitlines():
        yield f"      {line}"
    yield ""
    yield "   .. code-block:: python"
    yield ""
    for line in value.source.strip("\n").splitlines():
        yield f"      {line}"


def _prose(value: Any) -> list[str]:
    citation = getattr(value, "citation", None)
    return [value.description, *(["", f"Source: :cite:t:`{citation}`."] if citation else [])]


def _index() -> dict[str, list[str]]:
    """Short name → the full names of what is public under it; ``Class.method`` counts, too."""
    found: dict[str, list[str]] = {}
    for room in rooms():
        module = importlib.import_module(room)
        for name in public_names(module):
            value = getattr(module, name)
            if getattr(value, "__module__", room).startswith(room) or not inspect.isclass(value):
                found.setdefault(name, []).append(f"{room}.{name}")
    return found


def name_things(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Make references of names in single backticks that are public; others, arguments for one, are code."""
    index = app.optkit_index = getattr(app, "optkit_index", None) or _index()
    room = ".".join(name.split(".")[:2])

    def named(found: re.Match[str]) -> str:
        text = found[1]
        if text.startswith("optkit."):
            return f":py:obj:`{text}`"  # must exist: a build that misses it fails
        candidates = [full for full in index.get(text, ()) if full.startswith(f"{room}.")] or index.get(
            text, []
        )
        return f":py:obj:`~{candidates[0]}`" if len(candidates) == 1 else f"``{text}``"

    colon = _COLON if what in {"property", "attribute"} else ":"
    example = False
    for i, line in enumerate(lines):
        example = line.strip() != "" and (example or line.lstrip().startswith(">>>"))
        if not example:
            lines[i] = _prose_line(line, named)
    lines[:1] = [line.replace(": ", f"{colon} ") for line in lines[:1]]


def _prose_line(line: str, named: Any) -> str:
    """A line with its names replaced; |x| is an absolute value, no substitution; literals are left alone."""
    parts = re.split(r"(``.*?``)", line)
    return "".join(
        part if part.startswith("``") else _NAMED.sub(named, part.replace("|", r"\|")) for part in parts
    )


def plain_signature(
    app: Sphinx, what: str, name: str, thing: Any, options: Any, signature: str | None, returned: str | None
) -> tuple[str | None, str | None]:
    """A default made for each instance has no text; Sphinx could not read what Python writes for it."""
    return (signature.replace("<factory>", "...") if signature else signature), returned


def skip_fields(app: Sphinx, what: str, name: str, thing: Any, skip: bool, options: Any) -> bool | None:
    """The fields of a named tuple stand in its signature and its docstring already."""
    return True if str(getattr(thing, "__doc__", "")).startswith("Alias for field number") else None


def cite_sources(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Make a citation of each bibliography key that a docstring names as its source."""
    text = _SOURCE.sub(lambda found: _KEY.sub(r":cite:t:`\g<0>`", found[0]), "\n".join(lines))
    lines[:] = text.replace(_COLON, ":").split("\n")


def check_complete(app: Sphinx, env: BuildEnvironment) -> Sequence[str]:
    """Warn of each public name that no page of the reference lists, if there is such a page."""
    listed = env.get_domain("py").data["objects"]
    if any(name.startswith("optkit.") for name in listed):
        for room in rooms():
            for name in public_names(importlib.import_module(room)):
                if f"{room}.{name}" not in listed:
                    LOGGER.warning("%s.%s is public, and no page of the reference lists it", room, name)
    return []


def configure(app: Sphinx, config: Any) -> None:
    """Read docstrings as Google's style has them; and name no host for types."""
    config.autodoc_member_order = "bysource"
    config.autodoc_typehints_format = "short"
    config.autodoc_default_options = {}
    config.napoleon_google_docstring = True
    config.napoleon_numpy_docstring = False
    config.napoleon_use_rtype = False
    config.napoleon_use_ivar = True
    config.toc_object_entries_show_parents = "hide"
    # Types of other packages: their documentation is on other hosts, which a build does not ask.
    config.nitpick_ignore_regex = [
        *config.nitpick_ignore_regex,
        (
            "py:.*",
            r"(numpy|np|torch|nn|t|pandas|matplotlib|collections|contextlib|pathlib|os|ast|typing|types|inspect)\..*",
        ),
        ("py:class", r"(Figure|Axes|Optimizer|Path|Values|Window|Progress|Batches|LinearOperator)"),
        # Inner types: what passes between the parts of the package, and no reader makes.
        ("py:class", r"optkit\.(optim\.choice|translation\.\w+|kernels\.\w+|language\.\w+)\.\w+"),
    ]


def setup(app: Sphinx) -> None:
    """Connect to Sphinx."""
    app.setup_extension("sphinx.ext.autodoc")
    app.setup_extension("sphinx.ext.napoleon")
    app.add_directive("optkit-room", Room)
    app.connect("config-inited", configure)
    app.connect("autodoc-skip-member", skip_fields)
    app.connect("autodoc-process-signature", plain_signature)
    app.connect("autodoc-process-docstring", name_things, priority=100)
    app.connect("autodoc-process-docstring", cite_sources, priority=900)
    app.connect("env-check-consistency", check_complete)
