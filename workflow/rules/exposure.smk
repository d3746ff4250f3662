# How often the model saw each paragraph, counted in indexes of a training corpus, where a study names some.

from memloc.data import suffix_arrays

if SETTINGS.exposure.index:
    with explained():
        COUNTED = suffix_arrays.open_index(SETTINGS.exposure)
    EXPOSURE = Shards("exposure")

    rule:
        name:
            EXPOSURE.rule
        input:
            **tables("paragraphs"),
            folder=MODEL_FOLDER,
            index=COUNTED.files,
            tokenizer=SETTINGS.exposure.tokenizer,
        output:
            **EXPOSURE.tables("exposure"),
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
            **tracked("exposure"),
            shard=EXPOSURE.number,
        message:
            "Count every paragraph, its prefix and its continuation in the indexes of a corpus."
        script:
            "../scripts/exposure.py"
