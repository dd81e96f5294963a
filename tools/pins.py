"""Write requirements.lock from the environment this runs in, and environment.yml from the lock.

    python tools/pins.py            writes both files
    python tools/pins.py --binder   writes environment.yml alone, from the lock as it stands

The lock holds what optkit with its extras `book` and `test` needs, directly or through another package, each
at the one version installed here. It holds no local version label (`torch==2.13.0`, not `2.13.0+cpu`): users
may have another build of the same release. What pyproject.toml wants on some systems only has its condition
in the lock, too.
"""

from __future__ import annotations

import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
ENVIRONMENT = ROOT / "environment.yml"
LOCK_HEAD = (
    "# Exact versions of the whole environment (`make lock` writes this file; `make book` installs it).\n"
)
ENVIRONMENT_HEAD = (
    "# For Binder and conda, written from requirements.lock by `make lock`: do not edit by hand.\n"
)
EXTRAS = ("book", "test")
# What a reader in the browser has beside the locked environment: JupyterLab, and MyST directives shown in it.
BINDER = ("jupyterlab==4.6.6", "jupyterlab-myst==2.7.0")


def wanted() -> list[Requirement]:
    """What pyproject.toml wants here: its requirements, those of two extras and of the build backend."""
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = stated["project"]
    lines = list(project["dependencies"]) + list(stated["build-system"]["requires"])
    for extra in EXTRAS:
        lines += project["optional-dependencies"][extra]
    requirements = [Requirement(line) for line in lines]
    return [one for one in requirements if one.marker is None or one.marker.evaluate()]


def closure(requirements: list[Requirement]) -> dict[str, Version]:
    """All distributions which the requirements need here, by canonical name, with the version installed."""
    versions: dict[str, Version] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [(requirement, "") for requirement in requirements]
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        found = distribution(name)
        versions[name] = Version(found.version)
        for wanted_extra in ["", *requirement.extras]:
            if (name, wanted_extra) not in seen:
                seen.add((name, wanted_extra))
                waiting += [(Requirement(line), wanted_extra) for line in found.requires or []]
    return versions


def lock_text(requirements: list[Requirement]) -> str:
    """The text of requirements.lock: one exact pin a line, sorted by name."""
    versions = closure(requirements)
    conditions = {canonicalize_name(one.name): f"; {one.marker}" for one in requirements if one.marker}
    return LOCK_HEAD + "".join(
        f"{name}=={versions[name].public}{conditions.get(name, '')}\n" for name in sorted(versions)
    )


def lock_lines() -> list[str]:
    """The lines of requirements.lock."""
    return [line for line in LOCK.read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]


def read_lock() -> dict[str, str]:
    """The pins of requirements.lock that hold on this system, by name."""
    pins = [Requirement(line) for line in lock_lines()]
    return {
        pin.name: str(pin.specifier).removeprefix("==")
        for pin in pins
        if pin.marker is None or pin.marker.evaluate()
    }


def environment_text(pins: list[str]) -> str:
    """The text of environment.yml: the lines of the lock, JupyterLab, and optkit itself from the checkout."""
    lines = [*pins, *BINDER, "--editable ."]
    return (
        ENVIRONMENT_HEAD
        + "name: optkit\nchannels:\n  - conda-forge\ndependencies:\n  - python=3.11\n  - pip\n  - pip:\n"
        + "".join(f"      - {line}\n" for line in lines)
    )


if __name__ == "__main__":
    if "--binder" not in sys.argv[1:]:
        LOCK.write_text(lock_text(wanted()), encoding="utf-8")
    ENVIRONMENT.write_text(environment_text(lock_lines()), encoding="utf-8")
