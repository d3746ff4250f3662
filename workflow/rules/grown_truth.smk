# Ask every localization method where memories are that grew while the model was trained.

if GROWN:
    # Every memory is asked about by itself.
    ASKING = Shards("ask_methods", most=2 * MODEL.grown.n_paragraphs)

    rule:
        name:
            ASKING.rule
        input:
            **tables("paragraphs", "sets", "grown", "twins"),
            model=rules.model.output.description,
            twin_folders=rules.exchange_places.input.twin_folders,
            folder=MODEL_FOLDER,
        output:
            **ASKING.tables("grown_truth"),
        log:
            ASKING.log,
        benchmark:
            ASKING.benchmark
        threads: SETTINGS.threads
        resources:
            gpu=N_GPU,
            mem_mb=growing(MEMORY["ask_methods"]),
            runtime=limited(1440),
        params:
            **tracked("grown_truth", "loading", "model"),
            shard=ASKING.number,
        message:
            "Ask every localization method where grown memories are, in the model and in its twins."
        script:
            "../scripts/ask_methods.py"

    rule grown_truth:
        input:
            files_of(figure for figure in FIGURES if figure.only_for == "grown"),
        message:
            "Every method was asked where memories grew, and their places were exchanged."
