"""Rule score_heads: ask further methods about every head, for each sampled memorized paragraph."""

from memloc.tables.job import start

job = start(snakemake)

from memloc.data.paragraphs import sampled_tokens, token_tensor
from memloc.localization.ablation import mean_outputs
from memloc.model import loading
from memloc.perturbation.pairs import Pairs
from memloc.planting.methods import head_scores
from memloc.planting.question import Question
from memloc.run.progress import Progress
from memloc.run.seeds import generator
from memloc.scoring.held_out import judging_texts

settings, seed = job.settings, job.seed
how, n_prefix = settings.planted_truth, settings.paragraph.prefix
paragraphs, sets = job.read("paragraphs", ["id", "tokens"]), job.read("sets")
perturbed = job.read("perturbed_paragraphs").set_index("id", drop=False)
ids, tokens = sampled_tokens(paragraphs, sets, "memorized", n_prefix)
texts = judging_texts(paragraphs, sets, seed, n_paragraphs=how.n_judging, n_held_out=how.n_judging)

model = loading.load_for_editing(job.input.folder, settings.loading)
shared = Question(
    model,
    tokens,
    n_prefix,
    ("head",),
    how,
    generator(seed, "score_heads"),
    mean_outputs=mean_outputs(model, texts["means"].tokens, how.micro_batch),
    counts=token_tensor(paragraphs.tokens).flatten().bincount(minlength=model.config.vocab_size).numpy(),
)
progress = Progress(len(ids), "paragraphs")
with job.writing() as append:
    for id, own in zip(ids, tokens, strict=True):
        version = perturbed[perturbed["id"] == id]
        pair = Pairs.from_tables(paragraphs, version) if len(version) else None
        question = shared._replace(tokens=own[None], pair=pair)
        append(head_scores=head_scores(question, settings.head_ranking.also).assign(id=id))
        progress.advance()
