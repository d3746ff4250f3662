"""Rule parameter_gradients: gradients of the weights for every set, of its parts, and of the objective."""

from memloc.run.rule import log, provenance, start

start(snakemake)

import pandas as pd

from memloc.data.draws import draw, split
from memloc.data.paragraphs import sampled_tokens, used_ids
from memloc.tables.terms.sets import PARTLY
from memloc.localization.contrastive import contrastive_attribution
from memloc.localization.parameter_gradients import compare_groups
from memloc.model import loading
from memloc.model.folded_norms import fold_norms
from memloc.run.seeds import generator
from memloc.settings.sections import sections
from memloc.tables import storage
from memloc.tables.schema import by_name
from memloc.tables.schemas.paragraphs import PARAGRAPHS
from memloc.tables.schemas.parameter_gradients import (
    GRADIENT_SIMILARITY,
    PARAGRAPH_GRADIENTS,
    PARAMETER_GRADIENT_SAMPLES,
    PARAMETER_GRADIENTS,
)
from memloc.tables.schemas.sets import SETS

SCHEMAS = by_name(
    GRADIENT_SIMILARITY,
    PARAGRAPH_GRADIENTS,
    PARAGRAPHS,
    PARAMETER_GRADIENT_SAMPLES,
    PARAMETER_GRADIENTS,
    SETS,
)

settings = sections(snakemake.params.settings)
n_prefix = settings.paragraph.prefix
sets = storage.read(SETS, snakemake.input.sets)
paragraphs = storage.read(PARAGRAPHS, snakemake.input.paragraphs, ["id", "tokens"], used_ids(sets))
drawn = set(sets.loc[sets.sampled, "set"])
groups = [name for name in ("memorized", "non_memorized", *PARTLY) if name in drawn]
samples = {name: sampled_tokens(paragraphs, sets, name, n_prefix) for name in groups}
log(", ".join(f"{name}: {len(ids)} paragraphs" for name, (ids, _) in samples.items()))

model = loading.load_model(snakemake.input.folder, settings.loading)
if settings.parameter_gradients.reference:
    fold_norms(model)
memorized, non_memorized = samples["memorized"][1], samples["non_memorized"][1]
parts = split(len(memorized), generator(snakemake.params.seed, "gradient_parts"))
sizes = [len(part) for part in parts]
draws = draw(sizes, [[part] for part in range(len(parts))], generator(snakemake.params.seed, "resamples"))

comparison = compare_groups(model, samples, n_prefix, parts, draws)
contrastive, contrastive_samples = contrastive_attribution(
    model.float(),  # a step of 1e-5 is lost in bfloat16
    memorized,
    non_memorized,
    comparison.memorized,
    n_prefix,
    parts,
    draws,
    generator(snakemake.params.seed, "contrastive"),
    settings.contrastive,
)
stamp = provenance(snakemake)
found = {
    "parameter_gradients": [comparison.scores, contrastive],
    "parameter_gradient_samples": [comparison.samples, contrastive_samples],
    "paragraph_gradients": [comparison.paragraphs],
    "gradient_similarity": [comparison.similarity],
}
for (name, frames), path in zip(found.items(), snakemake.output, strict=True):
    storage.write(SCHEMAS[name], pd.concat(frames, ignore_index=True), path, stamp)
