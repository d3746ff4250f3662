"""Rule ask_methods: ask every localization method where the memories are that grew in the model."""

from memloc.tables.job import start

job = start(snakemake)

from memloc.data.paragraphs import token_tensor
from memloc.localization.ablation import mean_outputs
from memloc.model import loading
from memloc.planting.asking import Asking, ask, models_of
from memloc.planting.grown import memories_of, swapped_memories
from memloc.run.progress import Progress
from memloc.scoring.held_out import judging_texts

settings, seed = job.settings, job.seed
how, grows = settings.grown_truth, settings.model.grown
paragraphs, sets, twins = job.read("paragraphs", ["id", "tokens"]), job.read("sets"), job.read("twins")
texts = judging_texts(paragraphs, sets, seed, n_paragraphs=how.n_judging, n_held_out=how.n_judging)
tokens = paragraphs.set_index("id")["tokens"]

subjects = [
    loading.load(folder, settings, 16, editing=True) for folder in (job.input.folder, *job.input.twin_folders)
]
means = {subject: mean_outputs(subject, texts["means"].tokens) for subject in subjects}
counts = token_tensor(tokens).flatten().bincount(minlength=subjects[0].model.config.vocab_size).numpy()
own = memories_of(subjects[0], job.read("grown"))
heads = [memory.place for memory in own if memory.kind == "grown_heads"]
asking = Asking(counts, means, heads, how, seed)
memories = [*own, *swapped_memories(own)]
recited = [
    memory for memory, em in zip(memories, twins.em, strict=True) if em == settings.paragraph.continuation
]
rows = job.shard(len(recited))
progress = Progress(len(rows), "memories")
with job.writing() as append:
    for memory in recited[rows.start : rows.stop]:
        asked = models_of(memory, grows.n_memories, subjects)
        append(grown_truth=ask(memory, token_tensor(tokens.loc[[memory.id]]), asked, asking))
        progress.advance()
