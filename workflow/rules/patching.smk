# Two-way activation patching of memorized paragraphs and their perturbed versions (paper A.3).

# Every pair is computed by itself.
PATCHING = Shards("patching", most=SETTINGS.sets.n_memorized)
RESIDUAL_PATCHING = Shards("residual_patching", most=SETTINGS.sets.n_memorized)


rule:
    name:
        PATCHING.rule
    input:
        model=rules.model.output.description,
        folder=MODEL_FOLDER,
        paragraphs=table("paragraphs"),
        perturbed=table("perturbed_paragraphs"),
    output:
        patching=PATCHING.table("patching"),
        attribution_patching=PATCHING.table("attribution_patching"),
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
        **tracked("patching.py", "patching", "loading"),
        shard=PATCHING.number,
    message:
        "Patch q, k and v of every head at the perturbed position, both ways."
    script:
        "../scripts/patching.py"


rule:
    name:
        RESIDUAL_PATCHING.rule
    input:
        model=rules.model.output.description,
        folder=MODEL_FOLDER,
        paragraphs=table("paragraphs"),
        perturbed=table("perturbed_paragraphs"),
    output:
        RESIDUAL_PATCHING.table("residual_patching"),
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
        **tracked("residual_patching.py", "patching", "loading"),
        shard=RESIDUAL_PATCHING.number,
    message:
        "Patch the residual stream of every layer and position, both ways."
    script:
        "../scripts/residual_patching.py"
