# The effective settings of the study.

from memloc.settings.documentation import effective


rule run_config:
    output:
        f"{RESULTS}/run_config.yaml",
    log:
        log_file("run_config"),
    benchmark:
        benchmark_file("run_config")
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=growing(500),
        runtime=growing(5),
    params:
        **tracked(),
        effective=effective(SETTINGS),
    message:
        "Write the effective settings of the study."
    script:
        "../scripts/run_config.py"
