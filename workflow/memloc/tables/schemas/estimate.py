"""Time, memory and disk that a study will take, by rule."""

from memloc.tables.columns import Column, Columns, Lengths, integer, number


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
