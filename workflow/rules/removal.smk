# Ways to remove recitation side by side; only where a study names some (section `remove`).

from memloc.data.text_files import text_files
from memloc.settings.removal_ways import RETRAINED

REMOVAL_TABLES = ("removal", "removal_damage", "removal_sweep")
REMOVAL_ASKED = bool(SETTINGS.remove.ways)

if REMOVAL_ASKED:
    # Every way starts from the original weights.
    REMOVAL = Shards("remove", most=len(SETTINGS.remove.ways))
    with explained():
        REMOVED_TEXTS = text_files(SETTINGS.remove.files, "remove.files")
    # Trained like the model, without the paragraphs that are removed.
    RETRAINED_MODEL = [f"{RESULTS}/retrained"] if RETRAINED in SETTINGS.remove.ways else []

    rule:
        name:
            REMOVAL.rule
        input:
            **tables("paragraphs", "sets", "head_ranking"),
            model=rules.model.output.description,
            folder=MODEL_FOLDER,
            retrained=RETRAINED_MODEL,
            listed=REMOVED_TEXTS,
        output:
            **REMOVAL.tables(*REMOVAL_TABLES),
        log:
            REMOVAL.log,
        benchmark:
            REMOVAL.benchmark
        threads: SETTINGS.threads
        resources:
            gpu=N_GPU,
            mem_mb=growing(MEMORY["remove"]),
            runtime=limited(1440),
        params:
            **tracked("remove", "loading", "highlight"),
            shard=REMOVAL.number,
        message:
            "Remove recitation in every way, and judge all ways alike."
        script:
            "../scripts/remove.py"

    if RETRAINED_MODEL:

        rule retrain:
            input:
                **tables("training_stream", "training_curve", "paragraphs", "sets"),
                base=PRETRAINED,
                tokenizer=f"{SHARED}/tokenizer",
                listed=REMOVED_TEXTS,
            output:
                folder=directory(RETRAINED_MODEL[0]),
            log:
                log_file("retrain"),
            benchmark:
                benchmark_file("retrain")
            threads: MODEL.threads
            resources:
                mem_mb=growing(MEMORY["retrain"]),
                runtime=limited(120),
            params:
                **tracked("model", "remove"),
                work=placed(f"{RESULTS}/shards/retrain"),
            message:
                "Train the model again, without the paragraphs that are removed."
            script:
                "../scripts/retrain.py"
