# New models that learn random tokens, as many bits as they hold; only where a study asks for some.

CAPACITY_ASKED = bool(SETTINGS.capacity.widths)

if CAPACITY_ASKED:
    # One job per size: a killed run keeps the sizes that are complete.
    FILLED = Shards("fill_models", n=len(SETTINGS.capacity.widths))

    rule:
        name:
            FILLED.rule
        output:
            **FILLED.tables("capacity"),
        log:
            FILLED.log,
        benchmark:
            FILLED.benchmark
        threads: MODEL.threads
        resources:
            mem_mb=growing(MEMORY["fill_models"]),
            runtime=limited(120),
        params:
            **tracked("model", "capacity"),
            shard=FILLED.number,
            work=placed(f"{RESULTS}/shards/fill_models/work"),
        message:
            f"Train new models on random tokens, more of them than they can hold.{MB_SAID}"
        script:
            "../scripts/fill_models.py"
