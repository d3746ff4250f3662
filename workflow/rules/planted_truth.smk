# Plant paragraphs in chosen weights, and ask every localization method where they are; only where a study asks for it.

PLANTED = ("plants", "planted_truth", "planted_curves", "planted_costs")
PLANTS_ASKED = bool(SETTINGS.planted_truth.kinds)

if PLANTS_ASKED:
    # Every plant starts from the model as it is.
    PLANTING = Shards("plant_paragraphs", most=SETTINGS.planted_truth.n_plants)

    rule:
        name:
            PLANTING.rule
        input:
            model=rules.model.output.manifest,
            folder=MODEL_FOLDER,
            paragraphs=table("paragraphs"),
            scores=table("scores"),
            sets=table("sets"),
        output:
            **{name: PLANTING.table(name) for name in PLANTED},
        log:
            PLANTING.log,
        benchmark:
            PLANTING.benchmark
        priority: 1  # long jobs start first
        conda:
            ENVIRONMENT
        threads: SETTINGS.threads
        resources:
            gpu=N_GPU,
            mem_mb=growing(MEMORY["plant_paragraphs"]),
            runtime=growing(1440),
        params:
            **tracked("plant_paragraphs.py", "planted_truth", "loading"),
            shard=PLANTING.number,
        message:
            "Plant paragraphs in chosen weights, and ask every method where they are."
        script:
            "../scripts/plant_paragraphs.py"


def planted_tables(wildcards):
    """Tables of the target; asked of a study that plants nothing, it says so."""
    if not PLANTS_ASKED:
        raise WorkflowError("planted_truth.kinds names no kind of place, so that nothing is planted")
    return [table(name) for name in PLANTED]


rule planted_truth:
    input:
        planted_tables,
    message:
        "Every paragraph is planted, and every method asked."
