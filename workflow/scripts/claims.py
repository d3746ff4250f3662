"""Rule claims: the verdicts on all claims, each topic's from its own tables."""

from memloc.tables.job import start

job = start(snakemake)

import pandas as pd

from memloc.claims.evaluate import evaluate
from memloc.claims.registry import Topic
from memloc.claims.verdicts import corrected

judged = []
for topic in map(Topic.model_validate, job.params.topics):
    found = {name: job.read(name, columns) for name, columns in topic.tables.items() if name in job.tables}
    judged += evaluate(topic, found, job.settings)
claims = corrected(pd.DataFrame(judged))
job.write(claims=claims)
