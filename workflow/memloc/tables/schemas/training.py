"""The stream that a model is trained on, and the losses of its training."""

from memloc.tables.columns import Column, Columns, Lengths, integer, number, token_list


def training_stream(lengths: Lengths) -> Columns:
    return {
        "id": integer(0, nullable=True, meaning="Paragraph that the document is; missing for files."),
        "file": Column("str", nullable=True, meaning="File that the document is; missing for paragraphs."),
        "tokens": token_list(None, meaning="Tokens of the document, in the order of the packed text."),
    }


def occurrences(lengths: Lengths) -> Columns:
    return {
        "id": integer(0, meaning="Paragraph."),
        "place": integer(0, unit="tokens from 0", meaning="Where it begins in the packed text."),
    }


def training_curve(lengths: Lengths) -> Columns:
    return {
        "step": integer(1, unique=True, meaning="Optimiser step."),
        "loss": number(0, meaning="Mean NLL per token of the batches since the last row."),
        "learning_rate": number(0, meaning="Learning rate of the step."),
    }
