"""Rule index_shard: token ids of every n-th document of the user's text, with the order of their suffixes."""

from memloc.tables.job import start

job = start(snakemake)

from itertools import islice

from memloc.data import suffix_arrays
from memloc.data.documents import documents
from memloc.data.tokenised import tokenised
from memloc.model import pretrained
from memloc.run.atomic import atomic_folder
from memloc.run.errors import InputError

settings = job.settings
suffix_arrays.require_package("index")
if settings.data.counts:
    raise InputError(
        "index: data.counts says how often documents were seen, but an index holds each only once"
    )
shard, n_shards = job.params.shard
tokenizer = pretrained.load_tokenizer(job.input.folder)
width = suffix_arrays.width_for(len(tokenizer))
texts = (text for path in job.input.texts for text in documents(path, settings.data.field))
with atomic_folder(job.output[0]) as folder:
    own = tokenised(islice(texts, shard, None, n_shards), tokenizer)
    n_documents = suffix_arrays.write_documents(own, width, folder)
    job.log(f"{n_documents:,} documents, {(folder / 'tokenized.0').stat().st_size // width:,} tokens")
    suffix_arrays.sort_suffixes(folder, width, gigabytes=max(job.resources.mem_mb // 2048, 1))
