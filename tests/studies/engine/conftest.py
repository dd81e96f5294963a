"""A small study, optimizers that keep a log, die or break on demand, and a PostgreSQL server of one's own."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from optkit.studies.engine import Arm, Budget, Data, Span, Study

HOOKS = '''
"""Optimizers for tests, in a module that worker processes can import."""
import glob, os, signal, time
from pathlib import Path
from torch.optim import SGD

class Logged(SGD):
    """Notes each run in a file. In the run of that number: at step 10 does what is to be done."""
    def __init__(self, params, lr, log, at=None, do="", meet=0):
        super().__init__(params, lr=lr)
        with open(log, "a") as file:
            file.write(f"{os.getpid()}\\n")
        pids = Path(log).read_text().split()
        self.due, self.count, self.do = len(pids) == at, 0, do
        until = time.monotonic() + 120
        while len(set(Path(log).read_text().split())) < meet:  # until so many workers have a run in hand
            assert time.monotonic() < until
            time.sleep(0.05)

    def step(self, closure):
        self.count += 1
        if self.due and self.count == 10:
            what, _, target = self.do.partition(" ")
            if what == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            elif what == "remove":
                for path in glob.glob(target):
                    os.unlink(path)
            elif what == "interrupt":
                raise KeyboardInterrupt
            elif what == "disk":
                raise OSError(28, "No space left on device")
        return super().step(closure)

def fragile(params, lr):
    if lr > 0.05:
        raise ValueError(f"lr must be <= 0.05, got {lr}")
    return SGD(params, lr=lr)

def broken(params, lr):
    raise RuntimeError("broken")
'''


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where results go, with the hooks importable here and in worker processes."""
    (tmp_path / "hooks.py").write_text(HOOKS)
    monkeypatch.setenv("OPTKIT_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path / "results"


@pytest.fixture
def declare(folder):
    """Makes a small study; 7 runs unless changed."""

    def make(**changes):
        sgd = Arm("torch.optim.SGD", space={"lr": Span(0.01, 0.1)}, defaults={})
        return Study(
            "small",
            "Does it run?",
            **{
                "data": Data("digits", validation=100, train=300),
                "model": "logistic_regression",
                "budget": Budget(20, 32, 10),
                "arms": {"sgd": sgd},
                "trials": 3,
                "tuning_seeds": (0,),
                "fresh_seeds": (1, 2),
                "score": "validation_loss",
                "target": 1.0,
            }
            | changes,
        )

    return make


@pytest.fixture
def logged(folder, declare):
    """Makes a study that notes each run in a file: 3 trials, 2 seeds, 5 runs."""
    log = folder.parent / "log"

    def make(**fixed):
        arm = Arm("hooks.Logged", fixed={"log": str(log), **fixed}, space={"lr": Span(0.01, 0.1)})
        return declare(arms={"sgd": arm})

    make.carried_out = lambda: log.read_text().split()
    return make


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL server from the system's package, on a socket in a folder of its own."""
    folders = [str(path) for path in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    found = shutil.which("pg_ctl", path=os.pathsep.join([os.environ.get("PATH", ""), *folders]))
    if found is None:
        pytest.skip("PostgreSQL is not installed (Debian and Ubuntu: the package postgresql)")
    home = Path(tempfile.mkdtemp(prefix="optkit-pg-"))  # short: a socket's path has at most 107 letters
    user = None
    if os.getuid() == 0:  # PostgreSQL refuses to run as root
        user = "nobody"
        shutil.chown(home, user)

    def control(*words):
        subprocess.run(
            [found, "-D", str(home / "data"), "-w", *words],
            check=True, user=user, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def start():
        control("-o", f"-c listen_addresses='' -k {home}", "-l", str(home / "log"), "start")

    control("-o", "-A trust -U optkit --no-sync", "initdb")
    start()
    url = f"postgresql://optkit:secret@/postgres?host={home}"
    yield SimpleNamespace(url=url, start=start, stop=lambda: control("-m", "immediate", "stop"))
    control("-m", "immediate", "stop")
    shutil.rmtree(home)


@pytest.fixture(params=["file", "postgres"])
def storage(request):
    """No URL, and that of a server: what holds for one holds for the other."""
    return None if request.param == "file" else request.getfixturevalue("postgres").url
