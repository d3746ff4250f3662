# Gradients of the weights: which components memorized and other paragraphs depend on (paper 5.1 and 5.2).


rule parameter_gradients:
    input:
        model=rules.model.output.description,
        folder=MODEL_FOLDER,
        paragraphs=table("paragraphs"),
        sets=table("sets"),
    output:
        table("parameter_gradients"),
        table("parameter_gradient_samples"),
        table("paragraph_gradients"),
        table("gradient_similarity"),
    log:
        log_file("parameter_gradients"),
    benchmark:
        benchmark_file("parameter_gradients")
    priority: AWAITED
    conda:
        ENVIRONMENT
    threads: SETTINGS.threads
    resources:
        gpu=N_GPU,
        mem_mb=growing(MEMORY["parameter_gradients"]),
        runtime=limited(60),
    params:
        **tracked("parameter_gradients.py", "parameter_gradients", "contrastive", "loading"),
    message:
        "Attribute the NLL of every set, and the contrastive objective, to the model's weights."
    script:
        "../scripts/parameter_gradients.py"
