"""How a MyST-NB book sets what optkit displays: numbered figures, boxed equations, code, tables.

MyST-NB finds `PageRenderer` through the entry point ``myst_nb.mime_renderers`` of this package and offers
it every output of every cell. It takes those whose metadata holds ``optkit`` and leaves the others alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from docutils import nodes

if TYPE_CHECKING:
    from myst_nb.core.render import MimeData, NbElementRenderer


class PageRenderer:
    """The plugin of MyST-NB."""

    mime_priority_overrides: ClassVar[Sequence[tuple[str, str, int | None]]] = ()

    @staticmethod
    def handle_mime(renderer: NbElementRenderer, data: MimeData, inline: bool) -> list[nodes.Element] | None:
        """Return the nodes of an output made by optkit, or None for another's."""
        texts = data.output_metadata.get("optkit")
        if texts is None or inline:
            return None
        wanted, setter = _SETTERS[texts["kind"]]
        return setter(renderer, data, texts) if data.mime_type == wanted else []


def _figure(renderer: NbElementRenderer, data: MimeData, texts: dict[str, str]) -> list[nodes.Element]:
    (image,) = renderer.render_image(data)
    image["alt"] = texts["alt"]
    figure = nodes.figure("", image, classes=["optkit-figure"])
    figure["names"].append(nodes.fully_normalize_name(texts["name"]))
    renderer.renderer.document.note_explicit_target(figure, figure)
    (paragraph,) = _markdown(renderer, data, texts["caption"])
    figure += nodes.caption(paragraph.rawsource, "", *paragraph.children)
    return [figure]


def _equation(renderer: NbElementRenderer, data: MimeData, texts: dict[str, str]) -> list[nodes.Element]:
    (title,) = _markdown(renderer, data, texts["title"])
    title["classes"] += ["optkit-equation-title"]
    label = f" ({texts['label']})" if "label" in texts else ""
    mathematics = _markdown(renderer, data, f"$$\n{texts['latex']}\n$$" + label)
    return [nodes.container("", title, *mathematics, classes=["optkit-equation"])]


def _source(renderer: NbElementRenderer, data: MimeData, texts: dict[str, str]) -> list[nodes.Element]:
    return [nodes.container("", *_markdown(renderer, data, data.string), classes=["optkit-source"])]


def _claims(renderer: NbElementRenderer, data: MimeData, texts: dict[str, str]) -> list[nodes.Element]:
    return [nodes.container("", *_markdown(renderer, data, data.string), classes=["optkit-claims"])]


def _table(renderer: NbElementRenderer, data: MimeData, texts: dict[str, str]) -> list[nodes.Element]:
    return [nodes.container("", *_markdown(renderer, data, data.string), classes=["optkit-table"])]


def _live(renderer: NbElementRenderer, data: MimeData, texts: dict[str, str]) -> list[nodes.Element]:
    """A figure that answers: the custom element, under a number and a caption where it has a name."""
    element = nodes.raw("", data.string, format="html")
    if "name" not in texts:
        return [element]
    figure = nodes.figure("", element, classes=["optkit-live"])
    figure["names"].append(nodes.fully_normalize_name(texts["name"]))
    renderer.renderer.document.note_explicit_target(figure, figure)
    (paragraph,) = _markdown(renderer, data, texts["caption"])
    figure += nodes.caption(paragraph.rawsource, "", *paragraph.children)
    return [figure]


def _markdown(renderer: NbElementRenderer, data: MimeData, text: str) -> list[nodes.Element]:
    """Parse MyST with the book's own settings, roles and labels included."""
    holder = nodes.Element()
    with renderer.renderer.current_node_context(holder):
        renderer.renderer.nested_render_text(text, data.line or 0)
    return holder.children


# kind → the form of the output that goes on the page, and what sets it
_SETTERS = {
    "figure": ("image/png", _figure),
    "equation": ("text/markdown", _equation),
    "source": ("text/markdown", _source),
    "claims": ("text/markdown", _claims),
    "table": ("text/markdown", _table),
    "live": ("text/html", _live),
}
