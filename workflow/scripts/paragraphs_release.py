"""Rule paragraphs (release): the published paragraphs, their counts and their decoded text."""

from memloc.tables.job import start

job = start(snakemake)

from pathlib import Path

from memloc.data.paragraphs import UNKNOWN, token_tensor
from memloc.data.release import read_release, retokenized
from memloc.model import pretrained
from memloc.model.token_text import decoded

settings = job.settings
length, retokenize = settings.paragraph.length, settings.data.retokenize
paragraphs = read_release(Path(job.input.release[0]).parent, retokenize.length if retokenize else length)

tokenizer = pretrained.load_tokenizer(job.input.folder)
if retokenize:
    original = pretrained.load_tokenizer(job.input.tokenizer[0])
    paragraphs["text"] = decoded(token_tensor(paragraphs.tokens), original)
    paragraphs = retokenized(paragraphs, tokenizer, length)
paragraphs["text"] = decoded(token_tensor(paragraphs.tokens), tokenizer)
# The release counts whole paragraphs only, and holds nothing that is known to be unseen.
paragraphs = paragraphs.assign(unseen=False, held_out=False, **UNKNOWN)
job.write(paragraphs=paragraphs)
