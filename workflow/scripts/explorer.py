"""Rule explorer: the interactive page, from tables of the study."""

from memloc.tables.job import start

job = start(snakemake)

from pathlib import Path

from memloc.explorer import maps, tabs
from memloc.explorer.contents import BY_PARAGRAPH
from memloc.explorer.files import write_data, write_page
from memloc.explorer.index import index_of
from memloc.explorer.paragraph import paragraphs
from memloc.explorer.selection import N_PARAGRAPHS, chosen_ids, corpus_counts
from memloc.explorer.tokens import Shape
from memloc.run.atomic import atomic_folder
from memloc.tables import storage

settings, lengths = job.settings, job.settings.paragraph
stamps = {name: storage.provenance(job.input[name]) for name in job.tables}
tables = {name: job.read(name) for name in job.tables if name not in BY_PARAGRAPH}
ids = chosen_ids(tables, N_PARAGRAPHS)
tables |= {name: job.read(name, ids=ids) for name in job.tables if name in BY_PARAGRAPH}
n_vocabulary = int(tables["vocabulary"].token.max()) + 1
counts = corpus_counts(job.batches("paragraphs", ["id", "tokens"]), tables["sets"], n_vocabulary)
model = stamps["scores"]["model"]
shape = Shape(lengths.length, lengths.prefix, model["n_layers"], model["n_heads"])
shown = tabs.tabs(tables)
shown["study"] = tabs.study(Path(job.input.config).read_text(), stamps)
index = index_of(ids, tables, settings, shape, {key: tab["title"] for key, tab in shown.items()})
found = Path(job.input.headline).read_text().splitlines()

with atomic_folder(job.output[0]) as folder:
    write_page(folder, {"study": job.params.study, "found": found, **index})
    write_data(folder, "maps", maps.maps_of_sets(tables))
    for key, tab in shown.items():
        write_data(folder, f"tab-{key}", tab)
    for number, content in paragraphs(ids, tables, shape, counts):
        write_data(folder, f"paragraph-{number}", content)
