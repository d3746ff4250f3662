# Ways to remove recitation side by side; only where a study names some (section `remove`).

from memloc.data.text_files import text_files

REMOVAL_TABLES = ("removal", "removal_damage", "removal_sweep", "removal_costs")
REMOVAL_ASKED = bool(SETTINGS.remove.ways)

if REMOVAL_ASKED:
    # Every way starts from the original weights.
    REMOVAL = Shards("remove", most=len(SETTINGS.remove.ways))
    with explained():
        REMOVED_TEXTS = text_files(SETTINGS.remove.files, "remove.files")

    rule:
        name:
            REMOVAL.rule
        input:
            **tables("paragraphs", "sets", "head_ranking"),
            model=rules.model.output.description,
            folder=MODEL_FOLDER,
            listed=REMOVED_TEXTS,
        output:
            **REMOVAL.tables(*REMOVAL_TABLES),
        log:
            REMOVAL.log,
        benchmark:
            REMOVAL.benchmark
        priority: LONG
        conda:
            ENVIRONMENT
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
