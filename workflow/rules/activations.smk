# Activation gradients and attention over the prefix (paper 6.1, 6.2 and A.2).


rule activation_gradients:
    input:
        **tables("paragraphs", "sets", "perturbed_paragraphs"),
        model=rules.model.output.description,
        folder=MODEL_FOLDER,
    output:
        **tables("activation_gradients", "impact_gradients"),
    log:
        log_file("activation_gradients"),
    benchmark:
        benchmark_file("activation_gradients")
    conda:
        ENVIRONMENT
    threads: SETTINGS.threads
    resources:
        gpu=N_GPU,
        mem_mb=growing(MEMORY["activation_gradients"]),
        runtime=limited(60),
    params:
        **tracked("activation_gradients", "loading"),
    message:
        "Attribute NLLs of memorized and perturbed paragraphs to activations."
    script:
        "../scripts/activation_gradients.py"


rule attention:
    input:
        **tables("paragraphs", "sets", "scores"),
        model=rules.model.output.description,
        folder=MODEL_FOLDER,
    output:
        **tables("attention"),
    log:
        log_file("attention"),
    benchmark:
        benchmark_file("attention")
    conda:
        ENVIRONMENT
    threads: SETTINGS.threads
    resources:
        gpu=N_GPU,
        mem_mb=growing(MEMORY["attention"]),
        runtime=limited(60),
    params:
        **tracked("attention", "loading", "scores", "sets"),
    message:
        "Record the attention of the first decoded token onto the prefix."
    script:
        "../scripts/attention.py"
