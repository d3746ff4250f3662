# What the model recites of the text: any stretch of your own text, or whole paragraphs of other data.

SCANNED = DATA.source == "text" and not DATA.counts
# Published paragraphs stand in no text that is known.
PLACED = SCANNED or "places" in rules.paragraphs.output.keys()

if SCANNED:

    with explained():
        UNSEEN_TEXTS = text_files(DATA.unseen, "data.unseen", DATA.encoding) if DATA.unseen else []

    rule passages:
        input:
            folder=MODEL_FOLDER,
            texts=rules.paragraphs.input.texts,
            unseen=[PLACES.get(file, file) for file in UNSEEN_TEXTS],
        output:
            **tables("recited", "texts"),
        log:
            log_file("passages"),
        benchmark:
            benchmark_file("passages")
        priority: FIRST
        threads: THREADS
        resources:
            gpu=N_GPU,
            mem_mb=growing(MEMORY["passages"]),
            runtime=limited(240),
        params:
            **tracked("data", "filters", "scores", "loading"),
            **MODEL_IDENTITY,
            checkpoints=placed(f"{RESULTS}/scan"),
        message:
            f"Find what the model recites of your own text, from any start.{MB_SAID}"
        script:
            "../scripts/passages_text.py"

elif PLACED:

    rule passages:
        input:
            **tables("paragraphs", "places", "dropped_paragraphs", "scores"),
            folder=MODEL_FOLDER,
        output:
            **tables("recited", "texts"),
        log:
            log_file("passages"),
        benchmark:
            benchmark_file("passages")
        priority: FIRST
        resources:
            mem_mb=growing(2000),
            runtime=growing(30),
        params:
            **tracked(),
        message:
            "List the places of recited paragraphs."
        script:
            "../scripts/passages_scored.py"
