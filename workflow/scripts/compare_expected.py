"""Rule compare_expected: published numbers next to the numbers of this run."""

from memloc.tables.job import start

job = start(snakemake)

from memloc.published import expected

settings = job.settings
lengths, wanted = settings.paragraph, dict(settings.expected)
n_continuation = lengths.continuation
paragraphs = job.read("paragraphs", ["id", "count", "unseen"])
scores = job.read("scores", ["id", "em"])
scores = scores[~scores.id.isin(paragraphs.id[paragraphs.unseen])]
dropped, dropped_reference = (job.read(name).id for name in ("dropped_paragraphs", "dropped_reference"))
found = expected.run_numbers(paragraphs, scores[~scores.id.isin(dropped)], n_continuation)
if wanted["filter"] == "reference":
    kept = scores[~scores.id.isin(dropped_reference)]
    found |= expected.of_reference(expected.run_numbers(paragraphs, kept, n_continuation))
    wanted = expected.of_reference(wanted)
analyses = expected.LOCALIZED if expected.needed(settings.expected) else ()
of_analyses = expected.localized_numbers(settings.expected, {name: job.read(name) for name in analyses})
wanted, found = wanted | of_analyses[0], found | of_analyses[1]
comparison = expected.compare(wanted, found)
job.write(expected=comparison)
