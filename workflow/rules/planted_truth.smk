# Plant paragraphs in chosen weights, and ask every localization method where they are; only where a study asks for it.

from memloc.figures.catalog import OF_PLANTS

PLANTED = ("plants", "planted_truth", "planted_curves", "planted_costs")
PLANTS_ASKED = bool(SETTINGS.planted_truth.kinds)
# Which figures of plants are drawn: see `only_for` in the catalog.
ASKED_OF_PLANTS = (True, SETTINGS.planted_truth.curves)
PLANT_FIGURES = [name for name, asked in zip(OF_PLANTS, ASKED_OF_PLANTS) if PLANTS_ASKED and asked]

if PLANTS_ASKED:
    # Every plant starts from the model as it is.
    PLANTING = Shards("plant_paragraphs", most=SETTINGS.planted_truth.n_plants)

    rule:
        name:
            PLANTING.rule
        input:
            **tables("paragraphs", "scores", "sets"),
            model=rules.model.output.description,
            folder=MODEL_FOLDER,
        output:
            **PLANTING.tables(*PLANTED),
        log:
            PLANTING.log,
        benchmark:
            PLANTING.benchmark
        priority: LONG
        conda:
            ENVIRONMENT
        threads: SETTINGS.threads
        resources:
            gpu=N_GPU,
            mem_mb=growing(MEMORY["plant_paragraphs"]),
            runtime=limited(1440),
        params:
            **tracked("planted_truth", "loading"),
            shard=PLANTING.number,
        message:
            "Plant paragraphs in chosen weights, and ask every method where they are."
        script:
            "../scripts/plant_paragraphs.py"

    OF_PLANTING = [figure.name for figure in FIGURES if figure.only_for in PLANT_FIGURES]

    rule planted_truth:
        input:
            [table(name) for name in PLANTED],
            [f"{RESULTS}/figures/{name}.{kind}" for name in OF_PLANTING for kind in FIGURE_KINDS],
        message:
            "Every paragraph is planted, and every method asked."
