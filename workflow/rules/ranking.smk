# Ranks of all heads by every localization method.


rule rank_heads:
    input:
        **tables("parameter_gradients", "parameter_gradient_samples", "activation_gradients"),
        **tables("rare_token_correlation", "rare_token_groups", "patching"),
        model=rules.model.output.description,
    output:
        **tables("head_ranking", "head_rank_samples"),
    log:
        log_file("rank_heads"),
    benchmark:
        benchmark_file("rank_heads")
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
