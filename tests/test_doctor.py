"""What the doctor says, on a machine with a compiler and on one without."""

import os
import subprocess
import sys

import pytest
import torch

from optkit.doctor import report
from optkit.kernels import backend
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
    found_lines = doctor()
    keys = {"optkit", "torch", "threads", "compiler", "cache", "device", *RULES}
    assert keys <= set(found_lines)
    assert "no optimizer: it needs grad_norm; call the rule itself" in found_lines["sam_perturbation"]
    found = next(compilers(), None)
    path = "torch chunks" if found is None else "C"
    assert found_lines["adam"].startswith(path + " ")
    assert (found is None) or found.path in found_lines["compiler"]


def test_the_report_says_why_c_is_not_taken(tmp_path):
    forced = doctor(OPTKIT_BACKEND="torch")
    assert forced["adam"].split() == "torch chunks torch OPTKIT_BACKEND is torch".split()
    bare = {"PATH": str(tmp_path), "CC": ""}
    missing = doctor(**bare)
    assert missing["C"].startswith("cannot be had: no C compiler was found")
    assert missing["adam"].split() == "torch chunks torch C cannot be had, see above".split()
    impossible = doctor(OPTKIT_BACKEND="c", **bare)
    assert impossible["adam"].split() == "error torch OPTKIT_BACKEND is c, and C cannot be had".split()


def test_the_report_says_what_a_gpu_does(monkeypatch):
    monkeypatch.setenv("OPTKIT_BACKEND", "")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "a GPU")
    for reason, path in (("", "CUDA"), ("CuPy does not import", "torch")):
        monkeypatch.setattr(backend, "why_no_cuda", lambda reason=reason: reason)
        lines = report().splitlines()
        (adam,) = [line.split() for line in lines if line.startswith("adam ")]
        assert path in adam[2:4]
        assert any(line.startswith("CUDA ") and reason in line for line in lines)
    monkeypatch.setattr(backend, "why_no_cuda", lambda: "")
    monkeypatch.setenv("OPTKIT_BACKEND", "torch")
    assert not any(" CUDA " in line for line in report().splitlines() if line.startswith("adam "))


def test_without_a_command_the_usage_is_shown():
    done = subprocess.run([sys.executable, "-m", "optkit"], capture_output=True, text=True)
    assert done.returncode == 2 and "doctor" in done.stderr
    from optkit.__main__ import main

    with pytest.raises(SystemExit):
        main(["nurse"])
