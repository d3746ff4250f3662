# What the localization methods say of every head, side by side.


rule head_ranking:
    input:
        model=rules.model.output.manifest,
        tables=[
            table(name)
            for name in ("parameter_gradients", "activation_gradients", "rare_token_correlation", "patching")
        ],
    output:
        ranking=table("head_ranking"),
        agreement=table("ranking_agreement"),
    params:
        **tracked("head_ranking.py"),
    log:
        log_file("head_ranking"),
    benchmark:
        benchmark_file("head_ranking")
    message:
        "Rank the attention heads by every method and compare the rankings."
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=15,
    script:
        "../scripts/head_ranking.py"
