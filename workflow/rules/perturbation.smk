# One prefix token perturbed at a time, and each memorized paragraph's strongest perturbation (paper 4); a few
# tokens kept, and all others replaced.

# Every micro-batch is computed by itself. Pairs add paragraphs whose number is not known yet.
N_SAMPLED = SETTINGS.sets.n_memorized + SETTINGS.sets.n_non_memorized
PERTURBATION = Shards("perturbation", most=-(-N_SAMPLED // SETTINGS.perturbation.micro_batch))


rule:
    name:
        PERTURBATION.rule
    input:
        **tables("vocabulary", "paragraphs", "sets"),
        model=rules.model.output.description,
        folder=MODEL_FOLDER,
    output:
        **PERTURBATION.tables("perturbation", "perturbed_paragraphs", "kept_tokens"),
    log:
        PERTURBATION.log,
    benchmark:
        PERTURBATION.benchmark
    conda:
        ENVIRONMENT
    threads: SETTINGS.threads
    resources:
        gpu=N_GPU,
        mem_mb=growing(MEMORY["perturbation"]),
        runtime=limited(240),
    params:
        **tracked("perturbation", "loading", "scores"),
        shard=PERTURBATION.number,
    message:
        "Perturb every prefix token of the sampled and paired paragraphs, and score the continuations."
    script:
        "../scripts/perturbation.py"
