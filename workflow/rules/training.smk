# Models that the workflow trains itself (results/<study>/model).

TRAINED_MODEL = f"{SHARED}/model"
# Memories that grow in places of their own while the model is trained.
GROWN = ["grown"] if MODEL.source == "embedded" and MODEL.grown.kinds else []
# The model that training starts from; without one, it starts from random weights.
PRETRAINED = [BASE] if MODEL.source == "planted" else []

if MODEL.source in ("embedded", "planted"):

    rule train_model:
        input:
            **tables("training_stream", "paragraphs"),
            base=PRETRAINED,
            tokenizer=f"{SHARED}/tokenizer",
        output:
            **tables("training_curve", *GROWN),
            folder=directory(TRAINED_MODEL),
        log:
            log_file("train_model"),
        benchmark:
            benchmark_file("train_model")
        conda:
            ENVIRONMENT
        threads: MODEL.threads
        resources:
            mem_mb=growing(6000 if PRETRAINED else 4000),
            runtime=limited(120),
        params:
            **tracked("model"),
            checkpoints=placed(f"{RESULTS}/checkpoints"),
            module="memloc.planting.growth" if GROWN else None,
        message:
            "Train the model on the training stream (resumes where it was killed)."
        script:
            "../scripts/train_model.py"
