"""One figure, two ways in: a custom element for the page, an anywidget for a notebook, from one payload.

The output of a cell carries both. JupyterLab, Colab and VS Code take the widget; the book takes the HTML, in
which stand the figure's settings as JSON and, for paper and for pages without scripts, a printed figure.
"""

from __future__ import annotations

import base64
import html
import json
import re
from io import BytesIO
from typing import TYPE_CHECKING, Any, ClassVar

import anywidget
import traitlets

from optkit.figures.show import alt_fault, check_texts
from optkit.widgets.bundle import bundle

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ELEMENT = "optkit-playground"
RAISED = str.maketrans("0123456789−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def page(kind: str, config: dict[str, Any], printed: tuple[Figure, str], extra: str = "") -> str:
    """The HTML of a figure.

    Args:
        kind: Its name among the JavaScript kinds.
        config: What its JavaScript starts from.
        printed: A matplotlib figure of the same, and its alternative text.
        extra: An expression of `optkit.widgets.mathematics.extra`.

    Raises:
        ValueError: The alternative text is none.
    """
    figure, alt = printed
    alt = " ".join(alt.split())
    if fault := alt_fault(alt):
        raise ValueError(fault)
    payload = json.dumps({"kind": kind, "config": config, "extra": extra}, allow_nan=False)
    # In a script element only "</" and "<!--" mean anything; \u003c is the same character to JSON.
    payload = payload.replace("<", "\\u003c")
    image = base64.b64encode(_webp(figure)).decode("ascii")
    return (
        f'<{ELEMENT} class="optkit-{kind}"><script type="application/json">{payload}</script>'
        f'<img class="optkit-printed" src="data:image/webp;base64,{image}" alt="{html.escape(alt)}" '
        f'width="{round(figure.get_figwidth() * 100)}" height="{round(figure.get_figheight() * 100)}">'
        f"</{ELEMENT}>"
    )


def _pieces(caption: str) -> list[list[str]]:
    r"""A caption for a notebook, which sets no mathematics in a widget: kinds of element, each with its text.

    Args:
        caption: Markdown with ``*emphasis*`` and short formulas: Greek letters, signs, exponents.

    Example:
        >>> _pieces(r"*Try:* $\beta_1 = 10^{-2}$ and $\sqrt k$.")
        [['em', 'Try:'], ['span', ' '], ['i', 'β₁ = 10⁻²'], ['span', ' and '], ['i', '√k'], ['span', '.']]
    """
    pieces = []
    for part in re.split(r"(\*[^*]+\*|\$[^$]+\$)", " ".join(caption.split())):
        if part.startswith("$"):
            pieces.append(["i", _plain(part[1:-1])])
        elif part:
            pieces.append(["em", part[1:-1]] if part.startswith("*") else ["span", part])
    return pieces


def _plain(mathematics: str) -> str:
    """A short formula in letters and signs: HTML names most signs as TeX does."""
    text = mathematics.replace("-", "−").replace(r"\sqrt ", "√").replace(r"\var", "\\")
    text = re.sub(r"\\([A-Za-z]+)", lambda found: html.unescape(f"&{found[1]};"), text)
    text = re.sub(r"\^\{?([−\d]+)\}?", lambda found: found[1].translate(RAISED), text)
    return re.sub(r"_\{?(\d+)\}?", lambda found: found[1].translate(LOWERED), text)


def _webp(figure: Figure) -> bytes:
    """The figure as a small picture: WebP, which every browser knows."""
    from PIL import Image

    png, webp = BytesIO(), BytesIO()
    figure.savefig(png, format="png", dpi=160)
    with Image.open(png) as image:
        image.convert("RGB").save(webp, format="WEBP", quality=70, method=6)
    return webp.getvalue()


class Widget(anywidget.AnyWidget):
    """What all figures share.

    A subclass names its ``kind`` and its ``shared`` traits, which are the state that Python and the figure
    keep in step, and says in `_static` how it prints. What never changes, it passes as ``_config``.
    """

    kind: ClassVar[str] = ""
    shared: ClassVar[tuple[str, ...]] = ()

    _esm = traitlets.Unicode().tag(sync=True)
    _kind = traitlets.Unicode().tag(sync=True)
    _config = traitlets.Dict().tag(sync=True)
    _extra = traitlets.Unicode().tag(sync=True)
    _shared = traitlets.List(traitlets.Unicode()).tag(sync=True)
    _caption = traitlets.List().tag(sync=True)  # for the notebook: the page sets its own

    def __init__(self, **traits: Any) -> None:
        self._titles: dict[str, str] = {}
        super().__init__(_kind=self.kind, _shared=list(self.shared), **traits)

    @traitlets.default("_esm")
    def _module(self) -> str:
        return bundle()

    def _payload(self) -> dict[str, Any]:
        """What the JavaScript starts from: what never changes, and the state."""
        return {**self._config, "state": self.state}

    @property
    def state(self) -> dict[str, Any]:
        """The whole state as plain values."""
        return {name: getattr(self, name) for name in self.shared}

    def _static(self) -> tuple[Figure, str]:
        """The printed figure, and its alternative text."""
        raise NotImplementedError

    def titled(self, name: str, caption: str) -> Widget:
        """Give the figure a number and a caption on the page of the book, and name and caption in a notebook.

        Args:
            name: ``fig-`` and words in lower case joined by hyphens; unique in the book.
            caption: One paragraph of MyST Markdown.

        Returns:
            The widget itself, to stand in the last line of a cell.

        Raises:
            ValueError: A name or caption that the book would refuse.
        """
        check_texts(name, caption)
        self._titles = {"name": name, "caption": " ".join(caption.split())}
        self._caption = [["strong", f"{name}."], ["span", " "], *_pieces(caption)]
        return self

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def _repr_mimebundle_(self, **arguments: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        found = super()._repr_mimebundle_(**arguments)
        data, metadata = found if found is not None else ({}, {})
        text = page(self.kind, self._payload(), self._static(), self._extra)
        return (
            {**data, "text/html": text, "text/plain": repr(self)},
            {**metadata, "optkit": {"kind": "live", **self._titles}},
        )
