"""Rule count_copies: count copies and near-copies of every scored paragraph, and fit what each is worth."""

from memloc.tables.job import start

job = start(snakemake)

from memloc.data.near_copies import copies
from memloc.scoring.copies import worth

scores = job.read("scores", ["id", "em"])
paragraphs = job.read("paragraphs", ["id", "file", "tokens"]).merge(scores, on="id")
counted = copies(paragraphs, job.read("training_stream"), job.settings.paragraph.prefix)
found = worth(counted, paragraphs.em == job.settings.paragraph.continuation, paragraphs.file)
job.write(near_copies=counted.assign(expected=found.expected), copy_worth=found.worth)
