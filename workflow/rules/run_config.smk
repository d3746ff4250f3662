# The effective settings of the study.

import yaml


rule run_config:
    output:
        f"{RESULTS}/run_config.yaml",
    log:
        log_file("run_config"),
    benchmark:
        benchmark_file("run_config")
    localrule: True
    resources:
        mem_mb=growing(500),
        runtime=growing(5),
    params:
        **tracked(),
        effective=yaml.safe_dump(SETTINGS.as_config(), sort_keys=False),
    message:
        "Write the effective settings of the study."
    script:
        "../scripts/run_config.py"
