"""Time and memory of the stages."""

from memloc.tables.columns import Column, Columns, category, integer, number, token_list
from memloc.tables.schema import Lengths


def bench(lengths: Lengths) -> Columns:
    return {
        "stage": Column("str", unique=True, meaning="Stage of the workflow."),
        "item": Column("str", meaning="What one item of the work is."),
        "n_items_fast": integer(1, meaning="Items that the workflow's implementation was timed with."),
        "n_items_plain": integer(1, meaning="Items that the straightforward one was timed with."),
        "seconds_fast": number(
            0, unit="median of the runs", meaning="Time of the workflow's implementation."
        ),
        "seconds_plain": number(
            0, unit="median of the runs", meaning="Time of the straightforward implementation."
        ),
        "ratio": number(
            0,
            unit="time per item of the straightforward implementation, in times of the workflow's",
            meaning="How much faster an item is.",
        ),
        "gflop": number(
            0,
            unit="billions of multiplications and additions in matrix products",
            meaning="Work of the workflow's run.",
        ),
        "dtype": category("float32", "bfloat16", meaning="Type that the matrices are multiplied in."),
        "peak_rate": number(0, unit="GFLOP per second", meaning="Fastest matrix product of the machine."),
        "peak_share": number(0, unit="share of peak_rate", meaning="Rate of the workflow's run."),
        "memory_fast": number(
            0, unit="MiB, peak of the process", meaning="Memory of the workflow's implementation."
        ),
        "memory_plain": number(
            0, unit="MiB, peak of the process", meaning="Memory of the straightforward implementation."
        ),
        "difference": number(
            0,
            unit="relative to the largest value; of whole numbers, share that differs",
            meaning="Largest difference of the two results.",
        ),
    }


def bench_texts(lengths: Lengths) -> Columns:
    meaning = "Tokens of a random prefix, and of the model's own greedy continuation."
    return {"tokens": token_list(lengths.paragraph, meaning=meaning)}
