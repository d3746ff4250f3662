"""Rule count_copies: copies and near-copies of every scored paragraph, what each is worth, and kinds."""

from memloc.tables.job import start

job = start(snakemake)

import numpy as np

from memloc.data.near_copies import copies, near_copies
from memloc.data.own_text import joined
from memloc.scoring.copies import worth
from memloc.scoring.kinds import by_rule, evidence, kind_of

lengths = job.settings.paragraph
scores, stream = job.read("scores", ["id", "em"]), job.read("training_stream")
paragraphs = job.read("paragraphs", ["id", "file", "tokens"]).merge(scores, on="id")
recited = paragraphs.em == lengths.continuation
text = joined(stream.tokens, lengths.length).tokens
found = list(near_copies(np.stack(paragraphs.tokens), text))
counted = copies(paragraphs, found, stream)
expected, worths = worth(counted, recited, paragraphs.file)
job.write(near_copies=counted.assign(expected=expected), copy_worth=worths)

breaks = job.read("vocabulary").sort_values("token").text.str.contains("\n", regex=False).to_numpy()
of_recited = [found[row] for row in np.flatnonzero(recited)]
kinds = evidence(paragraphs[recited], of_recited, stream, lengths.prefix, breaks)
kinds["kind"] = kind_of(by_rule(kinds, lengths.continuation), counted.within_0[recited])
job.write(kinds=kinds.assign(id=paragraphs.id[recited]))
