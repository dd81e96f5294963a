"""The names that a declaration may use: dotted paths of what lies in packages."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["resolve"]


def resolve(path: str, home: str | None = None) -> Any:
    """What lies at a dotted path, such as ``torch.optim.SGD``.

    Args:
        path: Module and name, or a name alone.
        home: The module of names without a dot.

    Raises:
        ValueError: There is nothing at that path.

    Example:
        >>> resolve("sqrt", "math")(9.0)
        3.0
    """
    module, _, name = path.rpartition(".")
    try:
        return getattr(import_module(module or home or ""), name)
    except (ImportError, AttributeError, ValueError) as error:
        place = f" in {home}" if home and not module else ""
        raise ValueError(f"there is nothing named {path!r}{place}: {error}") from error
