"""Rule draw_halves: the paragraphs that models are trained with or without, and where their copies begin."""

from memloc.tables.job import start

job = start(snakemake)

from memloc.data.filters import kept_rows
from memloc.data.halves import half_texts

paragraphs, stream = job.read("paragraphs", ["id", "held_out", "tokens"]), job.read("training_stream")
kept = paragraphs.loc[kept_rows(paragraphs.id, job.read("dropped_paragraphs").id)]
job.write(half_texts=half_texts(kept[~kept.held_out], stream, job.seed))
