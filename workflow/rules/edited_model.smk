# A model for use elsewhere, from which chosen paragraphs are removed; not part of `all`.


rule edited_model:
    input:
        **tables("paragraphs", "sets", "head_ranking"),
        model=rules.model.output.description,
        folder=MODEL_FOLDER,
        card=report_file("model_card.md"),
    output:
        directory(f"{RESULTS}/edited_model"),
    log:
        log_file("edited_model"),
    benchmark:
        benchmark_file("edited_model")
    threads: SETTINGS.threads
    resources:
        gpu=N_GPU,
        mem_mb=growing(MEMORY["edited_model"]),
        runtime=growing(120),
    params:
        **tracked("edit_model", "remove", "loading", "highlight"),
    message:
        f"Remove the chosen paragraphs together, and write the model with a card of changes and costs.{MB_SAID}"
    script:
        "../scripts/edited_model.py"
