"""Localize paragraph memorization in language models: from paragraphs to every figure of the paper."""

import re
import sys
from pathlib import Path

from snakemake.utils import min_version

min_version("9.27")

if not workflow.configfiles:

    configfile: "config/default.yaml"


report: "workflow/report/workflow.rst"


localrules:
    all,
    figures,
    tables,
    resources,


if config.get("models"):

    include: "workflow/rules/models.smk"

else:

    include: "workflow/rules/study.smk"


include: "workflow/rules/bench.smk"


rule all:
    default_target: True
    input:
        rules.figures.input,
        rules.tables.input,
    message:
        "Everything is done."


# A profile names the model of its GPUs as a resource of every rule; only rules with a GPU may keep it.
for each in workflow.rules:
    if not N_GPU or "gpu" not in each.resources:
        each.resources["gpu_model"] = None


onerror:
    # The console ends with the last line of every failed job's log: what is wrong, and what to do.
    told = "".join(Path(file).read_text() for file in log)
    for failed in sorted(set(re.findall(r"log: (\S+) \(check log", told))):
        *_, last = Path(failed).read_text().splitlines() or ["nothing was logged"]
        print(f"{failed}: {last}", file=sys.stderr)
