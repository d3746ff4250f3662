# Verdicts of a study of several trainings on claims about the one head that each of them names.

from memloc.claims import registry

GROW = JUDGED and all(model.grown.kinds for model in SETTINGS.models.values())
OVER_TRAININGS = [
    topic
    for name, topic in registry.topics().items()
    if any(claim.over for claim in topic.claims) and (GROW or name != "grown_truth")
]

if JUDGED:

    rule claims_over_trainings:
        input:
            **tables_in(OF_MODELS, *sorted({name for topic in OVER_TRAININGS for name in topic.tables})),
        output:
            **tables("claims"),
        log:
            log_file("claims_over_trainings"),
        benchmark:
            benchmark_file("claims_over_trainings")
        localrule: True
        conda:
            ENVIRONMENT
        resources:
            mem_mb=growing(2000),
            runtime=growing(15),
        params:
            **tracked(*sorted({section for topic in OVER_TRAININGS for section in topic.sections})),
            module="memloc.claims.estimators",
            topics=[topic.model_dump(mode="json") for topic in OVER_TRAININGS],
        message:
            "Judge claims on the heads that the trainings name."
        script:
            "../scripts/claims_over_trainings.py"
