# What the study found, in six lines: a run ends with them, and report, explorer and figures open with them. A study of
# several models has those of each (MEMBERS).

from memloc.claims.findings import READ


rule story:
    input:
        **tables(*(["claims"] * JUDGED if MEMBERS else [name for name in READ if name not in ABSENT])),
        headlines=[f"{RESULTS}/{name}/headline.txt" for name in MEMBERS],
        template=report_file("story.rst"),
    output:
        story=f"{RESULTS}/story.rst",
        headline=f"{RESULTS}/headline.txt",
    log:
        log_file("story"),
    benchmark:
        benchmark_file("story")
    localrule: True
    resources:
        mem_mb=growing(1000),
        runtime=growing(5),
    params:
        **tracked("highlight"),
        models=MEMBERS or [MODEL_NAME],
        config=placed(rules.run_config.output[0]),
    message:
        "Say what was studied and found in six lines."
    script:
        "../scripts/story.py"
