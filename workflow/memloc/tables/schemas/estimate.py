"""Time and memory that a study will take, by rule."""

from memloc.tables.columns import Column, Columns, Lengths, integer, number


def estimate(lengths: Lengths) -> Columns:
    return {
        "rule": Column("str", unique=True, meaning="Rule of the workflow."),
        "jobs": integer(1, meaning="Jobs that the rule runs as."),
        "threads": integer(1, meaning="Threads of each job."),
        "seconds": number(
            0,
            unit="of each job",
            nullable=True,
            meaning="Time, without that of downloads; missing for jobs that take a GPU where the estimate "
            "was made without one.",
        ),
        "memory_mb": number(0, unit="MB", meaning="Memory of each job."),
        "gpus": integer(0, meaning="GPUs of each job."),
    }
