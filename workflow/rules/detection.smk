# Does the prefix alone tell, before anything is decoded, that the model will recite (extended analysis)?


rule prefix_features:
    input:
        model=rules.model.output.description,
        folder=MODEL_FOLDER,
        paragraphs=table("paragraphs"),
        dropped=table("dropped_paragraphs"),
    output:
        table("prefix_features"),
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
        **tracked("prefix_features.py", "detection", "min_k", "loading"),
    message:
        "Record what the model computes over prefixes, at every lead time."
    script:
        "../scripts/prefix_features.py"


rule detect:
    input:
        features=table("prefix_features"),
        paragraphs=table("paragraphs"),
        scores=table("scores"),
    output:
        folds=table("detection_folds"),
        detection=table("detection"),
    log:
        log_file("detect"),
    benchmark:
        benchmark_file("detect")
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(240),
    params:
        **tracked("detect.py", "detection"),
    message:
        "Fit classifiers to prefixes in folds that share no text, and judge what they tell."
    script:
        "../scripts/detect.py"
