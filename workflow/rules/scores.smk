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
