"""Rule claims_over_trainings: the verdicts on claims about the head that each training names."""

from memloc.tables.job import start

job = start(snakemake)

import pandas as pd

from memloc.claims.evaluate import evaluate_trainings
from memloc.claims.registry import Topic
from memloc.claims.verdicts import corrected
from memloc.tables import storage
from memloc.tables.schemas import schema_of

judged = []
for topic in map(Topic.model_validate, job.params.topics):
    trainings = [
        {
            name: storage.read(schema_of(name), job.files(name)[number], columns)
            for name, columns in topic.tables.items()
        }
        for number in range(len(job.files(next(iter(topic.tables)))))
    ]
    judged += evaluate_trainings(topic, trainings, job.settings)
claims = corrected(pd.DataFrame(judged))
job.write(claims=claims)
