# Ablate heads and bypass whole blocks, one by one and together; measure the losses of memorized paragraphs.


rule ablate_heads:
    input:
        **tables("paragraphs", "sets", "head_ranking"),
        model=rules.model.output.description,
        folder=MODEL_FOLDER,
    output:
        **tables("head_ablation", "cumulative_ablation"),
    log:
        log_file("ablate_heads"),
    benchmark:
        benchmark_file("ablate_heads")
    conda:
        ENVIRONMENT
    threads: SETTINGS.threads
    resources:
        gpu=N_GPU,
        mem_mb=growing(MEMORY["ablate_heads"]),
        runtime=limited(480),
    params:
        **tracked("head_ablation", "loading"),
    message:
        "Ablate every attention head, and the first heads of every ranking together."
    script:
        "../scripts/ablate_heads.py"


rule bypass_layers:
    input:
        **tables("paragraphs", "sets"),
        model=rules.model.output.description,
        folder=MODEL_FOLDER,
    output:
        **tables("layer_bypass"),
    log:
        log_file("bypass_layers"),
    benchmark:
        benchmark_file("bypass_layers")
    conda:
        ENVIRONMENT
    threads: SETTINGS.threads
    resources:
        gpu=N_GPU,
        mem_mb=growing(MEMORY["bypass_layers"]),
        runtime=limited(240),
    params:
        **tracked("layer_bypass", "loading"),
    message:
        "Bypass the attention or MLP block of every layer."
    script:
        "../scripts/bypass_layers.py"
