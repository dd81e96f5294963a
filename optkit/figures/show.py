"""Show a figure with its name, caption and alternative text: numbered on the page, complete in a notebook."""

from __future__ import annotations

import base64
import html
import re
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHORTEST_ALT = 25  # characters; shorter is a label, not a description
SHARPNESS = 2  # pixels of the image for one pixel of the page
_NAME = re.compile(r"fig-[a-z0-9]+(-[a-z0-9]+)*")
_FILE_NAME = re.compile(r"\S+\.(png|jpe?g|svg|gif|webp|pdf)", re.IGNORECASE)


def show(figure: Figure, *, name: str, caption: str, alt: str) -> None:
    """Show ``figure`` under a caption, with a name to refer to and a text for readers who do not see it.

    On the page of the book this becomes a numbered figure: ``{numref}`fig-lag``` refers to it. In a
    notebook the image appears with its name and caption.

    Args:
        figure: A matplotlib figure.
        name: ``fig-`` and then words in lower case joined by hyphens; unique in the book.
        caption: One paragraph of MyST Markdown; mathematics between dollar signs.
        alt: What the figure shows, with its finding, as plain text of at least 25 characters, other than the
            caption. Compute its numbers from the data drawn, so that it cannot go stale.

    Raises:
        ValueError: A name, caption or alternative text that the book would refuse.

    Example:
        >>> from optkit.figures import canvas, show
        >>> figure, axes = canvas()
        >>> show(figure, name="lag", caption="A blank.", alt="An empty pair of axes, from 0 to 1 both ways.")
        Traceback (most recent call last):
        ...
        ValueError: name must look like fig-two-words, got 'lag'
    """
    from IPython.display import display

    display(picture(figure, name=name, caption=caption, alt=alt))


def picture(figure: Figure, *, name: str, caption: str, alt: str) -> Picture:
    """Return what `show` displays: the image with its texts. Arguments and errors as in `show`."""
    check_texts(name, caption)
    fault = alt_fault(alt, caption)
    if fault:
        raise ValueError(fault)
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=SHARPNESS * figure.get_dpi(), metadata={"Software": None})
    from matplotlib import pyplot

    pyplot.close(figure)  # else a notebook shows a pyplot figure a second time, without its texts
    width = round(figure.get_figwidth() * figure.get_dpi())
    return Picture(name, " ".join(caption.split()), " ".join(alt.split()), buffer.getvalue(), width)


def check_texts(name: str, caption: str) -> None:
    """Raise if the book would refuse the name or the caption of a figure.

    Raises:
        ValueError: A name of another form than ``fig-two-words``, or a caption that is no single paragraph.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"name must look like fig-two-words, got {name!r}")
    if not caption.strip() or "\n\n" in caption.strip():
        raise ValueError(f"caption must be one paragraph, got {caption!r}")


def alt_fault(alt: str | None, caption: str = "") -> str | None:
    """What is wrong with an alternative text, or None.

    Example:
        >>> alt_fault("loss.png")
        "alt must say what the image shows, got the file name 'loss.png'"
        >>> alt_fault("The loss falls from 2.3 to 0.4 in 300 steps.") is None
        True
    """
    alt = " ".join((alt or "").split())
    if not alt:
        return "alt is missing: say what the image shows, with its finding"
    if _FILE_NAME.fullmatch(alt):
        return f"alt must say what the image shows, got the file name {alt!r}"
    if len(alt) < SHORTEST_ALT:
        return f"alt must have at least {SHORTEST_ALT} characters, got {len(alt)}: {alt!r}"
    if alt == " ".join(caption.split()):
        return f"alt must not repeat the caption, got {alt!r}: say what is seen"
    return None


@dataclass(frozen=True)
class Picture:
    """A figure as an image, with the name, caption and alternative text that go with it.

    Attributes:
        name: Its label in the book.
        caption: MyST Markdown.
        alt: Plain text.
        png: The image, at twice the page's resolution.
        width: Width on the page, in pixels.
    """

    name: str
    caption: str
    alt: str
    png: bytes
    width: int

    def __repr__(self) -> str:
        return f"<{self.name}: {self.alt}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict, dict]:
        image = base64.b64encode(self.png).decode("ascii")
        page = (
            # A card no wider than its image: a white band across a dark notebook would dazzle.
            '<figure style="margin: 0; background: white; color: black; padding: 0.5em; '
            f'max-width: {self.width}px">'
            f'<img style="max-width: 100%" width="{self.width}" alt="{html.escape(self.alt)}" '
            f'src="data:image/png;base64,{image}">'
            f"<figcaption><strong>{self.name}.</strong> {html.escape(self.caption)}</figcaption></figure>"
        )
        texts = {"kind": "figure", "name": self.name, "caption": self.caption, "alt": self.alt}
        return (
            {"image/png": image, "text/html": page, "text/plain": repr(self)},
            {"image/png": {"width": self.width}, "optkit": texts},
        )
