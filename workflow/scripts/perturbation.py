"""Rule perturbation: replace every prefix token in turn, and keep each paragraph's strongest perturbation."""

from memloc.rule import log, provenance, start

start(snakemake)

import pandas as pd

from memloc import models, tables
from memloc.paragraphs import sampled_tokens
from memloc.perturbation import perturb_prefixes, perturbed_paragraphs

settings, output = snakemake.params.settings, snakemake.output
options = settings["perturbation"]
n_prefix = settings["paragraph"]["prefix"]
paragraphs = tables.read("paragraphs", snakemake.input.paragraphs)
sets = tables.read("sets", snakemake.input.sets)
n_vocabulary = len(tables.read("vocabulary", snakemake.input.vocabulary))
model = models.load_model(snakemake.input.folder, **settings["loading"])

samples = {name: sampled_tokens(paragraphs, sets, name, n_prefix) for name in ("memorized", "non_memorized")}
frames = {
    name: perturb_prefixes(
        model,
        *sample,
        n_prefix,
        n_vocabulary,
        seed=snakemake.params.seed,
        margin_threshold=settings["scores"]["margin_threshold"],
        **options,
    )
    for name, sample in samples.items()
}
frame = pd.concat([rows.assign(set=name) for name, rows in frames.items()])
log(f"{len(frame)} rows, {int(frame.redecoded.sum())} near-ties decoded step by step")

perturbed = perturbed_paragraphs(
    model, frames["memorized"], *samples["memorized"], n_prefix, options["micro_batch"]
)
n_left_out = len(samples["memorized"][0]) - len(perturbed)
log(f"{len(perturbed)} perturbed paragraphs; {n_left_out} left out, since no perturbation changes them")
stamp = provenance(snakemake)
tables.write("perturbation", frame, output.perturbation, stamp)
tables.write("perturbed_paragraphs", perturbed, output.perturbed_paragraphs, stamp)
