# Take heads, and whole blocks, out of the model, one by one and together, and see what becomes of memorized paragraphs.


rule ablate_heads:
    input:
        model=rules.model.output.description,
        folder=MODEL_FOLDER,
        paragraphs=table("paragraphs"),
        sets=table("sets"),
        ranking=table("head_ranking"),
    output:
        ablation=table("head_ablation"),
        effects=table("head_effects"),
        cumulative=table("cumulative_ablation"),
    log:
        log_file("ablate_heads"),
    benchmark:
        benchmark_file("ablate_heads")
    priority: LONG
    conda:
        ENVIRONMENT
    threads: SETTINGS.threads
    resources:
        gpu=N_GPU,
        mem_mb=growing(MEMORY["ablate_heads"]),
        runtime=limited(480),
    params:
        **tracked("ablate_heads.py", "head_ablation", "loading"),
    message:
        "Ablate every attention head, and the first heads of every ranking together."
    script:
        "../scripts/ablate_heads.py"


rule bypass_layers:
    input:
        model=rules.model.output.description,
        folder=MODEL_FOLDER,
        paragraphs=table("paragraphs"),
        sets=table("sets"),
    output:
        table("layer_bypass"),
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
        **tracked("bypass_layers.py", "layer_bypass", "loading"),
    message:
        "Bypass the attention and MLP blocks of every layer, alone and from it on."
    script:
        "../scripts/bypass_layers.py"
