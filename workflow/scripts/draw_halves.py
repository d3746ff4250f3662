"""Rule draw_halves: the paragraphs that models are trained with or without, and where their copies begin."""

from memloc.tables.job import start

job = start(snakemake)

from memloc.data.halves import half_texts

scores = job.read("scores", ["id", "em"])
scores["recited"] = scores.em == job.settings.paragraph.continuation
paragraphs = job.read("paragraphs", ["id", "held_out", "unseen", "tokens"]).merge(scores, on="id")
seen = paragraphs[~paragraphs.held_out & ~paragraphs.unseen]
job.write(half_texts=half_texts(seen, job.read("training_stream"), job.seed))
