"""Rule edited_model: remove paragraphs together; write the model, the card and the scores of every text."""

from memloc.tables.job import start

job = start(snakemake)

from pathlib import Path

from memloc.data.sets import require_memorized
from memloc.localization.highlight import ordered_heads
from memloc.model import loading
from memloc.removal.joint_edit import card, joint_texts, remove_jointly
from memloc.run.atomic import atomic_folder

settings, source = job.settings, job.input
how, n_prefix = settings.edit_model, settings.paragraph.prefix
found = {name: job.read(name) for name in ("paragraphs", "sets")}
heads = ordered_heads({"head_ranking": job.read("head_ranking")}, settings)
require_memorized(how.ids, "edit_model.ids", found["sets"])
texts = joint_texts(found, n_prefix, job.seed, how, how.ids)

subject = loading.load(source.folder, settings, 16, editing=True)
edit = remove_jointly(subject, texts, how, settings.remove, heads, job.seed)
base, n_continuation = job.stamp["model"], settings.paragraph.continuation
template = Path(source.card).read_text()
text = card(template, edit, base, job.params.study, settings.loading.dtype, n_continuation)
with atomic_folder(job.output[0]) as folder:
    subject.model.save_pretrained(folder)
    subject.tokenizer.save_pretrained(folder)
    (folder / "README.md").write_text(text)
    edit.scores.to_csv(folder / "scores.csv", index=False)
