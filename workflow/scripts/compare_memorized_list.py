"""Rule compare_memorized_list: this run's memorized paragraphs next to a published list of them."""

from memloc.rule import log, provenance, start

start(snakemake)

from memloc import expected, tables

names = ("paragraphs", "scores", "sets")
agreement = expected.memorized_agreement(
    expected.read_memorized_list(snakemake.input.published),
    **{name: tables.read(name, snakemake.input[name]) for name in names},
)
log(str(expected.agreement_numbers(agreement)))
tables.write("memorized_agreement", agreement, snakemake.output[0], provenance(snakemake))
