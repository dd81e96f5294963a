"""A study's stored result as a small table: what a chapter shows beside its claim."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from optkit.studies.engine.declaration import Study
from optkit.studies.engine.result import arms, middle_and_range

__all__ = ["summary"]

HEADS: Mapping[str, str] = {
    "lr": "ε",
    "rho": "ρ",
    "train_loss": "training loss",
    "test_accuracy": "test accuracy, %",
    "top_eigenvalue": "λ₁",
}
PERCENT = ("test_accuracy",)


def summary(study: Study, columns: Sequence[str]) -> list[dict[str, str]]:
    """A row for each arm at its chosen point: options as they are, numbers as median (lowest–highest).

    A run that diverged or failed counts as one without a value.

    Args:
        study: The declaration, with a stored result.
        columns: Of options (``"lr"``), of what every run has (``"steps"``, ``"gradients"``, ``"train_loss"``,
            ``"test_accuracy"``), or of what the study measures. A dash where an arm has no such option.

    Raises:
        ResultError: The result is missing, damaged, or of another declaration.

    Example:
        >>> from optkit.studies.scheduling import SCALING
        >>> summary(SCALING, ["steps", "test_accuracy"])[0]
        {'arm': 'k = 1', 'steps': '1500', 'test accuracy, %': '85.3 (84.1–86.5)'}
    """
    return [
        {"arm": name} | {HEADS.get(column, column): _cell(arm["fresh"], column) for column in columns}
        for name, arm in arms(study).items()
    ]


def _cell(runs: Sequence[Mapping[str, Any]], column: str) -> str:
    options = runs[0]["options"]
    if column in options:
        value = options[column]
        return f"{value:.3g}" if isinstance(value, float) else str(value)
    values = [_value(run, column) for run in runs]
    if all(value is None for value in values) and all(run["outcome"] == "finished" for run in runs):
        return "–"
    if len(set(values)) == 1 and values[0] is not None and float(values[0]).is_integer():
        return f"{values[0]:.0f}"
    return middle_and_range(values, "{:.1f}" if column in PERCENT else "{:.3g}")


def _value(run: Mapping[str, Any], column: str) -> float | None:
    if run["outcome"] != "finished":
        return None
    value = run.get(column, run.get("measures", {}).get(column))
    return 100 * value if column in PERCENT and value is not None else value
