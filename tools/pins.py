"""Write requirements.lock from the environment this runs in, and environment.yml from the lock.

    python tools/pins.py            writes both files
    python tools/pins.py --binder   writes environment.yml alone, from the lock as it stands

The lock holds what optkit with its extras `book` and `test` needs, directly or through another package, each
at the one version installed here. It holds no local version label (`torch==2.13.0`, not `2.13.0+cpu`): users
may have another build of the same release.
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
# What a reader in the browser has beside the locked environment: JupyterLab, and MyST directives shown in it.
BINDER = ("jupyterlab==4.6.6", "jupyterlab-myst==2.7.0")


def wanted() -> list[Requirement]:
    """The requirements which pyproject.toml states, with those of its extras and of the build backend."""
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = stated["project"]
    lines = list(project["dependencies"]) + list(stated["build-system"]["requires"])
    for extra in project["optional-dependencies"].values():
        lines += extra
    return [Requirement(line) for line in lines]


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


def lock_text(versions: dict[str, Version]) -> str:
    """The text of requirements.lock: one exact pin a line, sorted by name."""
    return LOCK_HEAD + "".join(f"{name}=={versions[name].public}\n" for name in sorted(versions))


def read_lock() -> dict[str, str]:
    """The pins of requirements.lock, by name."""
    lines = [line for line in LOCK.read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    return dict(line.split("==") for line in lines)


def environment_text(pins: dict[str, str]) -> str:
    """The text of environment.yml: the same pins, JupyterLab, and optkit itself from the checkout."""
    lines = [f"{name}=={version}" for name, version in pins.items()] + list(BINDER) + ["--editable ."]
    return (
        ENVIRONMENT_HEAD
        + "name: optkit\nchannels:\n  - conda-forge\ndependencies:\n  - python=3.11\n  - pip\n  - pip:\n"
        + "".join(f"      - {line}\n" for line in lines)
    )


if __name__ == "__main__":
    if "--binder" not in sys.argv[1:]:
        LOCK.write_text(lock_text(closure(wanted())), encoding="utf-8")
    ENVIRONMENT.write_text(environment_text(read_lock()), encoding="utf-8")
