"""The machines that an estimate is for: this one, measured for some seconds, or a GPU by its data sheet."""

import importlib
import subprocess
import sys
import time
from typing import NamedTuple

PEAK_SIZE = 1024
N_PRODUCTS = 3  # products that are timed; the fastest counts
LIBRARY = ("torch", "memloc.model.loading", "memloc.tables.storage")


class Machine(NamedTuple):
    """GFLOP per second of one thread, or of the GPU; seconds to import the library; cores and GPUs."""

    name: str
    rate: float
    seconds_to_import: float
    cores: int
    gpus: int = 0
    measured: bool = True
    bfloat16: bool = True
    """Whether the processor multiplies bfloat16 natively."""


# Peaks in single precision with TF32 off, from the data sheets; nothing was run on them.
NAMED = {
    "a100": Machine("NVIDIA A100", 19_500, 5, 8, gpus=1, measured=False),
    "h100": Machine("NVIDIA H100", 67_000, 5, 8, gpus=1, measured=False),
}


def this_machine(cores: int) -> Machine:
    """This machine, measured by a process of its own, which imports the library anew."""
    command = [sys.executable, "-m", "memloc.resources.machine"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    seconds, rate, bfloat16 = map(float, printed.split())
    return Machine("this machine", rate, seconds, cores, bfloat16=bool(bfloat16))


def measure() -> None:
    """Print seconds to import the library, GFLOP/s of one thread, and 1 with native bfloat16, else 0."""
    begin = time.perf_counter()
    for name in LIBRARY:
        importlib.import_module(name)
    seconds = time.perf_counter() - begin

    import torch

    from memloc.model.pretrained import native_bfloat16

    torch.set_num_threads(1)
    native = int(native_bfloat16(torch.device("cpu")))
    print(seconds, peak_rate(), native)


def peak_rate(size: int = PEAK_SIZE) -> float:
    """Best rate of square matrix products, in GFLOP per second."""
    import torch

    left, right = torch.randn(2, size, size)
    seconds = []
    for _ in range(N_PRODUCTS):
        begin = time.perf_counter()
        torch.matmul(left, right)
        seconds.append(time.perf_counter() - begin)
    return 2 * size**3 / 1e9 / min(seconds)


if __name__ == "__main__":
    measure()
