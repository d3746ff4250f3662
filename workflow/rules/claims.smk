# Verdicts of the run on all claims of memloc/claims/registry.yaml, together: claims on the same data are
# corrected for their number.

from memloc.claims import registry

TOPICS = registry.topics().values()
# Tables that this study does not make. Claims on them do not apply.
ABSENT = {*([] if GROWN else ["grown_truth"]), *([] if REMOVAL_ASKED else REMOVAL_TABLES)}
if MODEL.source not in TRAINED:
    ABSENT |= {"training_stream", "occurrences"}
if not HALVES_ASKED:
    ABSENT.add("counterfactual")


rule claims:
    input:
        **tables(*sorted({name for topic in TOPICS for name in topic.tables} - ABSENT)),
    output:
        **tables("claims"),
    log:
        log_file("claims"),
    benchmark:
        benchmark_file("claims")
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=growing(2000),
        runtime=growing(15),
    params:
        **tracked(*sorted({section for topic in TOPICS for section in topic.sections})),
        module="memloc.claims.estimators",
        topics=[topic.model_dump(mode="json") for topic in TOPICS],
    message:
        "Judge all claims on the tables of this run."
    script:
        "../scripts/claims.py"
