# One prefix token replaced at a time, and each memorized paragraph's strongest perturbation (paper 4).


rule perturbation:
    input:
        model=rules.model.output.manifest,
        folder=MODEL_FOLDER,
        vocabulary=table("vocabulary"),
        paragraphs=table("paragraphs"),
        sets=table("sets"),
    output:
        perturbation=table("perturbation"),
        perturbed_paragraphs=table("perturbed_paragraphs"),
    log:
        log_file("perturbation"),
    benchmark:
        benchmark_file("perturbation")
    conda:
        ENVIRONMENT
    threads: SETTINGS.threads
    resources:
        gpu=N_GPU,
        mem_mb=growing(6000),
        runtime=growing(240),
    params:
        **tracked("perturbation.py", "perturbation", "loading", "scores"),
    message:
        "Replace every prefix token of the sampled paragraphs and score what the model goes on with."
    script:
        "../scripts/perturbation.py"
