# The findings of the study: on one screen, with which the report opens, and in five lines, with which a run ends
# and explorer and figures open.

from memloc.claims.findings import READ


rule story:
    input:
        **tables(*(name for name in READ if name not in ABSENT)),
        template=report_file("story.rst"),
    output:
        story=f"{RESULTS}/story.rst",
        headline=f"{RESULTS}/headline.txt",
    log:
        log_file("story"),
    benchmark:
        benchmark_file("story")
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=growing(1000),
        runtime=growing(5),
    params:
        **tracked("highlight"),
        model=MODEL_NAME,
        config=placed(rules.run_config.output[0]),
    message:
        "Sum up the study on one screen."
    script:
        "../scripts/story.py"
