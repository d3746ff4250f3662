"""Paragraphs of real files, each of which a model is trained on once, and how often they occur in them.

Nothing is repeated by us. Code is full of copies, so some paragraphs occur many times (2107.06499), and the
counts are natural ones. Some files are held out: what they share with no other file is unseen.
"""

from collections.abc import Sequence
from tempfile import TemporaryFile

import numpy as np
import pandas as pd
from jaxtyping import Int
from transformers import PreTrainedTokenizerFast

from memloc.data.chosen_files import Corpus, File
from memloc.data.near_copies import longest_runs, near_counts
from memloc.data.own_text import Stream, count_repeats, distinct, occurrences, write_stream
from memloc.data.packing import are_whole
from memloc.data.paragraphs import Tables
from memloc.model.token_text import line_breaks
from memloc.run.seeds import generator
from memloc.settings.data import CodeData
from memloc.settings.paragraph import Paragraph


def tables_of(
    drawn: Corpus,
    tokenizer: PreTrainedTokenizerFast,
    paragraph: Paragraph,
    data: CodeData,
    context: int,
    seed: int,
) -> Tables:
    """Cut both parts of a corpus into distinct paragraphs that do not overlap, and count them in the first.

    Of the first part, `data.n_paragraphs` are kept, drawn at random. The packed text has end-of-text where
    the stream has END, so that a place in the one is a place in the other.

    Args:
        context: tokens of a training window.

    Raises:
        InputError: no file is as long as a paragraph.
    """
    files = [*drawn.trained, *drawn.held_out]
    documents = _encoded(files, tokenizer)
    with TemporaryFile() as file:  # which lives on while its tokens are used
        cut, begins = write_stream(documents, paragraph.length, file)
    trained = documents[: len(drawn.trained)]
    n_trained = sum(len(ids) + 1 for ids in trained)
    cut = _thinned(distinct(cut)[0], n_trained, data.n_paragraphs, seed)
    found, at = (np.concatenate(parts) for parts in zip(*occurrences(cut), strict=True))
    found = pd.DataFrame({"id": found, "place": at})[at < n_trained]

    own = np.searchsorted(begins, cut.starts, side="right") - 1
    names = np.array([file.name for file in files])
    line = _lines(cut, begins[own], tokenizer)
    paragraphs = _counted(cut, n_trained, found, context).assign(file=names[own], line=line)
    rest = cut._replace(starts=cut.starts + paragraph.prefix, length=paragraph.continuation)
    paragraphs["continuation_count"] = count_repeats(rest, n_trained)
    paragraphs["unseen"] &= paragraphs["continuation_count"] == 0
    paragraphs["text"] = tokenizer.batch_decode([row.tolist() for row in paragraphs["tokens"]])
    places = paragraphs[["id", "file", "line"]].assign(document=0, start=cut.starts - begins[own])
    stream = pd.DataFrame({"id": None, "file": names[: len(trained)], "tokens": trained})
    return Tables(paragraphs, places, found, stream)


def _counted(cut: Stream, n_trained: int, found: pd.DataFrame, context: int) -> pd.DataFrame:
    """Paragraphs with their tokens, and what table `paragraphs` counts of them in the training text."""
    tokens, n = cut.windows(cut.starts).astype(np.int64), len(cut.starts)
    text, held_out = cut.tokens[:n_trained], cut.starts >= n_trained
    whole = are_whole(found["place"].to_numpy(), cut.length, context)
    count, whole_count = (np.bincount(ids, minlength=n) for ids in (found["id"], found["id"][whole]))
    near = np.maximum(near_counts(tokens, text), count)
    run = np.full(n, cut.length)
    run[held_out] = longest_runs(tokens[held_out], text)
    return pd.DataFrame(
        {
            "id": np.arange(n),
            "count": count,
            "whole_count": whole_count,
            "cut_count": count - whole_count,
            "near_count": near,
            "longest_run": run,
            "held_out": held_out,
            "unseen": held_out & (near == 0),
            "tokens": list(tokens),
        }
    )


def _encoded(files: Sequence[File], tokenizer: PreTrainedTokenizerFast) -> list[Int[np.ndarray, "token"]]:
    """Tokens of each file. Text that reads like end-of-text is text."""
    backend = tokenizer.backend_tokenizer
    backend.encode_special_tokens = True
    try:
        encoded = backend.encode_batch([file.text for file in files], add_special_tokens=False)
    finally:
        backend.encode_special_tokens = False
    return [np.array(each.ids, dtype=np.int32) for each in encoded]


def _thinned(cut: Stream, n_trained: int, n_kept: int | None, seed: int) -> Stream:
    """The stream with at most `n_kept` of its paragraphs before `n_trained`, and all behind it."""
    n = int(np.searchsorted(cut.starts, n_trained))
    kept = generator(seed, "code", "paragraphs").permutation(n)[:n_kept]
    return cut._replace(starts=cut.starts[np.sort(np.append(kept, np.arange(n, len(cut.starts))))])


def _lines(
    cut: Stream, begins: Int[np.ndarray, "paragraph"], tokenizer: PreTrainedTokenizerFast
) -> Int[np.ndarray, "paragraph"]:
    """The line of its document, from 1, on which the first token of each paragraph ends.

    `begins` is the place where the document of each paragraph begins.
    """
    breaks = np.append(line_breaks(tokenizer), 0)  # END is the last one
    broken = np.concatenate([[0], np.cumsum(breaks[cut.tokens])])
    return 1 + broken[cut.starts + 1] - broken[begins]
