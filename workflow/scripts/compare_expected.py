"""Rule compare_expected: published numbers next to those of this run."""

from memloc.rule import log, provenance, start

start(snakemake)

from memloc import expected, tables

paragraphs, sets = (tables.read(name, snakemake.input[name]) for name in ("paragraphs", "sets"))
agreement = [tables.read("memorized_agreement", path) for path in snakemake.input.agreement]
comparison = expected.compare(
    snakemake.params.settings["expected"], expected.run_numbers(paragraphs, sets), *agreement
)
for row in comparison.itertuples():
    log(f"{row.quantity}: expected {row.expected}, found {row.found}")
tables.write("expected", comparison, snakemake.output[0], provenance(snakemake))
