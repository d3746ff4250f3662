"""Rules unlearn_paragraphs and edit_paragraphs: edit memorized paragraphs, or a shard of them."""

from memloc.run.rule import log, provenance, start

start(snakemake)

from pathlib import Path

from memloc.localization.highlight import highlighted_head
from memloc.model import loading
from memloc.removal.edit_cases import edit_cases, with_text_to_learn
from memloc.editing.steps import Recipe
from memloc.removal.editing import run_edits
from memloc.run.progress import Progress
from memloc.run.shards import shard_rows
from memloc.settings.sections import sections
from memloc.tables import storage
from memloc.tables.schema import by_name
from memloc.tables.schemas.edits import EDIT_TRAJECTORIES, EDITS
from memloc.tables.schemas.head_ranking import HEAD_RANKING
from memloc.tables.schemas.paragraphs import PARAGRAPHS
from memloc.tables.schemas.perturbation import PERTURBATION, PERTURBED_PARAGRAPHS
from memloc.tables.schemas.sets import SETS

SCHEMAS = by_name(
    EDIT_TRAJECTORIES, EDITS, HEAD_RANKING, PARAGRAPHS, PERTURBATION, PERTURBED_PARAGRAPHS, SETS
)

settings, params = sections(snakemake.params.settings), snakemake.params
how, n_prefix = settings.editing, settings.paragraph.prefix
found = {Path(path).stem: storage.read(SCHEMAS[Path(path).stem], path) for path in snakemake.input.tables}
head = highlighted_head(found, settings)
cases = with_text_to_learn(edit_cases(found, n_prefix, params.seed, how), params.objective)
rows = shard_rows(len(cases), *params.shard, micro_batch=1)
log(f"{len(rows)} of {len(cases)} memorized paragraphs, head {head[1]} of layer {head[0]}")

model = loading.load_for_editing(snakemake.input.folder, settings.loading)
recipe = Recipe(params.objective, n_prefix, how)
results = run_edits(model, cases, recipe, head, params.seed, rows)
stamp, progress, edited = provenance(snakemake), Progress(len(rows), "paragraphs"), set()
with (
    storage.writer(EDITS, snakemake.output.edits, stamp) as edits,
    storage.writer(EDIT_TRAJECTORIES, snakemake.output.edit_trajectories, stamp) as trajectories,
):
    for result in results:
        edits.append(result.edits)
        trajectories.append(result.trajectories)
        log(result.edits.groupby(["id", "reference", "arm"])["em_memorized"].mean().to_string(header=False))
        edited.update(result.edits["id"])
        progress.at(len(edited))
