"""What `python -m memloc.resources.machine` prints: seconds to import the library, GFLOP/s of one thread, and
1 where the processor multiplies bfloat16 natively, else 0."""

import importlib
import time

LIBRARY = ("torch", "memloc.model.loading", "memloc.tables.storage")

if __name__ == "__main__":
    begin = time.perf_counter()
    for name in LIBRARY:
        importlib.import_module(name)
    seconds = time.perf_counter() - begin

    import torch

    from memloc.model.onednn import native_bfloat16
    from memloc.resources.rate import peak_rate

    torch.set_num_threads(1)
    native = int(native_bfloat16(torch.device("cpu")))
    print(seconds, peak_rate(torch.float32, sizes=(1024,)), native)
