# Gradients of the weights for memorized and other paragraphs, and for the contrastive objective (paper 5).


rule parameter_gradients:
    input:
        **tables("paragraphs", "sets"),
        model=rules.model.output.description,
        folder=MODEL_FOLDER,
    output:
        **tables("parameter_gradients", "parameter_gradient_samples", "paragraph_gradients"),
    log:
        log_file("parameter_gradients"),
    benchmark:
        benchmark_file("parameter_gradients")
    conda:
        ENVIRONMENT
    threads: SETTINGS.threads
    resources:
        gpu=N_GPU,
        mem_mb=growing(MEMORY["parameter_gradients"]),
        runtime=limited(60),
    params:
        **tracked("contrastive", "loading"),
    message:
        "Attribute the NLL of every set, and the contrastive objective, to the model's weights."
    script:
        "../scripts/parameter_gradients.py"
