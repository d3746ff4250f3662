"""Localize paragraph memorization in language models: from paragraphs to every figure of the paper."""

from snakemake.utils import min_version

min_version("9.27")

if not workflow.configfiles:

    configfile: "config/default.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/resources.smk"
include: "workflow/rules/paragraphs.smk"
include: "workflow/rules/scores.smk"
include: "workflow/rules/perturbation.smk"
include: "workflow/rules/gradients.smk"
include: "workflow/rules/activations.smk"
include: "workflow/rules/rare_tokens.smk"
include: "workflow/rules/patching.smk"
include: "workflow/rules/token_statistics.smk"
include: "workflow/rules/ranking.smk"
include: "workflow/rules/editing.smk"
include: "workflow/rules/expected.smk"
include: "workflow/rules/shards.smk"
include: "workflow/rules/figures.smk"


report: "workflow/report/workflow.rst"


localrules:
    all,
    figures,
    tables,
    resources,


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
