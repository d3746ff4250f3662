# Ranks of all heads by every localization method.

if SETTINGS.head_ranking.also:

    rule score_heads:
        input:
            **tables("paragraphs", "sets", "perturbed_paragraphs"),
            model=rules.model.output.description,
            folder=MODEL_FOLDER,
        output:
            **tables("head_scores"),
        log:
            log_file("score_heads"),
        benchmark:
            benchmark_file("score_heads")
        priority: AWAITED
        conda:
            ENVIRONMENT
        threads: SETTINGS.threads
        resources:
            gpu=N_GPU,
            mem_mb=growing(MEMORY["score_heads"]),
            runtime=limited(480),
        params:
            **tracked("head_ranking", "planted_truth", "loading"),
        message:
            "Ask further methods about every head, for each sampled memorized paragraph."
        script:
            "../scripts/score_heads.py"


rule rank_heads:
    input:
        **tables("parameter_gradients", "parameter_gradient_samples", "activation_gradients"),
        **tables("rare_token_correlation", "rare_token_groups", "patching"),
        **tables(*(["head_scores"] if SETTINGS.head_ranking.also else [])),
        model=rules.model.output.description,
    output:
        **tables("head_ranking", "head_rank_samples"),
    log:
        log_file("rank_heads"),
    benchmark:
        benchmark_file("rank_heads")
    priority: AWAITED
    conda:
        ENVIRONMENT
    resources:
        mem_mb=growing(4000),
        runtime=growing(15),
    params:
        **tracked(),
    message:
        "Rank the attention heads by every method, on resampled paragraphs too."
    script:
        "../scripts/rank_heads.py"
