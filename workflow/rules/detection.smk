# Does the prefix alone show, before anything is decoded, that the model will recite (extended analysis)?


rule prefix_features:
    input:
        **tables("paragraphs", "dropped_paragraphs"),
        model=rules.model.output.description,
        folder=MODEL_FOLDER,
    output:
        **tables("prefix_features"),
    log:
        log_file("prefix_features"),
    benchmark:
        benchmark_file("prefix_features")
    conda:
        ENVIRONMENT
    threads: SETTINGS.threads
    resources:
        gpu=N_GPU,
        mem_mb=growing(MEMORY["prefix_features"]),
        runtime=limited(120),
    params:
        **tracked("detection", "loading"),
    message:
        "Record features of prefixes at every lead time."
    script:
        "../scripts/prefix_features.py"


rule detect:
    input:
        **tables("prefix_features", "paragraphs", "scores"),
    output:
        **tables("detection"),
    log:
        log_file("detect"),
    benchmark:
        benchmark_file("detect")
    conda:
        ENVIRONMENT
    resources:
        mem_mb=growing(4000),
        runtime=growing(240),
    params:
        **tracked("detection"),
    message:
        "Predict recitation from prefixes by classifiers, in folds that share no text."
    script:
        "../scripts/detect.py"
