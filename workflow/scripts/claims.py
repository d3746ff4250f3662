"""Rules claims_<topic>: the verdicts on a topic's claims, from its tables alone."""

from memloc.run.rule import log, provenance, start

start(snakemake)

from pathlib import Path

from memloc.claims.evaluate import evaluate
from memloc.claims.registry import Topic
from memloc.settings.sections import sections
from memloc.tables import storage
from memloc.tables.schemas import schema_of

params = snakemake.params
topic = Topic.model_validate(params.topic)
paths = {Path(path).stem: path for path in snakemake.input.tables}
found = {
    name: storage.read(schema_of(name), paths[name], columns and list(columns))
    for name, columns in (topic.tables | {"exposure": None}).items()
    if name in paths
}
claims = evaluate(topic, found, sections(params.settings), params.about)
for row in claims.itertuples():
    log(f"{row.id}: {row.verdict} ({row.reason})")
storage.write(schema_of("claims"), claims, snakemake.output[0], provenance(snakemake))
