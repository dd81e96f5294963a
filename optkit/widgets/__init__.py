"""Figures that answer: the playground and its relatives, alive in the page and in a notebook.

>>> from optkit.widgets import Playground
>>> Playground("rosenbrock", ["adam", "momentum_common"])
Playground('rosenbrock', ['adam', 'momentum_common'])
"""

from optkit.widgets.playground import Playground

__all__ = ["Playground"]
