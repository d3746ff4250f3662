# What the localization methods say of every head, side by side.


rule rank_heads:
    input:
        **tables("parameter_gradients", "parameter_gradient_samples", "activation_gradients"),
        **tables("rare_token_correlation", "rare_token_groups", "patching"),
        **tables(*(["planted_truth"] if SETTINGS.head_ranking.weighted else [])),
        model=rules.model.output.description,
    output:
        **tables("head_ranking", "head_rank_samples", "ranking_agreement"),
    log:
        log_file("rank_heads"),
    benchmark:
        benchmark_file("rank_heads")
    priority: AWAITED
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(15),
    params:
        **tracked(),
    message:
        "Rank the attention heads by every method and compare the rankings."
    script:
        "../scripts/rank_heads.py"
