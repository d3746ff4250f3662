"""Rules unlearn_paragraphs and edit_paragraphs: edit memorized paragraphs, or a shard of them."""

from memloc.rule import log, provenance, start

start(snakemake)

from pathlib import Path

from memloc import models, tables
from memloc.edit_cases import edit_cases, with_text_to_learn
from memloc.editing import Recipe, run_edits
from memloc.figures.highlight import highlighted_head
from memloc.shards import shard_rows

settings, params = snakemake.params.settings, snakemake.params
options, n_prefix = settings["editing"], settings["paragraph"]["prefix"]
found = {Path(path).stem: tables.read(Path(path).stem, path) for path in snakemake.input.tables}
head = highlighted_head(found, {"highlight": settings["highlight"]})
counts = ("n_paragraphs", "n_controls", "n_held_out", "n_others", "n_perturbations")
cases = edit_cases(found, n_prefix, params.seed, **{name: options[name] for name in counts})
cases = with_text_to_learn(cases, params.objective)
rows = shard_rows(len(cases), *params.shard, micro_batch=1)
log(f"{len(rows)} of {len(cases)} memorized paragraphs, head {head[1]} of layer {head[0]}")

model = models.load_for_editing(snakemake.input.folder, **settings["loading"])
steps = ("steps", "nll_weight", "kl_weight", "fraction", "evaluate_every", "relearning_limit")
chosen = {name: options[name] for name in (*steps, "micro_batch", "reference")}
recipe = Recipe(params.objective, n_prefix, **chosen)
results = run_edits(
    model,
    cases,
    recipe,
    options["extra_arms"],
    options["learning_rates"],
    head,
    params.seed,
    n_swept=options["n_swept"],
    n_reference=options["n_reference"],
    rows=rows,
)
stamp = provenance(snakemake)
with (
    tables.writer("edits", snakemake.output.edits, stamp) as edits,
    tables.writer("edit_trajectories", snakemake.output.edit_trajectories, stamp) as trajectories,
):
    for result in results:
        edits.append(result.edits)
        trajectories.append(result.trajectories)
        log(result.edits.groupby(["id", "reference", "arm"])["em_memorized"].mean().to_string(header=False))
