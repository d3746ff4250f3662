"""Rule token_statistics: NLL of each continuation token of the sampled paragraphs."""

from memloc.tables.job import start

job = start(snakemake)

import pandas as pd

from memloc.data.paragraphs import token_tensor
from memloc.model import loading
from memloc.scoring.token_statistics import token_nll
from memloc.tables.terms.sets import UNSEEN

settings = job.settings
sets = job.read("sets", ["id", "set", "sampled"])
subject = loading.load(job.input.folder, settings, 64)
frames = []
for name in ("memorized", "non_memorized", UNSEEN):
    ids = sets.id[(sets["set"] == name) & sets.sampled]
    if len(ids):
        tokens = job.read("paragraphs", ["id", "tokens"], ids).set_index("id").tokens.loc[ids]
        frames.append(token_nll(subject, token_tensor(tokens), ids))
job.write(token_statistics=pd.concat(frames))
