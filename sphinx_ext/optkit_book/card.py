"""The picture that a link to the book shows elsewhere: paths of four rules, computed at the build."""

from __future__ import annotations

from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config

FILE = "card.png"
SIZE, DPI = (1200, 630), 100  # the shape that most services show uncut
ALT = (
    "Contours of a narrow valley with the paths of gradient descent, momentum, Adam and INNA,"
    " under the words: every update rule written once."
)
PROBLEM, STEPS = "half_pipe", 60
SETTINGS = {
    "gradient_descent": {"lr": 0.037},
    "momentum_common": {"lr": 0.015, "momentum": 0.8},
    "adam": {"lr": 0.25},
    "inna": {"lr": 0.1, "alpha": 0.5, "beta": 0.2, "paper_start": False},
}


def announce(app: Sphinx, config: Config) -> None:
    """Tell the OpenGraph extension of the picture."""
    config.ogp_image, config.ogp_image_alt = f"_static/{FILE}", ALT


def write(app: Sphinx, error: Exception | None) -> None:
    """Draw the picture into a finished site, if it is not there."""
    target = Path(app.outdir) / "_static" / FILE
    if error is None and app.builder.format == "html" and not target.exists():
        draw(target, app.config.html_title)


def draw(target: Path, title: str) -> None:
    """Write the picture as a PNG file."""
    from optkit.figures import canvas, style
    from optkit.figures.surface import draw_surface
    from optkit.problems import PROBLEMS
    from optkit.rules import RULES
    from optkit.trajectories import run

    problem = PROBLEMS[PROBLEM]
    paths = {name: run(RULES[name], problem, steps=STEPS, **hyper) for name, hyper in SETTINGS.items()}
    with style():
        figure, axes = canvas()
        figure.set_size_inches(SIZE[0] / DPI, SIZE[1] / DPI)
        figure.set_layout_engine("none")
        axes.set_position((0, 0, 1, 0.72))
        draw_surface(axes, problem, paths)
        axes.set_axis_off()
        axes.get_legend().set_loc("lower right")
        figure.text(0.04, 0.87, title, fontsize=30, fontweight="bold")
        figure.text(0.04, 0.77, "Every update rule written once: text, figures, code.", fontsize=20)
        figure.savefig(target, dpi=DPI, bbox_inches=None, metadata={"Software": None})
