"""Rules claims_<topic>: the verdicts on a topic's claims, from its tables alone."""

from memloc.run.rule import log, provenance, start

start(snakemake)

from memloc.claims.evaluate import evaluate
from memloc.claims.registry import Topic
from memloc.tables import storage
from memloc.tables.schemas import schema_of

params = snakemake.params
topic = Topic.model_validate(params.topic)
found = {
    name: storage.read(schema_of(name), path, columns and list(columns))
    for (name, columns), path in zip(topic.tables.items(), snakemake.input.tables, strict=True)
}
claims = evaluate(topic, found, params.settings, params.about)
for row in claims.itertuples():
    log(f"{row.id}: {row.verdict} ({row.reason})")
storage.write(schema_of("claims"), claims, snakemake.output[0], provenance(snakemake))
