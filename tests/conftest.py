"""For all tests: where there is no compiler torch steps; compiled kernels stay out of the user's cache."""

import os

import chromium
import pytest

from optkit.kernels import backend, compiler

if next(compiler.compilers(), None) is None:
    os.environ.setdefault(backend.VARIABLE, "torch")  # known, and so no reason for a warning


def pytest_report_header():
    """Which way the optimizers step in this run."""
    found = next(compiler.compilers(), None)
    return f"optkit steps by: {'torch alone, no C compiler was found' if found is None else found.path}"


@pytest.fixture(scope="session", autouse=True)
def kernel_cache(request):
    """Kept between runs, in the folder that `make clean` removes."""
    folder = request.config.cache.mkdir("kernels")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiler, "cache_folder", lambda: folder)
        yield


def not_run(reason: str) -> None:
    """Say in one line that a test is not run; in continuous integration that is a failure."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(f"NOT RUN: {reason}")


@pytest.fixture(scope="session")
def browser():
    """One Chromium for all that is tested in a page."""
    from playwright.sync_api import sync_playwright

    try:
        path = chromium.find()
    except chromium.NoBrowserError as error:
        not_run(str(error))
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=chromium.launch_arguments())
        yield opened
        opened.close()
