"""Time and memory of the stages: measured, and estimated for a study."""

from memloc.tables.columns import Column, Columns, Lengths, integer, number, token_list

SIDES = {"fast": "the workflow's implementation", "plain": "the straightforward implementation"}


def _of_sides(name: str, unit: str, what: str) -> Columns:
    return {
        f"{name}_{key}": number(0, unit=unit, meaning=f"{what} of {side}.") for key, side in SIDES.items()
    }


def bench(lengths: Lengths) -> Columns:
    per_item = "time per item of the straightforward implementation, divided by the workflow's"
    relative = "relative to the largest value; of whole numbers, share that differs"
    return {
        "stage": Column("str", unique=True, meaning="Stage of the workflow."),
        "item": Column("str", meaning="Kind of item that the work consists of."),
        "n_items_fast": integer(1, meaning="Items that the workflow's implementation was timed with."),
        "n_items_plain": integer(1, meaning="Items that the straightforward one was timed with."),
        **_of_sides("seconds", "median of the runs", "Time"),
        "ratio": number(0, unit=per_item, meaning="Ratio of the speeds of both implementations."),
        **_of_sides("memory", "MiB, peak of the process", "Memory"),
        "difference": number(0, unit=relative, meaning="Largest difference of the two results."),
    }


def bench_texts(lengths: Lengths) -> Columns:
    return {
        "tokens": token_list(
            lengths.paragraph,
            meaning="Tokens of a random prefix, and of the model's own greedy continuation.",
        )
    }


def estimate(lengths: Lengths) -> Columns:
    return {
        "rule": Column("str", unique=True, meaning="Rule of the workflow."),
        "machine": Column("str", meaning="Machine that the estimate is for."),
        "jobs": integer(1, meaning="Jobs that the rule runs as."),
        "threads": integer(1, meaning="Threads of each job."),
        "seconds": number(0, unit="of each job", meaning="Time; 0 for downloads, which are not timed."),
        "memory_mb": number(0, unit="MB", meaning="Memory of each job."),
        "gpu_mb": number(0, unit="MB", meaning="GPU memory of each job; 0 on a machine without a GPU."),
        "disk_mb": number(0, unit="MB", meaning="Disk space that the rule's outputs take."),
    }
