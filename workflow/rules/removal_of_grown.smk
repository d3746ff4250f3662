# Does a removal hit the place of a memory that grew?

from memloc.settings.removal_ways import EDITS

GROWN_REMOVED = bool(GROWN and SETTINGS.remove.n_single)

if GROWN_REMOVED:
    # The ways to change weights that the study lists; if it lists none, all of them.
    WEIGHT_WAYS = [way for way in EDITS if way in SETTINGS.remove.ways] or [*EDITS]
    # Every removal starts from the original weights.
    GROWN_REMOVAL = Shards("remove_grown", most=len(WEIGHT_WAYS))

    rule:
        name:
            GROWN_REMOVAL.rule
        input:
            **tables("paragraphs", "sets", "head_ranking", *GROWN),
            model=rules.model.output.description,
            folder=MODEL_FOLDER,
        output:
            **GROWN_REMOVAL.tables("removal_of_grown"),
        log:
            GROWN_REMOVAL.log,
        benchmark:
            GROWN_REMOVAL.benchmark
        threads: SETTINGS.threads
        resources:
            gpu=N_GPU,
            mem_mb=growing(MEMORY["remove_grown"]),
            runtime=limited(1440),
        params:
            **tracked("remove", "loading", "highlight"),
            ways=WEIGHT_WAYS,
            shard=GROWN_REMOVAL.number,
        message:
            "Remove grown memories in every way that changes weights, with and without being told their places."
        script:
            "../scripts/remove_grown.py"
