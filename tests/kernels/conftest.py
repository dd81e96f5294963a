"""The shim: a device that runs CUDA texts on the CPU, compiled as they are by a C++ compiler."""

import ctypes
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

SHIM = Path(__file__).with_name("cuda_shim.h")
ENTRY = """
extern "C" int launch(unsigned grid, unsigned block, void** arguments)
{
    return count_and_launch(optkit_step, grid, block, arguments);
}
"""


class Shim:
    """Stands for `optkit.kernels.cuda.Device`; `shape` overrides blocks and threads a block."""

    def __init__(self, folder):
        self.folder, self.shape = folder, None
        self.handle = self.asked = 0
        self.uploads, self.launches, self._known = [], [], {}

    def stream(self):
        return SimpleNamespace(cuda_stream=self.handle)

    def upload(self, array):
        self.uploads.append(array.copy())
        copy = self.uploads[-1]
        return SimpleNamespace(data_ptr=lambda: copy.ctypes.data)

    def later(self, number):
        value = ctypes.c_float.from_address(number.data_ptr()).value
        self.asked += 1
        return lambda: value

    def load(self, source):
        if source not in self._known:
            text, file = self.folder / f"{len(self._known)}.cpp", self.folder / f"{len(self._known)}.so"
            text.write_text(source + ENTRY)
            command = [shutil.which("g++") or "clang++", "-std=c++17", "-O2", "-ffp-contract=off", "-shared"]
            command += ["-fPIC", "-w", "-include", str(SHIM), str(text), "-o", str(file)]
            subprocess.run(command, check=True)
            function = ctypes.CDLL(str(file)).launch
            function.argtypes = [ctypes.c_uint, ctypes.c_uint, ctypes.c_void_p]
            self._known[source] = function
        function = self._known[source]

        def launch(blocks, threads, arguments, stream):
            held = [np.array(argument) for argument in arguments]
            assert [x.dtype.itemsize for x in held] == [8] * function(0, 0, None)
            addresses = np.array([x.ctypes.data for x in held], np.uint64)
            self.launches.append((blocks, threads, stream.cuda_stream))
            function(*(self.shape or (blocks, threads)), addresses.ctypes.data)

        return launch


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    if not (shutil.which("g++") or shutil.which("clang++")):
        pytest.skip("no C++ compiler on the PATH")
    return Shim(tmp_path_factory.mktemp("shim"))
