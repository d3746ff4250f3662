"""Rule paragraphs (code): cut real files into paragraphs, and count their copies in the training text."""

from memloc.tables.job import start

job = start(snakemake)

import json

from memloc.data import chosen_files, code
from memloc.data.tokenizer import train_tokenizer
from memloc.model import pretrained
from memloc.run.atomic import atomic_folder, write_text

data, paragraph = job.settings.data, job.settings.paragraph
drawn = chosen_files.corpus(data, job.seed)
base, texts = job.input.get("base"), [file.text for file in drawn.trained]
tokenizer = pretrained.load_tokenizer(base[0]) if base else train_tokenizer(texts, data.vocabulary)
made = code.tables_of(drawn, tokenizer, paragraph, data, job.params.context, job.seed)

with atomic_folder(job.output.tokenizer) as folder:
    tokenizer.save_pretrained(folder)
write_text(job.output.text, json.dumps(chosen_files.description(data, drawn), indent=2) + "\n")
job.write(**made._asdict())
