# Several models in one study: the rules of study.smk once per model, named <model>_<rule>, and figures across
# models. Each model is a study <study>/<model> with its own folder of results.


include: "common.smk"
include: "run_config.smk"


from memloc.settings.study import are_trainings, studies_by_model

STUDIES = studies_by_model(SETTINGS)
SHOWN = {"models", "runs", *(["checkpoints"] if SETTINGS.steps else [])}
MEMBERS = list(STUDIES)
JUDGED = are_trainings(SETTINGS.models)  # claims over trainings
OF_MODELS = [f"{RESULTS}/{model}" for model in STUDIES]
ACROSS = [figure for figure in FIGURES if figure.only_for in SHOWN]
DESCRIBED = [f"{folder}/model.json" for folder in OF_MODELS]
TOLD = {"model": ", ".join(STUDIES), "steps": SETTINGS.steps}
DRAWN = [(figure, tables_in(OF_MODELS, *figure.tables) | {"models": DESCRIBED}, TOLD) for figure in ACROSS]


include: "draw.smk"
include: "claims.smk"


# Names of imported rules begin with the model's name; so do their messages.
for model, settings in STUDIES.items():
    model_module, model_prefix = f"model {model}", f"{model}_"
    known = set(workflow.rules)

    module:
        name: model_module
        snakefile:
            "study.smk"
        config:
            settings.as_config()

    use rule * from model_module exclude download_release, download_tokenizer, download_files as model_prefix*

    for imported in set(workflow.rules) - known:
        imported.message = f"{model}: {imported.message}"


# Models that train from one download share it: the first one's rule makes it.
TUNED = [model for model, settings in STUDIES.items() if settings.model.source == "fine_tuned"]
workflow.ruleorder(*(f"{model}_download_base" for model in TUNED))
# The models share downloads of their data: the first one's rule, without its name.
first_module = f"model {next(iter(STUDIES))}"
if SETTINGS.data.source in ("text", "tokens") and SETTINGS.data.addresses:

    use rule download_files from first_module


if SETTINGS.data.source == "release":

    use rule download_release from first_module

    use rule download_tokenizer from first_module


rule figures:
    input:
        [getattr(rules, f"{model}_figures").input for model in STUDIES],
        files_of(ACROSS),
    message:
        "All figures are drawn."


rule tables:
    input:
        [getattr(rules, f"{model}_tables").input for model in STUDIES],
        [table("claims")] * JUDGED,
        rules.run_config.output,
    message:
        "All tables are computed."


EXPLORERS = [getattr(rules, f"{model}_explorer").output for model in STUDIES]


rule explorer:
    input:
        explorers=EXPLORERS,
        page=[own_file(path) for path in PAGE_FILES],
    output:
        directory(f"{RESULTS}/explorer"),
    log:
        log_file("explorer"),
    benchmark:
        benchmark_file("explorer")
    localrule: True
    resources:
        mem_mb=growing(500),
        runtime=growing(5),
    params:
        **tracked(),
        models=list(STUDIES),
    message:
        "Write the page that shows two models side by side."
    script:
        "../scripts/explorer_across_models.py"


include: "story.smk"
include: "figures_page.smk"


rule resources:
    input:
        [getattr(rules, f"{model}_resources").input for model in STUDIES],
    message:
        "Everything that needs the network is here."
