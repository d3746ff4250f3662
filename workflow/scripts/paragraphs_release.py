"""Rule paragraphs (release): the published paragraphs, their counts and their decoded text."""

from memloc.rule import log, provenance, start

start(snakemake)

from pathlib import Path

from memloc import models, tables
from memloc.paragraphs import decoded, token_tensor
from memloc.release import read_release, retokenized

settings = snakemake.params.settings
length, retokenize = settings["paragraph"]["length"], settings["data"]["retokenize"]
paragraphs = read_release(
    Path(snakemake.input.release[0]).parent, retokenize["length"] if retokenize else length
)
log(f"{len(paragraphs)} paragraphs, {int((paragraphs['count'] == 0).sum())} of them unparsed (count 0)")

tokenizer = models.load_tokenizer(snakemake.input.folder)
if retokenize:
    original = models.load_tokenizer(snakemake.input.tokenizer[0])
    paragraphs["text"] = decoded(token_tensor(paragraphs.tokens), original)
    paragraphs = retokenized(paragraphs, tokenizer, length)
    log(f"{len(paragraphs)} of them have {length} tokens of the model's")
paragraphs["text"] = decoded(token_tensor(paragraphs.tokens), tokenizer)
paragraphs["continuation_count"] = None  # the release counts whole paragraphs only
tables.write("paragraphs", paragraphs, snakemake.output.paragraphs, provenance(snakemake))
