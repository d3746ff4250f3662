"""Rule remove: ways to remove recitation, or a shard of them, on the same paragraphs with the same judges."""

from memloc.run.rule import log, provenance, start

start(snakemake)

from contextlib import ExitStack

from memloc.data.listed import listed_ids
from memloc.localization.highlight import ordered_heads
from memloc.editing.masks import OriginalWeights
from memloc.model import loading
from memloc.removal.removal_texts import texts_of
from memloc.removal.scoreboard import Comparison, as_it_is, run_way
from memloc.run.progress import Progress
from memloc.run.shards import shard_rows
from memloc.settings.sections import sections
from memloc.tables import storage
from memloc.tables.schema import by_name
from memloc.tables.schemas.head_ranking import HEAD_RANKING
from memloc.tables.schemas.paragraphs import PARAGRAPHS
from memloc.tables.schemas.removal import REMOVAL, REMOVAL_COSTS, REMOVAL_DAMAGE, REMOVAL_SWEEP
from memloc.tables.schemas.sets import SETS

SCHEMAS = by_name(REMOVAL, REMOVAL_DAMAGE, REMOVAL_SWEEP, REMOVAL_COSTS)

settings, seed, source = sections(snakemake.params.settings), snakemake.params.seed, snakemake.input
how, n_prefix = settings.remove, settings.paragraph.prefix
paragraphs = storage.read(PARAGRAPHS, source.paragraphs, ["id", "tokens", "text"])
sets = storage.read(SETS, source.sets)
ranking = storage.read(HEAD_RANKING, source.ranking, ["method", "layer", "head", "rank"])
listed = listed_ids("remove", how, source.listed, paragraphs, sets)
heads = ordered_heads({"head_ranking": ranking}, settings)

model = loading.load_for_editing(source.folder, settings.loading)
texts = texts_of(model, paragraphs, sets, n_prefix, how, seed, listed)
study = Comparison(model, OriginalWeights(model), texts, heads, n_prefix, how, seed)
rows, stamp = shard_rows(len(how.ways), *snakemake.params.shard, micro_batch=1), provenance(snakemake)
log(f"{len(rows)} of {len(how.ways)} ways, {len(texts.target.ids)} paragraphs to remove")
progress = Progress(len(rows), "ways")
with ExitStack() as stack:
    writers = {
        name: stack.enter_context(storage.writer(schema, snakemake.output[name], stamp))
        for name, schema in SCHEMAS.items()
    }
    for row in rows:
        found = [as_it_is(study)] if row == 0 else []
        found.append(run_way(study, how.ways[row]))
        for name, writer in writers.items():
            for part in found:
                if len(getattr(part, name)):
                    writer.append(getattr(part, name))
        log(found[-1].removal.groupby(["way", "setting", "mode"])["em"].mean().to_string(header=False))
        progress.advance()
