# Unlearn and edit memorized paragraphs one by one (paper 5.3).

PARTS = f"{RESULTS}/parts"

N_EDITED = min(SETTINGS.editing.n_paragraphs, SETTINGS.sets.n_memorized)

OBJECTIVES = ("unlearn", "edit")
for objective in OBJECTIVES:
    # Every paragraph is edited by itself.
    EDITING = Shards(f"{objective}_paragraphs", most=N_EDITED)

    rule:
        name:
            EDITING.rule
        input:
            **tables("paragraphs", "sets", "perturbed_paragraphs"),
            model=rules.model.output.description,
            folder=MODEL_FOLDER,
        output:
            **EDITING.tables("edits", folder=f"{PARTS}/{objective}"),
        log:
            EDITING.log,
        benchmark:
            EDITING.benchmark
        threads: SETTINGS.threads
        resources:
            gpu=N_GPU,
            mem_mb=growing(MEMORY[EDITING.stage]),
            runtime=limited(1440),
        params:
            **tracked("editing", "loading"),
            objective=objective,
            shard=EDITING.number,
        message:
            f"{objective.capitalize()} memorized paragraphs, each from the original weights, with every choice of weights.{MB_SAID}"
        script:
            "../scripts/edit_paragraphs.py"


# Both objectives are parts of one table.
JOINED["edits"] = {"edits": [f"{PARTS}/{objective}/edits.parquet" for objective in OBJECTIVES]}, tables(
    "edits"
)
