# How often the model saw each paragraph, counted in indexes of a training corpus; only where a study names some.

if SETTINGS.exposure.index:
    try:
        suffix_arrays.require_package("exposure.index")
        COUNTED = suffix_arrays.open_index(SETTINGS.exposure.index, SETTINGS.exposure.tokenizer)
    except UserError as error:
        raise WorkflowError(str(error))
    EXPOSURE = Shards("exposure")

    rule:
        name:
            EXPOSURE.rule
        input:
            paragraphs=table("paragraphs"),
            folder=MODEL_FOLDER,
            index=COUNTED.files,
            tokenizers=sorted(set(COUNTED.tokenizers)),
        output:
            exposure=EXPOSURE.table("exposure"),
        log:
            EXPOSURE.log,
        benchmark:
            EXPOSURE.benchmark
        conda:
            ENVIRONMENT
        threads: 1
        resources:
            mem_mb=growing(4000),
            runtime=growing(240),
        params:
            **tracked("exposure.py", "exposure"),
            shard=EXPOSURE.number,
        message:
            "Count every paragraph, its prefix and its continuation in the indexes of a corpus."
        script:
            "../scripts/exposure.py"
