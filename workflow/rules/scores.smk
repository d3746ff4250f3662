# Exact match, NLL and probability under sampling of every kept paragraph, and the sets (paper 3.2).


SCORES = Shards("scores")
THREADS = max(2, SETTINGS.threads)  # all other rules with the model wait


rule:
    name:
        SCORES.rule
    input:
        **tables("paragraphs", "dropped_paragraphs", PUBLISHED_FILTER),
        model=rules.model.output.description,
        folder=MODEL_FOLDER,
    output:
        **SCORES.tables("scores", "extraction"),
    log:
        SCORES.log,
    benchmark:
        SCORES.benchmark
    priority: FIRST
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        gpu=N_GPU,
        mem_mb=growing(MEMORY["scores"]),
        runtime=limited(240),
    params:
        **tracked("scores", "loading"),
        shard=SCORES.number,
    message:
        "Score every paragraph: exact match, NLL and probability under sampling from one teacher-forced pass."
    script:
        "../scripts/scores.py"


rule sets:
    input:
        **tables("paragraphs", "dropped_paragraphs", "scores"),
        model=rules.model.output.description,
        folder=MODEL_FOLDER,
    output:
        **tables("sets", "near_verbatim"),
    log:
        log_file("sets"),
    benchmark:
        benchmark_file("sets")
    priority: FIRST
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        gpu=N_GPU,
        mem_mb=growing(MEMORY["sets"]),
        runtime=limited(120),
    params:
        **tracked("sets", "loading", "scores"),
    message:
        "Split paragraphs into memorized and non-memorized sets, draw samples, decode their continuations."
    script:
        "../scripts/sets.py"


rule score_samples:
    input:
        model=rules.model.output.description,
        folder=MODEL_FOLDER,
        paragraphs=table("paragraphs"),
        scores=table("scores"),
        sets=table("sets"),
    output:
        **tables("positions", "near_extraction"),
    log:
        log_file("score_samples"),
    benchmark:
        benchmark_file("score_samples")
    conda:
        ENVIRONMENT
    threads: SETTINGS.threads
    resources:
        gpu=N_GPU,
        mem_mb=growing(MEMORY["score_samples"]),
        runtime=limited(60),
    params:
        **tracked("positions", "loading"),
    message:
        "Score sampled paragraphs at other positions and after other text; bound the probability of near recitation."
    script:
        "../scripts/score_samples.py"
