"""Every problem of the course, written once, from simple to involved."""

from optkit.language.functions import cos, pi, relu, sin, sqrt
from optkit.problems.problem import problem

CONDITION = {
    "symbol": r"\kappa",
    "low": 1.0,
    "log": True,
    "description": "Condition number: steepest curvature over gentlest.",
}
ANGLE = {"symbol": r"\varphi", "description": "By how many radians the axes are turned."}


@problem(
    start=(-4.0, 1.5),
    window=((-5.0, 5.0), (-2.5, 2.5)),
    minima=[(0.0, 0.0)],
    condition=CONDITION,
    angle=ANGLE,
)
def quadratic(x, y, *, condition=10.0, angle=0.0):
    """A quadratic bowl with curvatures 1 and κ."""
    u = cos(angle) * x + sin(angle) * y
    w = cos(angle) * y - sin(angle) * x
    return (u * u + condition * w * w) / 2


@problem(
    start=(-6.0, 0.8),
    window=((-7.0, 3.0), (-1.5, 1.5)),
    minima=[(0.0, 0.0)],
    condition=CONDITION,
)
def half_pipe(x, y, *, condition=50.0):
    """A half-pipe: steep walls across, and a slope along it that grows no steeper than 1."""
    slope = sqrt(1 + x * x)
    return slope - 1 + condition * y * y / 2


@problem(
    start=(-1.2, 1.0),
    window=((-2.0, 2.0), (-1.0, 3.0)),
    minima=[(1.0, 1.0)],
    citation="rosenbrock1960automatic",
    depth={
        "low": 0.0,
        "low_open": True,
        "log": True,
        "description": "How steep the walls of the valley are.",
    },
)
def rosenbrock(x, y, *, depth=100.0):
    """Rosenbrock's banana: a curved valley with steep walls and a nearly flat floor."""
    wall = y - x * x
    return (1 - x) * (1 - x) + depth * wall * wall


@problem(
    start=(1.0, -1.0),
    window=((-1.0, 4.5), (-2.0, 2.0)),
    minima=[(3.0, 0.5)],
    saddles=[(0.0, 1.0)],
    citation="beale1958iterative",
)
def beale(x, y):
    """Beale's function: a flat valley between steep corners."""
    a = 1.5 - x + x * y
    b = 2.25 - x + x * y * y
    c = 2.625 - x + x * y * y * y
    return a * a + b * b + c * c


@problem(
    start=(0.0, 0.0),
    window=((-5.0, 5.0), (-5.0, 5.0)),
    minima=[
        (3.0, 2.0),
        (-2.805118086952745, 3.131312518250573),
        (-3.779310253377747, -3.283185991286170),
        (3.584428340330492, -1.848126526964404),
    ],
    saddles=[
        (0.08667750455539634, 2.884254701174776),
        (-3.0730257507643897, -0.08135304428796751),
        (3.385154183607021, 0.07385187983774928),
        (-0.12796134673068005, -1.9537149802445766),
    ],
    citation="himmelblau1972applied",
)
def himmelblau(x, y):
    """Himmelblau's function: four equal minima, between them four saddles and a hill."""
    a = x * x + y - 11
    b = x + y * y - 7
    return a * a + b * b


@problem(start=(-3.0, 1.2), window=((-4.0, 4.0), (-1.75, 1.75)))
def widening_valley(x, y):
    """A valley with a level floor, all of it minima, and walls that are gentlest at its middle."""
    return (1 + x * x) * y * y / 2


@problem(
    start=(-1.5, 0.01),
    window=((-2.0, 2.0), (-1.75, 1.75)),
    minima=[(0.0, 1.0), (0.0, -1.0)],
    saddles=[(0.0, 0.0)],
    citation="dauphin2014identifying",
)
def saddle(x, y):
    """A saddle between two minima."""
    return (x * x - y * y) / 2 + y * y * y * y / 4


@problem(
    start=(0.9, 0.02),
    window=((-1.5, 1.5), (-1.5, 1.5)),
    saddles=[(0.0, 0.0)],
)
def monkey_saddle(x, y):
    """The monkey saddle: three ways down, no curvature at all at its middle, and no minimum."""
    return x * x * x - 3 * x * y * y


@problem(
    start=(3.3, 2.4),
    window=((-5.12, 5.12), (-5.12, 5.12)),
    minima=[(0.0, 0.0)],
    citation="rastrigin1974systems",
    amplitude={"symbol": "A", "low": 0.0, "description": "Height of the waves; 0 leaves a round bowl."},
)
def rastrigin(x, y, *, amplitude=10.0):
    """Rastrigin's function: a bowl under waves, with a local minimum near every whole number."""
    wave = 2 - cos(2 * pi * x) - cos(2 * pi * y)
    return x * x + y * y + amplitude * wave


@problem(
    start=(-1.0, 1.5),
    window=((-1.75, 1.75), (-0.5, 2.0)),
    minima=[(1.0, 1.0)],
    citation="castera2021inertial",
)
def nonsmooth_ravine(x, y):
    """INNA's toy: a ravine with a kink along its floor and another across it; one critical point."""
    wall = y - abs(x)
    return 100 * wall * wall + abs(1 - x)


@problem(
    start=(0.0,),
    window=((-2.0, 2.0),),
    spurious=[(0.0,)],
    citation="castera2021inertial",
)
def relu_difference(x):
    """The identity in disguise: it has no critical point, yet derivatives by parts give 0 at 0."""
    return relu(x) - relu(-x)


noisy_quadratic = problem(
    quadratic.formula,
    name="noisy_quadratic",
    description="A quadratic bowl; its gradient has noise, "
    "of standard deviation 1 in each coordinate unless set otherwise.",
    start=(-4.0, 1.5),
    window=((-5.0, 5.0), (-2.5, 2.5)),
    minima=[(0.0, 0.0)],
    noise=1.0,
    citation="zhang2019which",
    condition=CONDITION,
    angle=ANGLE,
)
