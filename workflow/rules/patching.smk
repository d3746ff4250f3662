# Two-way activation patching of memorized paragraphs and their perturbed versions (paper A.3).


rule patching:
    input:
        model=rules.model.output.manifest,
        folder=MODEL_FOLDER,
        paragraphs=table("paragraphs"),
        perturbed=table("perturbed_paragraphs"),
    output:
        changes=table("patching"),
        estimate=table("attribution_patching"),
    log:
        log_file("patching"),
    benchmark:
        benchmark_file("patching")
    conda:
        ENVIRONMENT
    threads: SETTINGS.threads
    resources:
        gpu=N_GPU,
        mem_mb=growing(8000),
        runtime=growing(480),
    params:
        **tracked("patching.py", "patching", "loading"),
    message:
        "Patch q, k and v of every head at the perturbed position, both ways."
    script:
        "../scripts/patching.py"


rule residual_patching:
    input:
        model=rules.model.output.manifest,
        folder=MODEL_FOLDER,
        paragraphs=table("paragraphs"),
        perturbed=table("perturbed_paragraphs"),
    output:
        table("residual_patching"),
    log:
        log_file("residual_patching"),
    benchmark:
        benchmark_file("residual_patching")
    conda:
        ENVIRONMENT
    threads: SETTINGS.threads
    resources:
        gpu=N_GPU,
        mem_mb=growing(8000),
        runtime=growing(480),
    params:
        **tracked("residual_patching.py", "patching", "loading"),
    message:
        "Patch the residual stream of every layer and position, both ways."
    script:
        "../scripts/residual_patching.py"
