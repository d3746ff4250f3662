"""Rule plant_paragraphs: plant paragraphs in chosen weights, and ask every localization method where they
are."""

from memloc.tables.job import start

job = start(snakemake)

import pandas as pd

from memloc.data.paragraphs import token_tensor
from memloc.editing.masks import OriginalWeights
from memloc.localization.ablation import mean_outputs
from memloc.localization.layer_bypass import mean_block_outputs
from memloc.model import loading
from memloc.planting.grown import grown_memories
from memloc.planting.profiles import Profiler, without_plants
from memloc.planting.study import Study, questions_of_grown, run_slot
from memloc.planting.texts import kept_paragraphs, unknown_paragraphs
from memloc.run.progress import Progress
from memloc.run.seeds import generator
from memloc.scoring.held_out import judging_texts, own_continuations, with_own_continuations
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

model, *twins = (
    loading.load_for_editing(folder, settings.loading)
    for folder in (job.input.folder, *job.input.twin_folders)
)
mean_texts = texts.pop("means").tokens
study = Study(
    model,
    OriginalWeights(model),
    ids,
    token_tensor(tokens.loc[ids]),
    own_continuations(model, token_tensor(tokens.loc[keep]), n_prefix, how.micro_batch),
    with_own_continuations(model, texts, n_prefix, how.micro_batch),
    mean_outputs(model, mean_texts, how.micro_batch),
    token_tensor(tokens).flatten().bincount(minlength=model.config.vocab_size).numpy(),
    n_prefix,
    how,
    seed,
)
others = [
    study._replace(
        model=each,
        original=OriginalWeights(each),
        mean_outputs=mean_outputs(each, mean_texts, how.micro_batch),
    )
    for each in twins
]
if made := {"grown", "twins"} & set(job.tables):
    (name,) = made
    rows, trained_with = job.read(name), storage.provenance(job.input[name])["seed"]
    memories = [
        memory
        for swapped in (False, True)[: len(twins) or 1]
        for memory in grown_memories(model, rows.id.unique(), settings.model.grown, trained_with, swapped)
    ]
    recited = (rows.em == settings.paragraph.continuation).tolist()
    study = study._replace(grown=questions_of_grown(memories, recited, tokens, study, others))
    job.log(f"{len(study.grown)} of {len(rows)} grown memories are recited")
if "memory_profiles" in job.made:
    counts, own = paragraphs.set_index("id")["count"], rows[rows.plant < settings.model.grown.n_memories]
    profiled = without_plants(sets, counts, own, settings.paragraph.continuation, seed)
    block_means = mean_block_outputs(model, mean_texts, how.micro_batch)
    study = study._replace(profiler=Profiler(model, block_means, n_prefix, how.micro_batch, seed, []))
rows = job.shard(how.n_plants)
job.log(f"{len(rows)} of {how.n_plants} plants of each of {len(how.kinds)} kinds")
progress = Progress(len(rows), "plants of each kind")
with job.writing() as append:
    for slot in rows:
        found = run_slot(study, slot)
        append(**found._asdict())
        if study.profiler:
            some = profiled.iloc[slot :: how.n_plants]
            study.profiler.add(some.kind.tolist(), some.id.to_numpy(), token_tensor(tokens.loc[some.id]))
        for plant in found.plants.itertuples():
            state = "recited" if plant.reached else "failed"
            job.log(f"plant {slot}, {plant.place}: {state} after {plant.steps} steps, EM {plant.em}")
        progress.advance()
    if study.profiler:
        append(memory_profiles=pd.concat(study.profiler.rows, ignore_index=True))
