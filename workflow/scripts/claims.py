"""Rules claims_<topic>: the verdicts on a topic's claims, from its tables alone."""

from memloc.tables.job import start

job = start(snakemake)

from memloc.claims.evaluate import evaluate
from memloc.claims.registry import Topic

topic = Topic.model_validate(job.params.topic)
found = {name: job.read(name, topic.tables.get(name)) for name in job.tables}
claims = evaluate(topic, found, job.settings)
for row in claims.itertuples():
    job.log(f"{row.id}: {row.verdict} ({row.reason})")
job.write(claims=claims)
