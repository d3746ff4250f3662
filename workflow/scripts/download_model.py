"""Rules download_model and download_tokenizer: configuration, tokenizer and weights of a model of the hub."""

from memloc.tables.job import start

job = start(snakemake)

from memloc.data.hub import fetch_model
from memloc.run.console import sized

params = job.params
model = dict(params.model)
name = model.pop("id")
folder = fetch_model(name, folder=job.output[0], weights=params.weights, **model, **params.network)
for path in sorted(folder.iterdir()):
    job.log(f"{path}: {sized(path.stat().st_size)}")
