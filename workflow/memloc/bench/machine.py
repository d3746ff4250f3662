"""What `python -m memloc.bench.machine` prints: seconds to import the library, and GFLOP/s of one thread."""

import importlib
import time

LIBRARY = ("torch", "memloc.model.loading", "memloc.tables.storage")

if __name__ == "__main__":
    begin = time.perf_counter()
    for name in LIBRARY:
        importlib.import_module(name)
    seconds = time.perf_counter() - begin

    import torch

    from memloc.bench.work import peak_rate

    torch.set_num_threads(1)
    print(seconds, peak_rate(torch.float32, sizes=(1024,)))
