# Models that were trained without a random half of the paragraphs; only where a study asks for some.

HALVES_ASKED = SETTINGS.counterfactual.n_models > 0

if HALVES_ASKED:
    # One job per model, whatever `shards` is: a killed run keeps the models that are complete.
    HALVES = Shards("train_halves", n=SETTINGS.counterfactual.n_models)

    rule draw_halves:
        input:
            **tables("training_stream", "paragraphs", "scores"),
        output:
            **tables("half_texts"),
        log:
            log_file("draw_halves"),
        benchmark:
            benchmark_file("draw_halves")
        resources:
            mem_mb=growing(4000),
            runtime=growing(60),
        params:
            **tracked(),
        message:
            "Find the copies of paragraphs, and draw paragraphs that share none."
        script:
            "../scripts/draw_halves.py"

    rule:
        name:
            HALVES.rule
        input:
            **tables("training_stream", "paragraphs", "dropped_paragraphs", "half_texts"),
            base=PRETRAINED,
            tokenizer=f"{SHARED}/tokenizer",
        output:
            **HALVES.tables("half_scores"),
        log:
            HALVES.log,
        benchmark:
            HALVES.benchmark
        threads: MODEL.threads
        resources:
            mem_mb=growing(MEMORY["train_halves"]),
            runtime=limited(120),
        params:
            **tracked("model", "counterfactual", "scores", "loading"),
            shard=HALVES.number,
            work=placed(f"{RESULTS}/shards/train_halves/work"),
        message:
            f"Train a model on a random half of the paragraphs, and score all that are drawn.{MB_SAID}"
        script:
            "../scripts/train_halves.py"
