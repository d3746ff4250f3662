"""The workflow, where Snakemake looks for it first: workflow/Snakefile is the real one."""


include: "workflow/Snakefile"


# What is included sets no default by itself.
workflow.default_target = workflow.default_target or workflow.modifier.modify_rulename("all")
