# Disturb weights, and measure the losses of memorized paragraphs.


rule disturb_weights:
    input:
        **tables("paragraphs", "sets"),
        model=rules.model.output.description,
        folder=MODEL_FOLDER,
    output:
        **tables("weight_noise"),
    log:
        log_file("disturb_weights"),
    benchmark:
        benchmark_file("disturb_weights")
    conda:
        ENVIRONMENT
    threads: SETTINGS.threads
    resources:
        gpu=N_GPU,
        mem_mb=growing(MEMORY["disturb_weights"]),
        runtime=limited(240),
    params:
        **tracked("weight_noise", "loading"),
    message:
        "Disturb the weights with the largest contrastive gradients, and as many random ones."
    script:
        "../scripts/disturb_weights.py"
