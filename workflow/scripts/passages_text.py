"""Rule passages (text): scan the user's text for what the model recites, from any start."""

from memloc.tables.job import start

job = start(snakemake)

import hashlib
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np
import torch

from memloc.data import own_text
from memloc.data.filters import drop_reasons
from memloc.data.places import numbered, quoted, text_frame
from memloc.data.text_files import documents
from memloc.model import loading, model_card, pretrained
from memloc.model.context import most_positions, require_room
from memloc.model.token_text import decoded
from memloc.run.console import sized
from memloc.run.progress import Progress
from memloc.scoring.scan import Scan

PACKED, MOST_PACKED = (".gz", ".zst", ".parquet"), 10  # endings of files; text is hardly packed tighter
settings, folder = job.settings, job.input.folder
require_room(folder, settings.paragraph.length)  # of a model that has just been downloaded
length, n_prefix = settings.paragraph.length, settings.paragraph.prefix
tokenizer = pretrained.load_tokenizer(folder)
encode = partial(tokenizer.encode, add_special_tokens=False)
read_from: list[str] = []  # the file of each document


def texts() -> Iterator[str]:
    """Documents of all files."""
    for path in [*job.input.texts, *job.input.unseen]:
        for text in documents(path, settings.data.field, settings.data.encoding):
            read_from.append(path)
            yield text


def kept(starts: np.ndarray) -> np.ndarray:
    """Starts of windows that no filter leaves out."""
    windows = stream.windows(starts).astype("int64")
    words = decoded(torch.from_numpy(windows), tokenizer) if settings.filters.keywords else [""] * len(starts)
    failed = np.zeros(len(starts), bool)
    return starts[drop_reasons(windows, failed, words, settings.filters, encode).isna()]


with TemporaryFile() as file:
    sizes = {path: Path(path).stat().st_size for path in (*job.input.texts, *job.input.unseen)}
    job.log(f"reading the text, {sized(sum(sizes.values()))}")
    n_most = sum(size * (MOST_PACKED if path.endswith(PACKED) else 1) for path, size in sizes.items())
    read = partial(Progress(n_most, "characters").at, most=n_most)
    stream, begins = own_text.write_stream(own_text.tokenised(texts(), tokenizer, read), length, file)
    tokens, sources = stream.tokens, numbered(read_from)
    job.log(f"{len(tokens) - len(begins):,} tokens; loading the model")
    subject = loading.load(folder, settings, 64)
    job.stamp["model"] = model_card.describe(subject.model, folder, job.params.name, job.params.revision)
    most = most_positions(folder) or 2 * length
    scan = Scan(subject, tokens, length, most, settings.scores.margin_threshold)

    # What is known outlives a run that is ended, for another one of the same model, text and settings.
    told = [job.stamp["model"], job.params.code, settings.paragraph, settings.loading, subject.before]
    asked = hashlib.sha256(f"{told} {scan.width} {scan.threshold}".encode())
    asked.update(tokens)
    state = Path(job.params.checkpoints, asked.hexdigest()[:16])
    state.parent.mkdir(parents=True, exist_ok=True)
    if state.exists():
        job.log("a run that was ended has begun to read this: goes on from there")
    doubts, known = np.memmap(state, np.uint8, "r+" if state.exists() else "w+", shape=(2, len(tokens)))
    found = scan.passages(doubts, known, kept)
    counts = own_text.count_repeats(own_text.Stream(tokens, found[:, 0], length - n_prefix))

sources["unseen"] = sources["file"].isin(job.input.unseen)
document = np.searchsorted(begins, found[:, 0], side="right") - 1
start, end = (found[:, :2] - begins[document, None]).T
edges = np.stack([start - n_prefix, start, end], axis=1)
passages = sources.iloc[document].reset_index(drop=True).assign(start=start, end=end, at_once=found[:, 2])
passages = passages.join(quoted(texts(), tokenizer, document, edges)).assign(count=counts)
n_tokens = np.diff([*begins, len(tokens)]) - 1
short = n_tokens < length
sources = sources.assign(n_short=short, n_tokens=np.where(short, 0, n_tokens - n_prefix))
job.write(recited=passages, texts=text_frame(sources, passages))
shutil.rmtree(state.parent)
