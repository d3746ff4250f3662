# Change the weights, or the heads' outputs, and see what becomes of memorized paragraphs (paper 5.3 and beyond).

PARTS = f"{RESULTS}/parts"
EDITED_MODEL = f"{RESULTS}/edited_model"

N_EDITED = min(SETTINGS.editing.n_paragraphs, SETTINGS.sets.n_memorized)

for objective in ("unlearn", "edit"):
    # Every paragraph is edited by itself.
    EDITING = Shards(f"{objective}_paragraphs", most=N_EDITED)

    rule:
        name:
            EDITING.rule
        input:
            model=rules.model.output.manifest,
            folder=MODEL_FOLDER,
            tables=[
                table(name)
                for name in ("paragraphs", "sets", "perturbation", "perturbed_paragraphs", "head_ranking")
            ],
        output:
            edits=EDITING.table("edits", f"{PARTS}/{objective}/edits.parquet"),
            edit_trajectories=EDITING.table(
                "edit_trajectories", f"{PARTS}/{objective}/edit_trajectories.parquet"
            ),
        log:
            EDITING.log,
        benchmark:
            EDITING.benchmark
        priority: 1  # the longest jobs: where they start last, one core waits for them
        conda:
            ENVIRONMENT
        threads: SETTINGS.threads
        resources:
            gpu=N_GPU,
            mem_mb=growing(MEMORY["edit_paragraphs"]),
            runtime=growing(1440),
        params:
            **tracked("edit_paragraphs.py", "editing", "loading", "highlight"),
            objective=objective,
            shard=EDITING.number,
        message:
            f"{objective.capitalize()} memorized paragraphs, each from the original weights, with every arm."
        script:
            "../scripts/edit_paragraphs.py"


rule edits:
    input:
        edits=[f"{PARTS}/{objective}/edits.parquet" for objective in ("unlearn", "edit")],
        trajectories=[f"{PARTS}/{objective}/edit_trajectories.parquet" for objective in ("unlearn", "edit")],
    output:
        edits=table("edits"),
        trajectories=table("edit_trajectories"),
    log:
        log_file("edits"),
    benchmark:
        benchmark_file("edits")
    localrule: True
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(10),
    params:
        **tracked("edits.py"),
    message:
        "Join unlearning and editing in one table."
    script:
        "../scripts/edits.py"


rule ablate_heads:
    input:
        model=rules.model.output.manifest,
        folder=MODEL_FOLDER,
        paragraphs=table("paragraphs"),
        sets=table("sets"),
        ranking=table("head_ranking"),
    output:
        ablation=table("head_ablation"),
        effects=table("head_effects"),
        cumulative=table("cumulative_ablation"),
    log:
        log_file("ablate_heads"),
    benchmark:
        benchmark_file("ablate_heads")
    conda:
        ENVIRONMENT
    threads: SETTINGS.threads
    resources:
        gpu=N_GPU,
        mem_mb=growing(MEMORY["ablate_heads"]),
        runtime=growing(480),
    params:
        **tracked("ablate_heads.py", "head_ablation", "loading"),
    message:
        "Ablate every attention head, and the first heads of every ranking together."
    script:
        "../scripts/ablate_heads.py"


rule disturb_weights:
    input:
        model=rules.model.output.manifest,
        folder=MODEL_FOLDER,
        paragraphs=table("paragraphs"),
        sets=table("sets"),
    output:
        table("weight_noise"),
    log:
        log_file("disturb_weights"),
    benchmark:
        benchmark_file("disturb_weights")
    conda:
        ENVIRONMENT
    threads: SETTINGS.threads
    resources:
        gpu=N_GPU,
        mem_mb=growing(MEMORY["disturb_weights"]),
        runtime=growing(240),
    params:
        **tracked("disturb_weights.py", "weight_noise", "loading"),
    message:
        "Disturb the weights with the largest contrastive gradients, and as many random ones."
    script:
        "../scripts/disturb_weights.py"


# Not part of `all`: a model to take away.
rule edit_model:
    input:
        model=rules.model.output.manifest,
        folder=MODEL_FOLDER,
        paragraphs=table("paragraphs"),
        sets=table("sets"),
        ranking=table("head_ranking"),
        card=report_file("model_card.md"),
    output:
        directory(EDITED_MODEL),
    log:
        log_file("edit_model"),
    benchmark:
        benchmark_file("edit_model")
    conda:
        ENVIRONMENT
    threads: SETTINGS.threads
    resources:
        gpu=N_GPU,
        mem_mb=growing(MEMORY["edit_model"]),
        runtime=growing(120),
    params:
        **tracked("edit_model.py", "edit_model", "loading", "highlight"),
    message:
        "Unlearn the chosen paragraphs jointly and write the model with a card of what changed and what it cost."
    script:
        "../scripts/edit_model.py"
