"""Rule bench_model: a GPT-Neo with random weights, saved as an ordinary folder, and what it recites."""

from memloc.run.rule import provenance, start

start(snakemake)

from pathlib import Path

from memloc.bench import run
from memloc.bench.subject import Bench, random_model
from memloc.run.atomic import atomic_folder
from memloc.settings.sections import sections
from memloc.tables import storage
from memloc.tables.schemas.bench import BENCH_TEXTS

settings, folder = sections(snakemake.params.settings), Path(snakemake.output.folder)
names = ("vocabulary", "n_layers", "n_heads", "width", "window")
shape = {name: getattr(settings.bench, name) for name in names}
with atomic_folder(folder) as temporary:
    random_model(shape, snakemake.params.seed).save_pretrained(temporary)
texts = run.texts(Bench(folder, settings.bench, settings, snakemake.params.seed))
storage.write(BENCH_TEXTS, texts, snakemake.output.texts, provenance(snakemake))
