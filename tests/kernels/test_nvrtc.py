"""NVRTC takes the CUDA of every rule, for every architecture and without a device, and fuses nothing."""

import re

import pytest

from optkit.kernels import nvrtc
from optkit.kernels.compiler import Unavailable
from optkit.rules import RULES, rule
from optkit.translation.cuda import to_cuda

DTYPES = ("float32", "float64", "bfloat16", "float16")

try:
    nvrtc.library()
    here = True
except Unavailable:
    here = False
needs_nvrtc = pytest.mark.skipif(not here, reason="NVRTC is not installed: pip install nvidia-cuda-nvrtc")


@rule
def names_of_cuda(theta, g, warpSize, dim3, t, *, printf=0.1, size_t=0.2, clock=0.3, M_PI=3.0, both=1.0):
    """Names that CUDA's own text may hold."""
    float4 = dim3 + clock * g / M_PI
    min = warpSize - size_t * float4
    warpSize = min * both
    dim3 = float4
    theta = theta - printf * float4
    return theta, warpSize, dim3


def text(source, dtype, **options):
    return to_cuda(source, dtype=dtype, **options, **dict.fromkeys(source.inputs, 1.0))


def operations(ptx):
    """The instructions of a PTX text, without their operands."""
    return set(re.findall(r"^\s+(?:@!?%\w+\s+)?([a-z][\w.]*)", ptx, re.MULTILINE))


@needs_nvrtc
@pytest.mark.parametrize("architecture", [75, 80, 90, 120])
@pytest.mark.parametrize("source", [*RULES.values(), names_of_cuda], ids=lambda source: source.name)
def test_every_rule_compiles_for(source, architecture):
    for dtype in DTYPES:
        code = nvrtc.compiled(text(source, dtype), f"sm_{architecture}")
        assert code.startswith(b"\x7fELF")


@needs_nvrtc
@pytest.mark.parametrize("architecture", [75, 80, 90, 120])
@pytest.mark.parametrize("source", RULES.values(), ids=lambda source: source.name)
def test_the_ptx_rounds_every_operation_by_itself(source, architecture):
    for dtype in DTYPES:
        found = operations(
            nvrtc.compiled(
                text(source, dtype, maximize=True, decay="coupled"), f"compute_{architecture}"
            ).decode()
        )
        floats = {x for x in found if x.endswith((".f32", ".f64")) and x.split(".")[0] in ROUNDED}
        assert floats and all(".rn." in x for x in floats), floats
        assert not {x for x in found if "fma" in x or ("mad" in x and ".f" in x)}
        assert not {x for x in found if ".ftz" in x or ".approx" in x or ".full" in x}


ROUNDED = {"add", "sub", "mul", "div", "sqrt", "rcp"}


@needs_nvrtc
def test_the_check_of_the_ptx_sees_fused_and_flushed_operations(monkeypatch):
    source = 'extern "C" __global__ void f(float* x) { x[0] = x[1] * x[2] + x[3]; }'
    assert operations(nvrtc.compiled(source, "compute_90").decode()) & {"mul.rn.f32", "add.rn.f32"}
    monkeypatch.setattr(nvrtc, "STRICT", ())
    assert "fma.rn.f32" in operations(nvrtc.compiled(source + " ", "compute_90").decode())
    monkeypatch.setattr(nvrtc, "STRICT", ("--ftz=true", "--fmad=false"))
    assert "mul.rn.ftz.f32" in operations(nvrtc.compiled(source + "  ", "compute_90").decode())


@needs_nvrtc
def test_a_text_that_is_no_cuda_is_refused_with_the_log():
    with pytest.raises(Unavailable, match=r"nvrtcCompileProgram failed(.|\n)*optkit.cu\(2\): error"):
        nvrtc.compiled("int x();\nthis is no CUDA", "sm_90")


@needs_nvrtc
def test_a_target_that_nvrtc_does_not_know_is_refused():
    with pytest.raises(Unavailable, match="invalid value for --gpu-architecture"):
        nvrtc.compiled("int x();", "sm_10")


def test_the_target_is_the_device_or_the_newest_older_one(monkeypatch):
    monkeypatch.setattr(nvrtc, "architectures", lambda: (75, 80, 90, 120))
    monkeypatch.setattr(nvrtc, "version", lambda: (13, 0))
    assert nvrtc.target((9, 0)) == "sm_90"
    assert nvrtc.target((12, 1)) == "compute_120"
    assert nvrtc.target((8, 9)) == "compute_80"
    with pytest.raises(Unavailable, match=r"NVRTC 13.0 knows no compute capability below 7.5, .* has 7.0"):
        nvrtc.target((7, 0))


@pytest.fixture
def anew():
    nvrtc.library.cache_clear()
    yield
    nvrtc.library.cache_clear()


def test_no_nvrtc_is_said(anew, monkeypatch):
    monkeypatch.setattr(nvrtc, "places", lambda: iter(()))
    with pytest.raises(Unavailable, match=r"NVRTC is not installed; pip install 'optkit\[gpu\]' brings it"):
        nvrtc.compiled("int x();", "sm_90")


def test_a_damaged_nvrtc_is_said_and_the_next_is_tried(anew, monkeypatch, tmp_path):
    for name in ("lib64/libnvrtc.so.13", "lib/libnvrtc.so.13", "bin/nvrtc64_130_0.alt.dll"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("no library")
    monkeypatch.setenv("CUDA_PATH", str(tmp_path))
    mine = [place for place in nvrtc.places() if place.startswith(str(tmp_path))]
    assert [place.split("/")[-2:] for place in mine] == [
        ["lib64", "libnvrtc.so.13"], ["lib", "libnvrtc.so.13"]
    ]  # fmt: skip
    monkeypatch.setattr(nvrtc, "places", lambda: iter(mine))
    with pytest.raises(
        Unavailable, match=r"lib64/libnvrtc.so.13 does not load: .*; .*lib/libnvrtc.so.13 does"
    ):
        nvrtc.library()
