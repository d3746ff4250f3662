"""The stream that a model is trained on, and the losses of its training."""

from memloc.tables.columns import Column, Columns, Lengths, integer, number


def training_stream(lengths: Lengths) -> Columns:
    return {
        "id": integer(0, meaning="Paragraph of an occurrence, in the order of the packed text."),
        "whole": Column("bool", meaning="The occurrence lies within one window of training."),
    }


def training_curve(lengths: Lengths) -> Columns:
    return {
        "step": integer(1, unique=True, meaning="Optimiser step."),
        "loss": number(0, meaning="Mean NLL per token of the batches since the last row."),
        "learning_rate": number(0, meaning="Learning rate of the step."),
    }
