"""Loss functions of one or two variables, on which optimizers can be watched.

Each function is written once, in the grammar of `optkit.language`; gradient and Hessian are derived from it:

>>> from optkit.problems import PROBLEMS, problem
>>> PROBLEMS["rosenbrock"].gradient([-1.0, 1.0])
array([-4.,  0.])
>>> PROBLEMS["quadratic"].replace(condition=100.0).hessian([0.0, 0.0])
array([[  1.,   0.],
       [  0., 100.]])

Add one: write it in ``landscapes.py``, and its name in the tuple below. A function of your own: `problem`.
"""

from optkit.problems.landscapes import (
    beale,
    half_pipe,
    himmelblau,
    monkey_saddle,
    noisy_quadratic,
    nonsmooth_ravine,
    quadratic,
    rastrigin,
    relu_difference,
    rosenbrock,
    saddle,
    widening_valley,
)
from optkit.problems.problem import Problem, problem

PROBLEMS: dict[str, Problem] = {
    p.name: p
    for p in (
        quadratic,
        half_pipe,
        rosenbrock,
        beale,
        himmelblau,
        widening_valley,
        saddle,
        monkey_saddle,
        rastrigin,
        nonsmooth_ravine,
        relu_difference,
        noisy_quadratic,
    )
}

__all__ = ["PROBLEMS", "Problem", "problem", *PROBLEMS]
