"""Rule compare_expected: published numbers next to those of this run."""

from memloc.rule import log, provenance, start

start(snakemake)

from memloc import expected, tables

settings, source = snakemake.params.settings, snakemake.input
lengths, wanted = settings["paragraph"], settings["expected"]
n_continuation = lengths["length"] - lengths["prefix"]
paragraphs = tables.read("paragraphs", source.paragraphs, ["id", "count"])
scores = tables.read("scores", source.scores, ["id", "em"])
dropped, dropped_reference = (
    tables.read(name, source[name]).id for name in ("dropped_paragraphs", "dropped_reference")
)
found = expected.run_numbers(paragraphs, scores[~scores.id.isin(dropped)], n_continuation)
if wanted["filter"] == "reference":
    kept = scores[~scores.id.isin(dropped_reference)]
    found |= expected.of_reference(expected.run_numbers(paragraphs, kept, n_continuation))
    wanted = expected.of_reference(wanted)
agreement = [tables.read("memorized_agreement", path) for path in source.agreement]
comparison = expected.compare(wanted, found, *agreement)
for row in comparison.itertuples():
    log(f"{row.quantity}: expected {row.expected}, found {row.found}")
tables.write("expected", comparison, snakemake.output[0], provenance(snakemake))
