# Unlearn and edit memorized paragraphs one by one (paper 5.3).

PARTS = f"{RESULTS}/parts"

N_EDITED = min(SETTINGS.editing.n_paragraphs, SETTINGS.sets.n_memorized)

for objective in ("unlearn", "edit"):
    # Every paragraph is edited by itself.
    EDITING = Shards(f"{objective}_paragraphs", most=N_EDITED)

    rule:
        name:
            EDITING.rule
        input:
            **tables("paragraphs", "sets", "perturbation", "perturbed_paragraphs", "head_ranking"),
            model=rules.model.output.description,
            folder=MODEL_FOLDER,
        output:
            **EDITING.tables("edits", folder=f"{PARTS}/{objective}"),
        log:
            EDITING.log,
        benchmark:
            EDITING.benchmark
        priority: LONG
        conda:
            ENVIRONMENT
        threads: SETTINGS.threads
        resources:
            gpu=N_GPU,
            mem_mb=growing(MEMORY["edit_paragraphs"]),
            runtime=limited(1440),
        params:
            **tracked("editing", "loading", "highlight"),
            objective=objective,
            shard=EDITING.number,
        message:
            f"{objective.capitalize()} memorized paragraphs, each from the original weights, with every arm."
        script:
            "../scripts/edit_paragraphs.py"


rule edits:
    input:
        edits=[f"{PARTS}/{objective}/edits.parquet" for objective in ("unlearn", "edit")],
    output:
        **tables("edits"),
    log:
        log_file("edits"),
    benchmark:
        benchmark_file("edits")
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=growing(2000),
        runtime=growing(10),
    params:
        **tracked(),
    message:
        "Join unlearning and editing in one table."
    script:
        "../scripts/join_parts.py"
