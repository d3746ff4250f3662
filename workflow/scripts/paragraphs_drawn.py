"""Rule paragraphs (drawn): cut paragraphs from docstrings and draw how often each is repeated."""

from memloc.tables.job import start

job = start(snakemake)

from memloc.data import drawn
from memloc.data.tokenizer import train_tokenizer
from memloc.model import pretrained
from memloc.run.atomic import atomic_folder

data, paragraph = job.settings.data, job.settings.paragraph
found = [text for package in data.packages for text in drawn.docstrings(package)]
texts = [docstring.text for docstring in found]
base = job.input.get("base")
tokenizer = pretrained.load_tokenizer(base[0]) if base else train_tokenizer(texts, data.vocabulary)
made = drawn.make_stream(found, tokenizer, paragraph, data, job.params.context, job.seed)

job.stamp["packages"] = job.params.versions
with atomic_folder(job.output.tokenizer) as folder:
    tokenizer.save_pretrained(folder)
job.write(**made._asdict())
