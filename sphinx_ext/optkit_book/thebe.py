"""Keep Thebe off the pages: Jupyter Book loads its extension always, and its scripts name another host."""

from __future__ import annotations

from sphinx.application import Sphinx
from sphinx.config import Config


def drop_style(app: Sphinx, config: Config) -> None:
    """Leave its style sheet out of the pages."""
    app.registry.css_files[:] = [file for file in app.registry.css_files if file[0] != "sphinx-thebe.css"]


def disconnect(app: Sphinx) -> None:
    """Undo what ``sphinx_thebe`` has connected to Sphinx's events."""
    connected = [listener for listeners in app.events.listeners.values() for listener in listeners]
    for listener in connected:
        if listener.handler.__module__.split(".")[0] == "sphinx_thebe":
            app.disconnect(listener.id)
