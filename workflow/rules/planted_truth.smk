# Plant paragraphs in chosen weights. Ask every localization method where they are, and where memories are
# that grew while the model was trained. Only if a study asks for it.

PLANTS_ASKED = bool(SETTINGS.planted_truth.kinds or GROWN)
# Profiles compare grown memories, plants and natural memories.
PROFILED = ["memory_profiles"] if GROWN and SETTINGS.planted_truth.kinds else []
PLANTED = ("plants", "planted_truth", *PROFILED)

if PLANTS_ASKED:
    # Every plant starts from the model as it is.
    PLANTING = Shards("plant_paragraphs", most=SETTINGS.planted_truth.n_plants)

    rule:
        name:
            PLANTING.rule
        input:
            **tables("paragraphs", "scores", "sets", *(TWINNED or GROWN)),
            model=rules.model.output.description,
            twin_folders=rules.exchange_places.input.twin_folders if TWINNED else [],
            folder=MODEL_FOLDER,
        output:
            **PLANTING.tables(*PLANTED),
        log:
            PLANTING.log,
        benchmark:
            PLANTING.benchmark
        conda:
            ENVIRONMENT
        threads: SETTINGS.threads
        resources:
            gpu=N_GPU,
            mem_mb=growing(MEMORY["plant_paragraphs"]),
            runtime=limited(1440),
        params:
            **tracked("planted_truth", "loading", *(["model"] if GROWN else [])),
            shard=PLANTING.number,
        message:
            "Plant paragraphs in chosen weights, and ask every method where they are."
        script:
            "../scripts/plant_paragraphs.py"

    rule planted_truth:
        input:
            [table(name) for name in PLANTED],
            files_of(figure for figure in FIGURES if set(figure.tables) & set(PLANTED)),
        message:
            "Every paragraph is planted, and every method asked."
