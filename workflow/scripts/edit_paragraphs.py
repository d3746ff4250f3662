"""Rules unlearn_paragraphs and edit_paragraphs: edit memorized paragraphs one by one, with every arm."""

from memloc.rule import log, provenance, start

start(snakemake)

from pathlib import Path

from memloc import models, tables
from memloc.edit_cases import edit_cases
from memloc.editing import Recipe, run_edits
from memloc.figures.highlight import highlighted_head

settings, params = snakemake.params.settings, snakemake.params
options, n_prefix = settings["editing"], settings["paragraph"]["prefix"]
found = {Path(path).stem: tables.read(Path(path).stem, path) for path in snakemake.input.tables}
head = highlighted_head(found, {"highlight": settings["highlight"]})
counts = ("n_paragraphs", "n_controls", "n_held_out", "n_others", "n_perturbations")
cases = edit_cases(found, n_prefix, params.seed, **{name: options[name] for name in counts})
log(f"{len(cases)} memorized paragraphs, head {head[1]} of layer {head[0]}")

model = models.load_model(snakemake.input.folder, **settings["loading"])
steps = ("steps", "nll_weight", "kl_weight", "fraction", "evaluate_every", "relearning_limit")
chosen = {name: options[name] for name in (*steps, "micro_batch", "reference")}
recipe = Recipe(params.objective, n_prefix, **chosen)
result = run_edits(
    model,
    cases,
    recipe,
    options["extra_arms"],
    options["learning_rates"],
    head,
    params.seed,
    n_reference=options["n_reference"],
)
log(result.edits.groupby(["reference", "arm", "learning_rate"])["em_memorized"].mean().to_string())
stamp = provenance(snakemake)
tables.write("edits", result.edits, snakemake.output.edits, stamp)
tables.write("edit_trajectories", result.trajectories, snakemake.output.trajectories, stamp)
