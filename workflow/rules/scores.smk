# Exact match, NLL and probability under sampling of every kept paragraph, and the sets that follow (paper 3.2).


SCORES = Shards("scores")


rule:
    name:
        SCORES.rule
    input:
        model=rules.model.output.description,
        folder=MODEL_FOLDER,
        paragraphs=table("paragraphs"),
        dropped=sorted({table("dropped_paragraphs"), table(PUBLISHED_FILTER)}),
    output:
        scores=SCORES.table("scores"),
        extraction=SCORES.table("extraction"),
    log:
        SCORES.log,
    benchmark:
        SCORES.benchmark
    priority: FIRST
    conda:
        ENVIRONMENT
    threads: SETTINGS.scores.threads
    resources:
        gpu=N_GPU,
        mem_mb=growing(MEMORY["scores"]),
        runtime=limited(240),
    params:
        **tracked("scores.py", "scores", "extraction", "loading"),
        shard=SCORES.number,
    message:
        "Score every paragraph: exact match, NLL and probability under sampling from one teacher-forced pass."
    script:
        "../scripts/scores.py"


rule sets:
    input:
        model=rules.model.output.description,
        folder=MODEL_FOLDER,
        paragraphs=table("paragraphs"),
        dropped=table("dropped_paragraphs"),
        scores=table("scores"),
    output:
        sets=table("sets"),
        near_verbatim=table("near_verbatim"),
    log:
        log_file("sets"),
    benchmark:
        benchmark_file("sets")
    priority: FIRST
    conda:
        ENVIRONMENT
    threads: SETTINGS.scores.threads
    resources:
        gpu=N_GPU,
        mem_mb=growing(MEMORY["sets"]),
        runtime=limited(120),
    params:
        **tracked("sets.py", "sets", "loading", "scores"),
    message:
        "Split paragraphs into memorized and non-memorized sets, draw samples, decode their continuations."
    script:
        "../scripts/sets.py"
