"""Rule explorer: the interactive page, from tables of the study."""

from memloc.run.rule import log, start

start(snakemake)

from pathlib import Path

from memloc.explorer import maps, tabs
from memloc.explorer.contents import BY_PARAGRAPH
from memloc.explorer.files import write_data, write_page
from memloc.explorer.index import index_of
from memloc.explorer.paragraph import paragraphs
from memloc.explorer.selection import chosen_ids, corpus_counts
from memloc.explorer.tokens import Shape
from memloc.run.atomic import atomic_folder
from memloc.settings.sections import sections
from memloc.tables import storage
from memloc.tables.schemas import schema_of

params = snakemake.params
settings = sections(params.settings)
paths = {Path(path).stem: path for path in snakemake.input.tables}


stamps = {name: storage.provenance(path) for name, path in paths.items()}
tables = {
    name: storage.read(schema_of(name), path) for name, path in paths.items() if name not in BY_PARAGRAPH
}
ids = chosen_ids(tables, settings.explorer.n_paragraphs)
tables |= {
    name: storage.read(schema_of(name), path, ids=ids) for name, path in paths.items() if name in BY_PARAGRAPH
}
counts = corpus_counts(
    storage.batches(schema_of("paragraphs"), paths["paragraphs"], ["id", "tokens"]),
    tables["sets"],
    int(tables["vocabulary"].token.max()) + 1,
)
model = stamps["scores"]["model"]
lengths = settings.paragraph
shape = Shape(lengths.length, lengths.prefix, model["n_layers"], model["n_heads"])
shown = tabs.tabs(tables)
shown["study"] = tabs.study(Path(snakemake.input.config).read_text(), stamps, params.left_out)
index = index_of(ids, tables, settings, shape, {key: tab["title"] for key, tab in shown.items()})

with atomic_folder(snakemake.output[0]) as folder:
    write_page(folder, {"study": params.study, "model": params.model, **index})
    write_data(folder, "maps", maps.maps_of_sets(tables))
    for key, tab in shown.items():
        write_data(folder, f"tab-{key}", tab)
    for number, content in paragraphs(ids, tables, shape, counts):
        write_data(folder, f"paragraph-{number}", content)
    size = sum(path.stat().st_size for path in folder.rglob("*.*"))
log(f"{len(ids)} of {len(tables['sets'])} paragraphs, {size / 1e6:.1f} MB")
