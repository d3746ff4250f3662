"""Rule paragraphs (drawn): cut paragraphs from docstrings and draw how often each is repeated."""

from memloc.tables.job import start

job = start(snakemake)

import gc
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from memloc.data import drawn
from memloc.data.tokenizer import train_tokenizer
from memloc.model import pretrained
from memloc.run.atomic import atomic_folder
from memloc.run.rule import end_with_parent

FILES_AT_ONCE = 32
data, paragraph = job.settings.data, job.settings.paragraph


def begin():
    """Begin a process of the pool."""
    gc.disable()  # a syntax tree holds no cycles: it would take a third of the time and find nothing
    end_with_parent()


# Forked: any other start method would run this script again in every process.
with ProcessPoolExecutor(job.threads, multiprocessing.get_context("fork"), initializer=begin) as pool:
    each = partial(pool.map, chunksize=FILES_AT_ONCE)
    found = [text for package in data.packages for text in drawn.docstrings(package, each=each)]
texts = [docstring.text for docstring in found]
# No process is forked from here on: the tokenizer may have threads.
os.environ.update(TOKENIZERS_PARALLELISM="true", RAYON_NUM_THREADS=str(job.threads))
base = job.input.get("base")
tokenizer = pretrained.load_tokenizer(base[0]) if base else train_tokenizer(texts, data.vocabulary)
made = drawn.make_stream(found, tokenizer, paragraph, data, job.params.context, job.seed)

job.stamp["packages"] = job.params.versions
with atomic_folder(job.output.tokenizer) as folder:
    tokenizer.save_pretrained(folder)
job.write(**made._asdict())
