# How often the model saw each paragraph, counted in indexes of a training corpus, where a study names some. Target
# `index` makes one of own text; it is not part of `all`.

from memloc.data import suffix_arrays

if SETTINGS.exposure.index:
    with explained():
        suffix_arrays.require_package("exposure.index")
        COUNTED = suffix_arrays.open_index(SETTINGS.exposure.index, SETTINGS.exposure.tokenizer)
    EXPOSURE = Shards("exposure")

    rule:
        name:
            EXPOSURE.rule
        input:
            **tables("paragraphs"),
            folder=MODEL_FOLDER,
            index=COUNTED.files,
            tokenizers=sorted(set(COUNTED.tokenizers)),
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


if DATA.source == "text":
    # Folders, so that no shard is left in the index when the number of shards changes.
    INDEX_SHARD = f"{RESULTS}/shards/index/{{shard}}-of-{SETTINGS.shards}"

    rule index_shard:
        input:
            texts=[PLACES.get(file, file) for file in TEXTS],
            folder=MODEL_FOLDER,
        output:
            temp(directory(INDEX_SHARD)),
        log:
            log_file(f"index_shard/{{shard}}-of-{SETTINGS.shards}"),
        benchmark:
            benchmark_file(f"index_shard/{{shard}}-of-{SETTINGS.shards}")
        conda:
            ENVIRONMENT
        threads: 1
        resources:
            mem_mb=growing(8000),
            runtime=growing(720),
        params:
            **tracked("data"),
            # Every n-th document from this one on.
            shard=lambda wildcards: [int(wildcards.shard), SETTINGS.shards],
        message:
            "Tokenise a share of the documents of your own text, and sort their suffixes."
        script:
            "../scripts/index_shard.py"

    rule index:
        input:
            shards=[INDEX_SHARD.replace("{shard}", str(shard)) for shard in range(SETTINGS.shards)],
            folder=MODEL_FOLDER,
        output:
            directory(f"{RESULTS}/index"),
        log:
            log_file("index"),
        benchmark:
            benchmark_file("index")
        conda:
            ENVIRONMENT
        threads: 1
        resources:
            mem_mb=growing(2000),
            runtime=growing(60),
        params:
            **tracked(),
        message:
            "Make one index of your own text of its shards."
        script:
            "../scripts/index.py"
