"""The lock, the environment that runs, environment.yml and the stated requirements say the same."""

import importlib.util
import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import optkit

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def pins():
    spec = importlib.util.spec_from_file_location("pins", ROOT / "tools" / "pins.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_running_environment_is_the_locked_one(pins):
    running = {name: Version(version(name)).public for name in pins.read_lock()}
    assert running == pins.read_lock()


def test_the_lock_holds_all_that_is_needed_and_nothing_else(pins):
    assert set(pins.closure(pins.wanted())) == set(pins.read_lock())


def test_the_stated_ranges_hold_the_locked_versions(pins):
    for requirement in pins.wanted():
        assert requirement.specifier.contains(pins.read_lock()[canonicalize_name(requirement.name)]), (
            requirement
        )


def test_a_lock_has_exact_public_versions_in_order(pins):
    lines = pins.LOCK.read_text(encoding="utf-8").splitlines()[1:]
    assert lines == sorted(lines, key=lambda line: line.split("==")[0])
    assert all(
        re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*(; sys_platform == \"linux\")?", line) for line in lines
    )


def test_environment_yml_is_made_from_the_lock(pins):
    assert pins.ENVIRONMENT.read_text(encoding="utf-8") == pins.environment_text(pins.lock_lines())


def test_a_dependency_of_a_dependency_is_in_the_closure(pins):
    found = pins.closure([Requirement("pytest>=9")])
    assert {"pytest", "pluggy", "iniconfig"} <= set(found)


def test_what_only_some_systems_have_is_locked_for_them(pins):
    text = pins.lock_text([Requirement("pluggy; sys_platform != 'no system'"), Requirement("iniconfig")])
    assert re.search(r'^pluggy==[\d.]+; sys_platform != "no system"$', text, re.MULTILINE)
    assert re.search(r"^iniconfig==[\d.]+$", text, re.MULTILINE)
    assert not [one for one in pins.wanted() if one.marker and not one.marker.evaluate()]


def test_the_tests_compile_with_the_nvrtc_of_the_gpu_extra(pins):
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = [
        {line.split(";")[0] for line in extras["optional-dependencies"][extra] if "nvrtc" in line}
        for extra in ("test", "gpu")
    ]
    assert found[0] == found[1] == {f"nvidia-cuda-nvrtc=={pins.read_lock()['nvidia-cuda-nvrtc']}"}


def test_the_tests_run_studies_with_what_the_extra_installs():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = extras["optional-dependencies"]
    assert set(found["studies"]) <= set(found["test"])


def test_one_version_everywhere():
    assert version("optkit") == optkit.__version__
    assert f"version: {optkit.__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"## {optkit.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
