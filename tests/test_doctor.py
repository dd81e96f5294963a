"""What the doctor says, on a machine with a compiler and on one without."""

import os
import subprocess
import sys

import pytest

from optkit.kernels.compiler import compilers
from optkit.rules import RULES


def doctor(**environment):
    """The report as a mapping: first word of each line → the rest."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "optkit", "doctor"],
        capture_output=True, text=True, check=True, env={**os.environ, "OPTKIT_BACKEND": "", **environment},
    )  # fmt: skip
    return {line.split(None, 1)[0]: line.split(None, 1)[1] for line in done.stdout.splitlines() if line}


def test_the_report_names_a_path_for_every_rule():
    report = doctor()
    assert set(RULES) <= set(report) and {"optkit", "torch", "threads", "compiler", "cache", "device"} <= set(
        report
    )
    assert "no optimizer: it needs grad_norm; call the rule itself" in report["sam_perturbation"]
    found = next(compilers(), None)
    path = "torch chunks" if found is None else "C"
    assert report["adam"].startswith(path + " ")
    assert (found is None) or found.path in report["compiler"]


def test_the_report_says_why_c_is_not_taken(tmp_path):
    forced = doctor(OPTKIT_BACKEND="torch")
    assert forced["adam"].split() == "torch chunks torch OPTKIT_BACKEND is torch".split()
    bare = {"PATH": str(tmp_path), "CC": ""}
    missing = doctor(**bare)
    assert missing["C"].startswith("cannot be had: no C compiler was found")
    assert missing["adam"].split() == "torch chunks torch C cannot be had, see above".split()
    impossible = doctor(OPTKIT_BACKEND="c", **bare)
    assert impossible["adam"].split() == "error torch OPTKIT_BACKEND is c, and C cannot be had".split()


def test_without_a_command_the_usage_is_shown():
    done = subprocess.run([sys.executable, "-m", "optkit"], capture_output=True, text=True)
    assert done.returncode == 2 and "doctor" in done.stderr
    from optkit.__main__ import main

    with pytest.raises(SystemExit):
        main(["nurse"])
