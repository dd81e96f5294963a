"""Find a Chromium for Playwright, or get one.

First the system's own, by name; then the one that Playwright's installer keeps, which is fetched if it is not
there; then the one of the system's package manager. `python tools/chromium.py` prints what was found.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Package managers, and how each installs Chromium without asking; all need root.
MANAGERS = {
    "apt-get": ("apt-get", "install", "--yes", "--no-install-recommends", "chromium"),
    "dnf": ("dnf", "install", "--assumeyes", "chromium"),
    "apk": ("apk", "add", "chromium"),
    "pacman": ("pacman", "--sync", "--noconfirm", "chromium"),
}
MINUTES = 10
# No host but this machine is ever looked up, so that a page that asks for another cannot get it.
ONLY_THIS_MACHINE = "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"


class NoBrowserError(RuntimeError):
    """No Chromium is here, and none could be got; the message says what was tried."""


def launch_arguments() -> list[str]:
    """Command line of the browser: no other host; as root it runs only without its sandbox."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    return [ONLY_THIS_MACHINE, *(["--no-sandbox"] if root else [])]


@functools.cache
def find() -> str:
    """The path of a Chromium that starts.

    Raises:
        NoBrowserError: Neither the system nor an installer has one.
    """
    tried = []
    for name, way in WAYS.items():
        for path in way():
            if _starts(path):
                return path
        tried.append(name)
    raise NoBrowserError(f"no Chromium was found (tried: {', '.join(tried)})")


def _starts(path: str) -> bool:
    if not path or not Path(path).exists():
        return False
    try:
        done = subprocess.run([path, "--version"], capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _of_the_system() -> Iterator[str]:
    yield from (shutil.which(name) or "" for name in NAMES)


def _of_playwright() -> Iterator[str]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    yield path
    _run((sys.executable, "-m", "playwright", "install", "chromium"))
    yield path


def _of_the_package_manager() -> Iterator[str]:
    for manager, command in MANAGERS.items():
        if shutil.which(manager) and _run(command):
            yield from _of_the_system()


def _run(command: tuple[str, ...]) -> bool:
    try:
        done = subprocess.run(command, capture_output=True, timeout=60 * MINUTES, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


WAYS = {
    "the names " + ", ".join(NAMES): _of_the_system,
    "Playwright's installer": _of_playwright,
    "the system's package manager": _of_the_package_manager,
}

if __name__ == "__main__":
    try:
        print(find())
    except NoBrowserError as error:
        sys.exit(str(error))
