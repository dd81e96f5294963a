"""All modules of the playground as one: what the page loads once, and what a notebook sends with its widget.

anywidget imports its module from a Blob address, where ``import "./engine.js"`` finds nothing. So the modules
are joined here, each in a closure of its own, in the order in which they need each other, without comments
and spaces.

    python -m optkit.widgets FILE                     the whole bundle
    python -m optkit.widgets FILE --part mathematics  one module alone, such as the generated one
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files

from optkit.widgets.squeeze import squeeze, squeeze_css

ENTRY = "element.js"
IMPORT = re.compile(r'^import \{ ([\w$, ]+) \} from "\./([\w-]+\.js)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?:function\*? |async function |class |const )([\w$]+)", re.MULTILINE)


def read(name: str) -> str:
    """The text of one module: a file of ``static/``, or one that is generated.

    Raises:
        FileNotFoundError: There is no such module.
    """
    if name == "mathematics.js":
        from optkit.widgets.formulas import FORMULAS
        from optkit.widgets.mathematics import module

        return module(FORMULAS)
    if name == "style.js":
        sheets = sorted(
            p.name for p in (files("optkit.widgets") / "static").iterdir() if p.name.endswith(".css")
        )
        style = squeeze_css("".join(map(_static, sheets)))
        return f"export const STYLE = {json.dumps(style, ensure_ascii=False)};\n"
    return _static(name)


@cache
def bundle(entry: str = ENTRY) -> str:
    """One ES module that holds ``entry`` and all that it imports; its default export is anywidget's.

    Raises:
        ValueError: A module imports in another form, imports what is not exported, or in a circle.
    """
    order: list[str] = []
    texts: dict[str, str] = {}
    _collect(entry, texts, order, ())
    exports = {name: EXPORT.findall(text) for name, text in texts.items()}
    pieces = []
    for name in order:
        text = texts[name]
        for names, source in IMPORT.findall(text):
            missing = [
                n for n in map(str.strip, names.split(",")) if n.split(" as ")[0] not in exports[source]
            ]
            if missing:
                raise ValueError(f"{name} imports {', '.join(missing)}, which {source} does not export")
        body = IMPORT.sub(lambda m: f"const {{ {m[1].replace(' as ', ': ')} }} = {_variable(m[2])};\n", text)
        if re.search(r"^import\b", body, re.MULTILINE) or re.search(
            r"^export (default|\{|\*|let|var)", body, re.M
        ):
            raise ValueError(
                f'{name} must import as in import {{ a }} from "./b.js"; and export functions or consts'
            )
        body = re.sub(r"^export ", "", body, flags=re.MULTILINE)
        pieces.append(
            f"const {_variable(name)} = (() => {{\n{body}return {{ {', '.join(exports[name])} }};\n}})();\n"
        )
    last = _variable(entry)
    return squeeze("".join(pieces) + f"{last}.define();\nexport default {last}.widget;") + "\n"


def _collect(name: str, texts: dict[str, str], order: list[str], above: tuple[str, ...]) -> None:
    if name in above:
        raise ValueError(f"modules must not import in a circle, got {' → '.join((*above, name))}")
    if name in texts:
        return
    texts[name] = read(name)
    for _, source in IMPORT.findall(texts[name]):
        _collect(source, texts, order, (*above, name))
    order.append(name)


def _variable(name: str) -> str:
    return "$" + name.removesuffix(".js").replace("-", "_")


def _static(name: str) -> str:
    return (files("optkit.widgets") / "static" / name).read_text(encoding="utf-8")
