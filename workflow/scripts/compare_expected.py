"""Rule compare_expected: published numbers next to the numbers of this run."""

from memloc.tables.job import start

job = start(snakemake)

from memloc.published import expected

settings = job.settings
wanted = published = settings.expected.numbers
n_continuation = settings.paragraph.continuation
paragraphs = job.read("paragraphs", ["id", "count", "unseen"])
scores = job.read("scores", ["id", "em"])
scores = scores[~scores.id.isin(paragraphs.id[paragraphs.unseen])]
kept = scores[~scores.id.isin(job.read("dropped_paragraphs").id)]
found = expected.run_numbers(paragraphs, kept, n_continuation)
if settings.expected.filter == "reference":
    kept = scores[~scores.id.isin(job.read("dropped_reference").id)]
    by_authors = expected.run_numbers(paragraphs, kept, n_continuation)
    found |= {f"{name}_reference": value for name, value in by_authors.items()}
    wanted = {f"{name}_reference": value for name, value in published.items()}
if "head_ranking" in job.tables:
    tables = {name: job.read(name) for name in expected.LOCALIZED}
    more, also = expected.localized_numbers(published, tables, settings)
    wanted, found = wanted | more, found | also
comparison = expected.compare(wanted, found)
job.write(expected=comparison)
