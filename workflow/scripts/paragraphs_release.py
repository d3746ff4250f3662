"""Rule paragraphs (release): the published paragraphs, their counts and their decoded text."""

from memloc.rule import log, provenance, start

start(snakemake)

from pathlib import Path

from memloc import models, tables
from memloc.paragraphs import decoded, token_tensor
from memloc.release import read_release

paragraphs = read_release(
    Path(snakemake.input.release[0]).parent, snakemake.params.settings["paragraph"]["length"]
)
tokenizer = models.load_tokenizer(snakemake.input.folder)
paragraphs["text"] = decoded(token_tensor(paragraphs.tokens), tokenizer)
log(f"{len(paragraphs)} paragraphs, {int((paragraphs['count'] == 0).sum())} of them unparsed (count 0)")
tables.write("paragraphs", paragraphs, snakemake.output.paragraphs, provenance(snakemake))
