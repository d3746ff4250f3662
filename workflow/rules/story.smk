# The findings of the study on one screen: the report opens with them, and a run ends with their headline.


rule story:
    input:
        **tables("sets", "claims"),
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
        **tracked(),
        model=MODEL_NAME,
        config=placed(rules.run_config.output[0]),
    message:
        "Sum up the study on one screen."
    script:
        "../scripts/story.py"
