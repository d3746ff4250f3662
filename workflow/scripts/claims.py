"""Rule claims: the verdicts on all claims of a study, or of its trainings; each topic has its own tables."""

from memloc.tables.job import start

job = start(snakemake)

import pandas as pd

from memloc.claims.evaluate import evaluate
from memloc.claims.registry import Topic
from memloc.claims.verdicts import corrected
from memloc.tables import storage
from memloc.tables.schemas import schema_of

judged = []
for topic in map(Topic.model_validate, job.params.topics):
    made = {name: columns for name, columns in topic.tables.items() if name in job.tables}
    n_trainings = max((len(job.files(name)) for name in made), default=1)
    trainings = [
        {name: storage.read(schema_of(name), job.files(name)[number], made[name]) for name in made}
        for number in range(n_trainings)
    ]
    judged += evaluate(topic, trainings, job.settings)
job.write(claims=corrected(pd.DataFrame(judged)))
