"""Rule edit_model: unlearn paragraphs jointly; write the model, the card and the scores of every text."""

from memloc.run.rule import log, provenance, start

start(snakemake)

from pathlib import Path

from memloc.localization.highlight import highlighted_head
from memloc.model import loading
from memloc.removal.editing import Recipe
from memloc.removal.joint_edit import card, joint_texts, unlearn_jointly
from memloc.run.atomic import atomic_folder
from memloc.tables import storage
from memloc.tables.schema import by_name
from memloc.tables.schemas.head_ranking import HEAD_RANKING
from memloc.tables.schemas.paragraphs import PARAGRAPHS
from memloc.tables.schemas.sets import SETS

SCHEMAS = by_name(HEAD_RANKING, PARAGRAPHS, SETS)

settings, params, source = snakemake.params.settings, snakemake.params, snakemake.input
options, n_prefix = settings["edit_model"], settings["paragraph"]["prefix"]
found = {name: storage.read(SCHEMAS[name], source[name]) for name in ("paragraphs", "sets")}
ranking = {"head_ranking": storage.read(HEAD_RANKING, source.ranking)}
head = highlighted_head(ranking, {"highlight": settings["highlight"]})
counts = {name: options[name] for name in ("ids", "n_controls", "n_held_out", "n_others")}
texts = joint_texts(found, n_prefix, params.seed, **counts)

model = loading.load_for_editing(source.folder, **settings["loading"])
steps = ("steps", "nll_weight", "kl_weight", "fraction", "micro_batch", "reference")
recipe = Recipe("unlearn", n_prefix, **{name: options[name] for name in steps})
edit = unlearn_jointly(model, texts, recipe, options["arm"], options["learning_rate"], head, params.seed)
shown = {name: options[name] for name in ("arm", "steps", "learning_rate", "reference")}
shown["dtype"] = settings["loading"]["dtype"]
shown["n_continuation"] = settings["paragraph"]["length"] - n_prefix
text = card(Path(source.card).read_text(), edit, provenance(snakemake)["model"], params.study, shown)
log(text)
with atomic_folder(snakemake.output[0]) as folder:
    model.save_pretrained(folder)
    loading.load_tokenizer(source.folder).save_pretrained(folder)
    (folder / "README.md").write_text(text)
    edit.scores.to_csv(folder / "scores.csv", index=False)
