"""Rules claims_<topic>: the verdicts on a topic's claims, from its tables alone."""

from memloc.rule import log, provenance, start

start(snakemake)

from memloc import tables
from memloc.claims.evaluate import evaluate
from memloc.claims.registry import Topic

params = snakemake.params
topic = Topic.model_validate(params.topic)
found = {
    name: tables.read(name, path, columns and list(columns))
    for (name, columns), path in zip(topic.tables.items(), snakemake.input.tables, strict=True)
}
claims = evaluate(topic, found, params.settings, params.about)
for row in claims.itertuples():
    log(f"{row.id}: {row.verdict} ({row.reason})")
tables.write("claims", claims, snakemake.output[0], provenance(snakemake))
