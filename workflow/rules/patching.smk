# Two-way activation patching of memorized paragraphs and their perturbed versions (paper A.3).

# Every pair is computed by itself.
PATCHING = Shards("patching", most=SETTINGS.sets.n_memorized)


rule:
    name:
        PATCHING.rule
    input:
        **tables("paragraphs", "perturbed_paragraphs"),
        model=rules.model.output.description,
        folder=MODEL_FOLDER,
    output:
        **PATCHING.tables("patching", "attribution_patching", "residual_patching"),
    log:
        PATCHING.log,
    benchmark:
        PATCHING.benchmark
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
        "Patch q, k and v of every head, and the residual stream of every layer, in both directions."
    script:
        "../scripts/patching.py"
