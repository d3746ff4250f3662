"""Rule compare_expected: published numbers next to those of this run."""

from memloc.run.rule import log, provenance, start

start(snakemake)

from memloc.claims import expected
from memloc.settings.sections import sections
from memloc.tables import storage
from memloc.tables.schema import by_name
from memloc.tables.schemas.expected import EXPECTED, MEMORIZED_AGREEMENT
from memloc.tables.schemas.paragraphs import DROPPED_PARAGRAPHS, DROPPED_REFERENCE, PARAGRAPHS
from memloc.tables.schemas.scores import SCORES

SCHEMAS = by_name(DROPPED_PARAGRAPHS, DROPPED_REFERENCE, EXPECTED, MEMORIZED_AGREEMENT, PARAGRAPHS, SCORES)

settings, source = sections(snakemake.params.settings), snakemake.input
lengths, wanted = settings.paragraph, dict(settings.expected)
n_continuation = lengths.continuation
paragraphs = storage.read(PARAGRAPHS, source.paragraphs, ["id", "count", "unseen"])
scores = storage.read(SCORES, source.scores, ["id", "em"])
scores = scores[~scores.id.isin(paragraphs.id[paragraphs.unseen])]
dropped, dropped_reference = (
    storage.read(SCHEMAS[name], source[name]).id for name in ("dropped_paragraphs", "dropped_reference")
)
found = expected.run_numbers(paragraphs, scores[~scores.id.isin(dropped)], n_continuation)
if wanted["filter"] == "reference":
    kept = scores[~scores.id.isin(dropped_reference)]
    found |= expected.of_reference(expected.run_numbers(paragraphs, kept, n_continuation))
    wanted = expected.of_reference(wanted)
agreement = [storage.read(MEMORIZED_AGREEMENT, path) for path in source.agreement]
comparison = expected.compare(wanted, found, *agreement)
for row in comparison.itertuples():
    log(f"{row.quantity}: expected {row.expected}, found {row.found}")
storage.write(EXPECTED, comparison, snakemake.output[0], provenance(snakemake))
