"""Rule remove: ways to remove recitation, or a shard of them, on the same paragraphs with the same judges."""

from memloc.tables.job import start

job = start(snakemake)

from memloc.data.sets import require_memorized
from memloc.localization.highlight import ordered_heads
from memloc.model import loading
from memloc.model.pretrained import read_model
from memloc.removal.removal_texts import texts_of
from memloc.removal.scoreboard import Comparison, as_it_is, run_way
from memloc.run.progress import Progress

settings, seed, source = job.settings, job.seed, job.input
how = settings.remove
paragraphs = job.read("paragraphs", ["id", "tokens"])
sets = job.read("sets")
ranking = job.read("head_ranking", ["method", "layer", "head", "rank"])
require_memorized(how.ids, "remove.ids", sets)
heads = ordered_heads({"head_ranking": ranking}, settings)

subject, retrained = loading.load(source.folder, settings, 16, editing=True), None
if given := source.get("retrained"):
    retrained = dict(read_model(given[0], settings.loading).float().named_parameters())
texts = texts_of(subject, {"paragraphs": paragraphs, "sets": sets}, how, seed, how.ids)
study = Comparison(subject, texts, heads, how, seed, retrained)
rows = job.shard(len(how.ways))
progress = Progress(len(rows), "ways")
with job.writing() as append:
    for row in rows:
        found = [as_it_is(study)] if row == 0 else []
        found.append(run_way(study, how.ways[row]))
        for part in found:
            append(**part._asdict())
        progress.advance()
