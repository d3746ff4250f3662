"""Rule plant_paragraphs: plant paragraphs in chosen weights, and ask every localization method where they
are."""

from memloc.run.rule import log, provenance, start

start(snakemake)

from contextlib import ExitStack

from memloc.data.paragraphs import token_tensor
from memloc.localization.ablation import mean_outputs
from memloc.localization.rare_tokens import unigram_counts
from memloc.editing.masks import OriginalWeights
from memloc.model import loading
from memloc.planting.study import Study, slots
from memloc.planting.texts import kept_paragraphs, unknown_paragraphs
from memloc.run.progress import Progress
from memloc.run.seeds import generator
from memloc.run.shards import shard_rows
from memloc.scoring.held_out import judging_texts, with_own_continuations
from memloc.settings.sections import sections
from memloc.tables import storage
from memloc.tables.schema import by_name
from memloc.tables.schemas.paragraphs import PARAGRAPHS
from memloc.tables.schemas.planted_truth import PLANTED_COSTS, PLANTED_CURVES, PLANTED_TRUTH, PLANTS
from memloc.tables.schemas.scores import SCORES
from memloc.tables.schemas.sets import SETS

SCHEMAS = by_name(PLANTS, PLANTED_TRUTH, PLANTED_CURVES, PLANTED_COSTS)

settings, seed, source = sections(snakemake.params.settings), snakemake.params.seed, snakemake.input
how, n_prefix = settings.planted_truth, settings.paragraph.prefix
paragraphs = storage.read(PARAGRAPHS, source.paragraphs, ["id", "count", "tokens"])
scores, sets = storage.read(SCORES, source.scores, ["id", "em"]), storage.read(SETS, source.sets)
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

model = loading.load_for_editing(source.folder, settings.loading)
means = mean_outputs(model, texts.pop("means").tokens, how.micro_batch)
study = Study(
    model,
    OriginalWeights(model),
    ids,
    token_tensor(tokens.loc[ids]),
    token_tensor(tokens.loc[keep]),
    with_own_continuations(model, texts, n_prefix, how.micro_batch),
    means,
    unigram_counts(token_tensor(tokens).numpy(), model.config.vocab_size),
    n_prefix,
    how,
    seed,
)
rows, stamp = shard_rows(how.n_plants, *snakemake.params.shard, micro_batch=1), provenance(snakemake)
log(f"{len(rows)} of {how.n_plants} plants of each of {len(how.kinds)} kinds")
progress = Progress(len(rows), "plants of each kind")
with ExitStack() as stack:
    writers = {
        name: stack.enter_context(storage.writer(schema, snakemake.output[name], stamp))
        for name, schema in SCHEMAS.items()
    }
    for slot, found in slots(study, rows):
        for name, writer in writers.items():
            if len(getattr(found, name)):
                writer.append(getattr(found, name))
        for plant in found.plants.itertuples():
            state = "recited" if plant.reached else "failed"
            log(f"plant {slot}, {plant.place}: {state} after {plant.steps} steps, EM {plant.em}")
        progress.advance()
