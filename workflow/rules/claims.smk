# Verdicts on all claims of memloc/claims/registry.yaml, together: claims of a topic are corrected for
# their number. A study of several trainings judges claims about the one head that each of them names.

from memloc.claims import registry

TOPICS = registry.topics()
# Tables that this study does not make. Claims on them do not apply.
ABSENT = set()

if MEMBERS:
    GROW = JUDGED and all(model.grown.kinds for model in SETTINGS.models.values())
    TOPICS = {
        name: topic
        for name, topic in TOPICS.items()
        if any(claim.over for claim in topic.claims) and (GROW or name != "grown_truth")
    }
else:
    ABSENT |= {*([] if GROWN else ["grown_truth"]), *([] if REMOVAL_ASKED else REMOVAL_TABLES)}
    if MODEL.source not in TRAINED:
        ABSENT |= {"training_stream", "occurrences", "near_copies"}
    if not HALVES_ASKED:
        ABSENT.add("counterfactual")

CLAIMED = sorted({name for topic in TOPICS.values() for name in topic.tables} - ABSENT)

if JUDGED:

    rule claims:
        input:
            **(tables_in(OF_MODELS, *CLAIMED) if MEMBERS else tables(*CLAIMED)),
        output:
            **tables("claims"),
        log:
            log_file("claims"),
        benchmark:
            benchmark_file("claims")
        localrule: True
        resources:
            mem_mb=growing(2000),
            runtime=growing(15),
        params:
            **tracked(*sorted({section for topic in TOPICS.values() for section in topic.sections})),
            module="memloc.claims.estimators",
            topics=[topic.model_dump(mode="json") for topic in TOPICS.values()],
        message:
            "Judge all claims on the tables of this run."
        script:
            "../scripts/claims.py"
