"""optkit: gradient-based optimization, every update rule written once.

The rooms of the package load when they are first used: ``import optkit`` needs neither torch nor NumPy.

>>> import optkit
>>> optkit.__version__
'0.1.0'
"""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

__version__ = "0.1.0"


def _rooms() -> list[str]:
    return [module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")]


def __getattr__(name: str) -> ModuleType:
    if name in _rooms():
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"optkit has no {name!r}; it has {', '.join(_rooms())}")


def __dir__() -> list[str]:
    return ["__version__", *_rooms()]
