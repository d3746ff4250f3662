"""Runs a command at three levels of the libraries' kernels, on whatever machine it is: see `make levels`.

Libraries choose kernels by the processor, and kernels round differently, so a test may fail on one machine
alone. At each level, the test below first asks every library what it uses; only this script runs that test.
A level that the machine cannot reach is skipped.
"""

import os
import re
import subprocess
import sys
import time

import numpy as np
import pytest

# Of each library: its environment variable, the value, and what it then answers (a regular expression).
# MKL obeys MKL_ENABLE_INSTRUCTIONS, and names instructions, only on Intel's processors; MKL_CBWR on all.
LEVELS = {
    "AVX2": {
        "OpenBLAS": ("OPENBLAS_CORETYPE", "Haswell", "Haswell, Haswell"),
        "ATen": ("ATEN_CPU_CAPABILITY", "avx2", "AVX2"),
        "oneDNN": ("ONEDNN_MAX_CPU_ISA", "AVX2", "Intel AVX2"),
        "MKL": ("MKL_ENABLE_INSTRUCTIONS", "AVX2", "AVX2|unnamed"),
    },
    "plainest": {
        "OpenBLAS": ("OPENBLAS_CORETYPE", "Nehalem", "Nehalem, Nehalem"),
        "ATen": ("ATEN_CPU_CAPABILITY", "default", "DEFAULT"),
        "oneDNN": ("ONEDNN_MAX_CPU_ISA", "SSE41", "Intel SSE4.1"),
        "MKL": ("MKL_CBWR", "COMPATIBLE", "COMPATIBLE"),
    },
}
NUMPY = {"AVX2": "X86_V3", "plainest": "X86_V2"}  # the largest group of instructions
NO_NUMPY, LEVEL = "NPY_DISABLE_CPU_FEATURES", "MEMLOC_KERNELS"
VARIABLES = {NO_NUMPY, LEVEL, *(variable for level in LEVELS.values() for variable, *_ in level.values())}


def numpy_groups() -> list[str]:
    """Groups of instructions that numpy uses in this process, in ascending order."""
    simd = np.show_config(mode="dicts")["SIMD Extensions"]
    return simd["baseline"] + simd.get("found", [])


@pytest.fixture
def answers(capfd: pytest.CaptureFixture) -> dict[str, str]:
    """What each library says that it uses."""
    import scipy.linalg  # noqa: F401 (brings the second OpenBLAS)
    import threadpoolctl
    import torch

    with torch.backends.mkldnn.verbose(torch.backends.mkldnn.VERBOSE_ON):
        torch.nn.functional.conv1d(torch.ones(2, 8, 32), torch.ones(8, 8, 3))
    with torch.backends.mkl.verbose(torch.backends.mkl.VERBOSE_ON):
        torch.ones(8, 8) @ torch.ones(8, 8)
    said = capfd.readouterr().out
    mkl = re.search(r"CNR:(?!OFF)(\w+)", said) or re.search(r"\(Intel\(R\) (\S+)\) enabled", said)
    blas = [one for one in threadpoolctl.threadpool_info() if one["internal_api"] == "openblas"]
    return {
        "numpy": numpy_groups()[-1],
        "OpenBLAS": ", ".join(one["architecture"] for one in blas),
        "ATen": torch.backends.cpu.get_cpu_capability(),
        "oneDNN": re.search(r"cpu,isa:(.+)", said)[1],
        "MKL": mkl[1] if mkl else "unnamed",
    }


def test_every_library_uses_the_kernels_of_the_level(answers, capfd):
    with capfd.disabled():
        print(*(f"{library}: {answer}" for library, answer in answers.items()), sep="; ", end=" ")
    if level := os.environ.get(LEVEL):
        expected = {"numpy": NUMPY[level]} | {name: answer for name, (*_, answer) in LEVELS[level].items()}
        assert answers.keys() == expected.keys()
        assert [name for name in answers if not re.fullmatch(expected[name], answers[name])] == []
    else:
        assert not VARIABLES & os.environ.keys()


def main(*command: str) -> int:
    """Run the command at every level, and say how each ended; 1 if it failed at one."""
    as_they_are = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    groups, ended = numpy_groups(), {}
    for level in ("as they are", *LEVELS):
        print(f"\n== Kernels: {level}", flush=True)
        start, variables = time.monotonic(), {}
        if level in LEVELS:
            if NUMPY[level] not in groups:
                ended[level] = f"skipped, this machine has no {NUMPY[level]}"
                continue
            # Of others than these, numpy warns, or it does not start.
            above = groups[groups.index(NUMPY[level]) + 1 :]
            values = {variable: value for variable, value, _ in LEVELS[level].values()}
            variables = {LEVEL: level, NO_NUMPY: " ".join(above)} | values
        first = (sys.executable, "-m", "pytest", "--quiet", __file__)
        failed = any(subprocess.call(one, env=as_they_are | variables) for one in (first, command))
        ended[level] = f"{'failed' if failed else 'passed'} in {(time.monotonic() - start) / 60:.0f} minutes"
    print("", *(f"{level}: {how}" for level, how in ended.items()), sep="\n")
    return int(any(how.startswith("failed") for how in ended.values()))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
