"""What the small figures share: settings that are checked traits, and a payload of names and numbers."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import traitlets

from optkit.language.hyperparameter import Hyperparameter
from optkit.widgets.embed import Widget


class Number(traitlets.TraitType):
    """A finite number in a range. Raises as `Hyperparameter.check` does."""

    def __init__(self, default: float, low: float, high: float, description: str, **more: bool) -> None:
        super().__init__(default, help=description)
        self.range = (low, high, more)
        self.tag(sync=True)

    def validate(self, obj: Any, value: Any) -> float:
        """The value as a float."""
        low, high, more = self.range
        Hyperparameter(self.name, low=low, high=high, **more).check(value)
        return float(value)

    def allowed(self) -> dict[str, Any]:
        """The range, for the page."""
        low, high, more = self.range
        return {
            "low": low,
            "high": high,
            "lowOpen": more.get("low_open", False),
            "highOpen": more.get("high_open", False),
        }


class Whole(traitlets.TraitType):
    """A whole number in a range."""

    def __init__(self, default: int, low: int, high: int, description: str) -> None:
        super().__init__(default, help=description)
        self.range = (low, high)
        self.tag(sync=True)

    def validate(self, obj: Any, value: Any) -> int:
        """The value as an int."""
        low, high = self.range
        whole = isinstance(value, float) and value.is_integer()  # what JSON makes of 3.0
        if isinstance(value, bool) or not (hasattr(value, "__index__") or whole):
            raise TypeError(f"{self.name} must be a whole number, got {value!r}")
        if not low <= int(value) <= high:
            raise ValueError(f"{self.name} must be in {low}..{high}, got {value}")
        return int(value)

    def allowed(self) -> dict[str, Any]:
        """The range, for the page."""
        return {"low": self.range[0], "high": self.range[1], "integer": True}


class Choice(traitlets.TraitType):
    """One of several names."""

    def __init__(self, default: str, names: tuple[str, ...], description: str) -> None:
        super().__init__(default, help=description)
        self.names = names
        self.tag(sync=True)

    def validate(self, obj: Any, value: Any) -> str:
        """The name itself."""
        if value not in self.names:
            raise ValueError(f"{self.name} must be one of {', '.join(map(repr, self.names))}, got {value!r}")
        return value

    def allowed(self) -> dict[str, Any]:
        """The names, for the page."""
        return {"names": list(self.names)}


class Flag(traitlets.TraitType):
    """True or False."""

    def __init__(self, default: bool, description: str) -> None:
        super().__init__(default, help=description)
        self.tag(sync=True)

    def validate(self, obj: Any, value: Any) -> bool:
        """The flag itself."""
        if not isinstance(value, bool):
            raise TypeError(f"{self.name} must be True or False, got {value!r}")
        return value

    def allowed(self) -> dict[str, Any]:
        """That it is a flag, for the page."""
        return {"flag": True}


class Point(traitlets.TraitType):
    """A point of the plane, as a list of two numbers."""

    def __init__(self, default: tuple[float, float], description: str) -> None:
        super().__init__(list(default), help=description)
        self.tag(sync=True)

    def validate(self, obj: Any, value: Any) -> list[float]:
        """The point as a list of floats."""
        try:
            found = [float(x) for x in value]
        except (TypeError, ValueError) as error:
            raise TypeError(f"{self.name} must be two numbers, got {value!r}") from error
        if len(found) != 2 or not all(math.isfinite(x) for x in found):
            raise ValueError(f"{self.name} must be two finite numbers, got {value!r}")
        return found

    def allowed(self) -> dict[str, Any]:
        """The number of coordinates, for the page."""
        return {"dim": 2}


class Relative(Widget):
    """A figure whose settings are its traits. A subclass declares them, and says how it prints.

    Raises:
        TypeError: An unknown setting, or one of the wrong kind.
        ValueError: A setting out of its range.
    """

    shared: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        kinds = (Number, Whole, Choice, Flag, Point)
        # Added to the parent's: anywidget makes a subclass of its own for every figure.
        cls.shared += tuple(name for name, trait in vars(cls).items() if isinstance(trait, kinds))

    def __init__(self, **settings: Any) -> None:
        unknown = sorted(set(settings) - set(self.shared))
        if unknown:
            known = ", ".join(self.shared)
            raise TypeError(f"{', '.join(unknown)} is no setting of {type(self).__name__}; it has {known}")
        super().__init__(_config=self._constants(), **settings)

    @classmethod
    def initial(cls) -> dict[str, Any]:
        """The default of each setting."""
        return {name: cls.class_traits()[name].default() for name in cls.shared}

    @classmethod
    def _constants(cls) -> dict[str, Any]:
        """What the JavaScript needs besides the settings."""
        allowed = {name: cls.class_traits()[name].allowed() for name in cls.shared}
        return {"initial": cls.initial(), "allowed": allowed, "python": cls.__name__}

    def __repr__(self) -> str:
        initial = self.initial()
        given = (f"{name}={value!r}" for name, value in self.state.items() if value != initial[name])
        return f"{type(self).__name__}({', '.join(given)})"
