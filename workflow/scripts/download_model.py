"""Rules download_model and download_tokenizer: configuration, tokenizer and weights of a model of the hub."""

from memloc.tables.job import start

job = start(snakemake)

from memloc.data.hub import fetch_model

model = job.params.model
asked = {"sha256": model.get("sha256"), "weights": job.params.weights}
fetch_model(model["id"], model["revision"], job.output[0], job.params.endpoint, **asked)
