# The bundle of a run, its verification, and the estimate of a run's cost before it.

import re

BUNDLE = f"{RESULTS}/bundle.zip"


rule bundle:
    input:
        rules.all.input,
    output:
        BUNDLE,
    log:
        log_file("bundle"),
    benchmark:
        benchmark_file("bundle")
    localrule: True
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        **tracked(),
        ran=lambda wildcards: [step._asdict() for step in steps_of(OWN_RULES)],
        code_files=lambda wildcards: code_files(steps_of(OWN_RULES)),
    message:
        "Put all results into one file, with the code, the environment and their provenance."
    script:
        "../scripts/bundle.py"


# The bundle is not an input: it would be made anew after a change of the results, and agree with them. There
# is no benchmark: it would be an output, and the rule would not run twice.
rule verify:
    log:
        log_file("verify"),
    localrule: True
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        **tracked(),
        bundle=placed(BUNDLE),
    message:
        "Check that the bundle and the results are unchanged: hashes, nothing missing or added."
    script:
        "../scripts/verify.py"


rule estimate:
    log:
        log_file("estimate"),
    localrule: True
    resources:
        mem_mb=growing(2000),
        runtime=growing(10),
    params:
        **tracked(),
        ran=lambda wildcards: [step._asdict() for step in steps_of(OWN_RULES)],
        targets=lambda wildcards: [str(path) for path in rules.all.input],
        whole=SETTINGS.model_dump(mode="json"),
        results=placed(RESULTS),
        cores=lambda wildcards: workflow.cores,
        gpus=lambda wildcards: n_gpus(),
        remote=lambda wildcards: not workflow.local_exec,
    message:
        "Estimate time and memory of every rule, and the time of the whole study."
    script:
        "../scripts/estimate.py"
