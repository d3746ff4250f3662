# Setting `seeds`: all samples are drawn again with other seeds, from the same data, model and scores. Each
# seed is a study <study>/seed-<n> with rules seed-<n>_<rule>. The study's own rules make the tables that
# seeds share.

for sample, settings in RESAMPLED.items():
    sample_module, sample_prefix = f"sample {sample}", f"{sample}_"
    known = set(workflow.rules)

    module:
        name: sample_module
        snakefile:
            "study.smk"
        config:
            settings.as_config()

    use rule * from sample_module exclude download_release, download_tokenizer, download_files, download_model, download_base, paragraphs, dropped_paragraphs, train_model, train_twin, exchange_places, draw_halves, train_halves, train_halves_shard, model, scores, scores_shard, passages as sample_prefix*

    for imported in set(workflow.rules) - known:
        imported.message = f"{sample}: {imported.message}"
