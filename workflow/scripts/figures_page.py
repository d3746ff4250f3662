"""Rule figures_page: all figures with their captions on one page."""

from memloc.tables.job import start

job = start(snakemake)

from pathlib import Path

import pandas as pd

from memloc.figures.catalog import chapters
from memloc.figures.parts.figures_page import figures_page
from memloc.run.atomic import write_text

params = job.params
told = {
    "study": params.study,
    "before": job.settings.paragraph.before,
    "members": params.members,
    "headline": Path(job.input.headline).read_text().splitlines(),
    "claims": job.read("claims") if job.tables else pd.DataFrame(),
}
template, folder = Path(job.input.template).read_text(), Path(job.output[0]).parent / "figures"
write_text(job.output[0], figures_page(template, chapters({*params.figures}), folder, **told))
