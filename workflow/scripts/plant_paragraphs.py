"""Rule plant_paragraphs: plant paragraphs in chosen weights, and ask every localization method where they
are."""

from memloc.tables.job import start

job = start(snakemake)

from memloc.data.paragraphs import token_tensor
from memloc.editing.masks import OriginalWeights
from memloc.localization.ablation import mean_outputs
from memloc.model import loading
from memloc.planting.grown import grown_memories
from memloc.planting.study import Paragraph, Study, run_slot
from memloc.planting.texts import kept_paragraphs, unknown_paragraphs
from memloc.run.progress import Progress
from memloc.run.seeds import generator
from memloc.scoring.held_out import judging_texts, with_own_continuations
from memloc.tables import storage

settings, seed = job.settings, job.seed
how, n_prefix = settings.planted_truth, settings.paragraph.prefix
paragraphs = job.read("paragraphs", ["id", "count", "tokens"])
scores, sets = job.read("scores", ["id", "em"]), job.read("sets")
texts = judging_texts(paragraphs, sets, seed, n_paragraphs=how.n_judging, n_held_out=how.n_judging)
taken = {int(number) for group in texts.values() for number in group.ids}
keep = kept_paragraphs(sets, taken, how.n_kept, generator(seed, "planted_truth", "keep"))
ids = unknown_paragraphs(
    paragraphs,
    scores,
    taken | set(keep.tolist()),
    how.n_paragraphs,
    settings.paragraph.length - n_prefix,
    generator(seed, "planted_truth", "paragraphs"),
)
tokens = paragraphs.set_index("id")["tokens"]

model = loading.load_for_editing(job.input.folder, settings.loading)
grown = []
if "grown" in job.tables:
    rows, trained_with = job.read("grown"), storage.provenance(job.input.grown)["seed"]
    memories = grown_memories(model, rows.id.to_numpy(), settings.model.grown, trained_with)
    own = token_tensor(tokens.loc[rows.id])
    recited = rows.em == settings.paragraph.length - n_prefix
    grown = [
        (memories[row], Paragraph(rows.id.to_numpy()[row, None], own[row, None]))
        for row in recited[recited].index
    ]
    job.log(f"{len(grown)} of {len(rows)} grown memories are recited")
means = mean_outputs(model, texts.pop("means").tokens, how.micro_batch)
study = Study(
    model,
    OriginalWeights(model),
    ids,
    token_tensor(tokens.loc[ids]),
    token_tensor(tokens.loc[keep]),
    with_own_continuations(model, texts, n_prefix, how.micro_batch),
    means,
    token_tensor(tokens).flatten().bincount(minlength=model.config.vocab_size).numpy(),
    n_prefix,
    how,
    seed,
    grown,
)
rows = job.shard(how.n_plants)
job.log(f"{len(rows)} of {how.n_plants} plants of each of {len(how.kinds)} kinds")
progress = Progress(len(rows), "plants of each kind")
with job.writing() as append:
    for slot in rows:
        found = run_slot(study, slot)
        append(**found._asdict())
        for plant in found.plants.itertuples():
            state = "recited" if plant.reached else "failed"
            job.log(f"plant {slot}, {plant.place}: {state} after {plant.steps} steps, EM {plant.em}")
        progress.advance()
