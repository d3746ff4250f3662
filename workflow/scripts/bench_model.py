"""Rule bench_model: a GPT-Neo with random weights, saved as an ordinary folder."""

from memloc.run.rule import start

start(snakemake)

from memloc.bench.subject import random_model
from memloc.run.atomic import atomic_folder
from memloc.settings.sections import sections

sizes = sections(snakemake.params.settings).bench
shape = {name: getattr(sizes, name) for name in ("vocabulary", "n_layers", "n_heads", "width", "window")}
with atomic_folder(snakemake.output.folder) as folder:
    random_model(shape, snakemake.params.seed).save_pretrained(folder)
