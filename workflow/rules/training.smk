# Models that the workflow trains itself (results/<study>/model).

# Memories that grow in places of their own while the model is trained.
GROWN = ["grown"] if MODEL.source == "embedded" and MODEL.grown.kinds else []
# The state of the training before they grow, from which the training of twins goes on.
BEFORE = {"before": f"{SHARED}/twins/before.pt"} if GROWN else {}
# The model that training starts from; without one, it starts from random weights.
PRETRAINED = [BASE] if MODEL.source == "fine_tuned" else []

if MODEL.source in TRAINED:

    rule train_model:
        input:
            **tables("training_stream", *(["paragraphs"] if GROWN else [])),
            base=PRETRAINED,
            tokenizer=f"{SHARED}/tokenizer",
        output:
            **tables("training_curve", *GROWN),
            **BEFORE,
            folder=directory(TRAINED_MODEL),
        log:
            log_file("train_model"),
        benchmark:
            benchmark_file("train_model")
        threads: MODEL.threads
        resources:
            mem_mb=growing(MEMORY["train_model"]),
            runtime=limited(120),
        params:
            **tracked("model"),
            checkpoints=placed(f"{RESULTS}/checkpoints"),
        message:
            f"Train the model on the training stream (resumes where it was killed).{MB_SAID}"
        script:
            "../scripts/train_grown.py" if GROWN else "../scripts/train_model.py"


if GROWN:
    # In one twin every paragraph grows in the place of another one, in the other twin nothing grows.
    TWINS = ("swapped", "never")

    rule train_twin:
        input:
            **tables("training_stream", "paragraphs", "grown"),
            **BEFORE,
            tokenizer=f"{SHARED}/tokenizer",
        output:
            folder=directory(f"{SHARED}/twins/{{twin,{'|'.join(TWINS)}}}"),
        log:
            log_file("train_twin_{twin}"),
        benchmark:
            benchmark_file("train_twin_{twin}")
        threads: MODEL.threads
        resources:
            mem_mb=growing(MEMORY["train_twin"]),
            runtime=limited(120),
        params:
            **tracked("model"),
            checkpoints=lambda wildcards: placed(f"{RESULTS}/checkpoints_{wildcards.twin}"),
            twin=lambda wildcards: wildcards.twin,
        message:
            f"Train a twin of the model, in which memories grow in other places, or none grows.{MB_SAID}"
        script:
            "../scripts/train_grown.py"

    rule exchange_places:
        input:
            **tables("paragraphs", "grown"),
            **BEFORE,
            folder=TRAINED_MODEL,
            twin_folders=expand(rules.train_twin.output.folder, twin=TWINS),
        output:
            **tables("twins"),
        log:
            log_file("exchange_places"),
        benchmark:
            benchmark_file("exchange_places")
        threads: SETTINGS.threads
        resources:
            mem_mb=growing(MEMORY["exchange_places"]),
            runtime=limited(60),
        params:
            **tracked(),
        message:
            f"Exchange the places of memories between the model and its twins.{MB_SAID}"
        script:
            "../scripts/exchange_places.py"
