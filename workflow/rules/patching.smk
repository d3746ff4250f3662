# Two-way activation patching of memorized paragraphs and their perturbed versions (paper A.3).

# Every pair is computed by itself.
PATCHING = Shards("patching", most=SETTINGS.sets.n_memorized)
RESIDUAL_PATCHING = Shards("residual_patching", most=SETTINGS.sets.n_memorized)


rule:
    name:
        PATCHING.rule
    input:
        **tables("paragraphs", "perturbed_paragraphs"),
        model=rules.model.output.description,
        folder=MODEL_FOLDER,
    output:
        **PATCHING.tables("patching", "attribution_patching"),
    log:
        PATCHING.log,
    benchmark:
        PATCHING.benchmark
    priority: AWAITED
    conda:
        ENVIRONMENT
    threads: SETTINGS.threads
    resources:
        gpu=N_GPU,
        mem_mb=growing(MEMORY["patching"]),
        runtime=limited(480),
    params:
        **tracked("patching", "loading"),
        shard=PATCHING.number,
    message:
        "Patch q, k and v of every head at the perturbed position, in both directions."
    script:
        "../scripts/patching.py"


rule:
    name:
        RESIDUAL_PATCHING.rule
    input:
        **tables("paragraphs", "perturbed_paragraphs"),
        model=rules.model.output.description,
        folder=MODEL_FOLDER,
    output:
        **RESIDUAL_PATCHING.tables("residual_patching"),
    log:
        RESIDUAL_PATCHING.log,
    benchmark:
        RESIDUAL_PATCHING.benchmark
    priority: LONG
    conda:
        ENVIRONMENT
    threads: SETTINGS.threads
    resources:
        gpu=N_GPU,
        mem_mb=growing(MEMORY["residual_patching"]),
        runtime=limited(480),
    params:
        **tracked("patching", "loading"),
        shard=RESIDUAL_PATCHING.number,
    message:
        "Patch the residual stream of every layer and position, in both directions."
    script:
        "../scripts/residual_patching.py"
