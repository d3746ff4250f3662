"""Micro-batches, and what becomes of them where memory is short."""

import pytest
import torch

from memloc.model.micro_batches import in_micro_batches, room_for, watch_memory


def short_of_memory(limit, calls):
    """A function that doubles its rows, and fails as a GPU does for more than `limit` of them."""

    def run(rows, more):
        calls.append(len(rows))
        if len(rows) > limit:
            raise torch.OutOfMemoryError("out of memory")
        return 2 * rows + more

    return run


@pytest.mark.parametrize(
    ("limit", "expected"), [(8, [4, 4, 2]), (4, [4, 4, 2]), (3, [4, 2, 2, 2, 2, 2]), (1, [4, 2, *[1] * 10])]
)
def test_running_out_of_memory_halves_the_micro_batch_and_goes_on(limit, expected):
    rows, more, calls = torch.arange(10), 100 * torch.arange(10), []
    results = in_micro_batches(short_of_memory(limit, calls), 4, rows, more)
    assert torch.equal(torch.cat(results), 2 * rows + more)
    assert calls == expected


def test_a_row_that_does_not_fit_is_an_error():
    with pytest.raises(torch.OutOfMemoryError):
        in_micro_batches(short_of_memory(0, []), 4, torch.arange(3), torch.arange(3))


def test_no_rows_give_one_empty_result():
    assert [len(result) for result in in_micro_batches(lambda rows: rows, 4, torch.arange(0))] == [0]


class FakeGpu:
    """A GPU that counts `per_row` bytes for every row that a function is given, and fails when it is full."""

    def __init__(self, total, per_row, held=0, others=0):
        self.total, self.per_row, self.held, self.peak, self.calls = total, per_row, held, held, []
        self.others, self.n_emptied = others, 0  # what other programs hold

    def run(self, rows):
        self.calls.append(len(rows))
        self.peak = max(self.peak, self.held + len(rows) * self.per_row)
        if self.peak > self.total - self.others:
            self.peak = self.held
            raise torch.OutOfMemoryError("out of memory")
        return rows

    def reset(self):
        self.peak = self.held


@pytest.fixture
def plug_in(monkeypatch):
    """Let torch see these fake GPUs, of which other programs use nearly everything."""

    def plug_in(*gpus):
        answers = {
            "is_initialized": lambda: True,
            "device_count": lambda: len(gpus),
            "reset_peak_memory_stats": lambda device: gpus[device].reset(),
            "memory_allocated": lambda device: gpus[device].held,
            "max_memory_allocated": lambda device: gpus[device].peak,
            "empty_cache": lambda: [setattr(gpu, "n_emptied", gpu.n_emptied + 1) for gpu in gpus],
            "mem_get_info": lambda device: (1, gpus[device].total),
        }
        for name, answer in answers.items():
            monkeypatch.setattr(torch.cuda, name, answer)
        return gpus[0]

    return plug_in


@pytest.mark.parametrize(
    ("total", "expected"),
    [
        (39, [4, 4, 4, 4, 4]),  # 4 rows take 16 bytes: twice as many are more than 0.8 of 39
        (40, [4, 8, 8]),
        (79, [4, 8, 8]),
        (80, [4, 16]),
        (10_000, [4, 16]),
    ],
)
def test_free_memory_makes_micro_batches_larger(plug_in, total, expected):
    gpu = plug_in(FakeGpu(total + 7, per_row=4, held=7))
    results = in_micro_batches(gpu.run, 4, torch.arange(20))
    assert torch.equal(torch.cat(results), torch.arange(20))
    assert gpu.calls == expected


def test_a_function_that_runs_others_is_left_alone(plug_in):
    gpu = plug_in(FakeGpu(10_000, per_row=4))
    in_micro_batches(gpu.run, 4, torch.arange(12), grow=False)
    assert gpu.calls == [4, 4, 4]


def test_what_was_halved_does_not_grow_again(plug_in):
    """Also where others took the memory, which counts as free, and what torch keeps is given back."""
    gpu = plug_in(FakeGpu(100, per_row=4, others=83))
    in_micro_batches(gpu.run, 8, torch.arange(12))
    assert gpu.calls == [8, 4, 4, 4] and gpu.n_emptied == 1


def test_the_fullest_gpu_decides(plug_in):
    large, small, idle = FakeGpu(1000, 0), FakeGpu(100, 0), FakeGpu(1, 0)
    plug_in(large, small, idle)
    before = watch_memory()
    large.peak, small.peak = 10, 20
    assert room_for(before) == 4  # 0.8 * 100 / 20, not 0.8 * 1000 / 10; the idle one does not count
