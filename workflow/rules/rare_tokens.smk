# Attention against token rarity (paper 6.3): arithmetic on the table `attention`, no model.


rule rare_tokens:
    input:
        **tables("paragraphs", "sets", "attention"),
        model=rules.model.output.description,
    output:
        **tables("rare_tokens", "rare_token_correlation", "rare_token_groups"),
    log:
        log_file("rare_tokens"),
    benchmark:
        benchmark_file("rare_tokens")
    conda:
        ENVIRONMENT
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        **tracked(),
    message:
        "Sum attention by token rarity, correlate the two, and permute tokens for a null."
    script:
        "../scripts/rare_tokens.py"
