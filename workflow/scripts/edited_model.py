"""Rule edited_model: remove paragraphs together; write the model, the card and the scores of every text."""

from memloc.run.rule import log, provenance, start

start(snakemake)

from pathlib import Path

from memloc.data.listed import listed_ids
from memloc.localization.highlight import ordered_heads
from memloc.model import loading, pretrained
from memloc.removal.joint_edit import card, joint_texts, remove_jointly, unlearn_jointly
from memloc.run.atomic import atomic_folder
from memloc.settings.sections import sections
from memloc.tables import storage
from memloc.tables.schema import by_name
from memloc.tables.schemas.head_ranking import HEAD_RANKING
from memloc.tables.schemas.paragraphs import PARAGRAPHS
from memloc.tables.schemas.sets import SETS

SCHEMAS = by_name(HEAD_RANKING, PARAGRAPHS, SETS)

settings, params, source = sections(snakemake.params.settings), snakemake.params, snakemake.input
how, n_prefix = settings.edit_model, settings.paragraph.prefix
found = {name: storage.read(SCHEMAS[name], source[name]) for name in ("paragraphs", "sets")}
ranking = {"head_ranking": storage.read(HEAD_RANKING, source.ranking)}
heads = ordered_heads(ranking, settings)
listed = listed_ids("edit_model", how, source.listed, **found)
texts = joint_texts(found, n_prefix, params.seed, how, listed)

model = loading.load_for_editing(source.folder, settings.loading)
if how.way:
    edit = remove_jointly(model, texts, n_prefix, how, settings.remove, heads, params.seed)
else:
    edit = unlearn_jointly(model, texts, n_prefix, how, heads[0], params.seed)
base, n_continuation = provenance(snakemake)["model"], settings.paragraph.continuation
template = Path(source.card).read_text()
text = card(template, edit, base, params.study, how, settings.loading.dtype, n_continuation)
log(text)
with atomic_folder(snakemake.output[0]) as folder:
    model.save_pretrained(folder)
    pretrained.load_tokenizer(source.folder).save_pretrained(folder)
    (folder / "README.md").write_text(text)
    edit.scores.to_csv(folder / "scores.csv", index=False)
