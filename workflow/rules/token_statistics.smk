# The NLL of every continuation token (extended analysis).


rule token_statistics:
    input:
        **tables("paragraphs", "sets"),
        model=rules.model.output.description,
        folder=MODEL_FOLDER,
    output:
        **tables("token_statistics"),
    log:
        log_file("token_statistics"),
    benchmark:
        benchmark_file("token_statistics")
    conda:
        ENVIRONMENT
    threads: SETTINGS.threads
    resources:
        gpu=N_GPU,
        mem_mb=growing(MEMORY["token_statistics"]),
        runtime=limited(60),
    params:
        **tracked("scores", "loading"),
    message:
        "Compute the NLL of every continuation token of the samples."
    script:
        "../scripts/token_statistics.py"
