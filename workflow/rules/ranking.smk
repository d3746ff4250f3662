# What the localization methods say of every head, side by side.


rule rank_heads:
    input:
        model=rules.model.output.description,
        tables=[
            table(name)
            for name in (
                "parameter_gradients",
                "parameter_gradient_samples",
                "activation_gradients",
                "rare_token_correlation",
                "rare_token_groups",
                "patching",
                *(["planted_truth"] if SETTINGS.head_ranking.weighted else []),
            )
        ],
    output:
        ranking=table("head_ranking"),
        samples=table("head_rank_samples"),
        agreement=table("ranking_agreement"),
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
        **tracked("rank_heads.py"),
    message:
        "Rank the attention heads by every method and compare the rankings."
    script:
        "../scripts/rank_heads.py"
