"""Micro-batches, and what becomes of them where memory is short."""

import pytest
import torch

from memloc.model.subject import in_micro_batches


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
