# Verdicts of the run on each claim of memloc/claims/registry.yaml. A topic reads its own tables only, so that
# a figure with its verdicts in the caption needs no other analysis.

from memloc.claims import registry

# Tables that this study does not make. Claims on them do not apply.
ABSENT = {*([] if PLANTS_ASKED else PLANTED), *([] if REMOVAL_ASKED else REMOVAL_TABLES)}
if MODEL.source not in ("embedded", "planted"):
    ABSENT.add("training_stream")
if not HALVES_ASKED:
    ABSENT.add("counterfactual")


for topic in registry.topics().values():
    read = {*topic.tables} - ABSENT

    rule:
        name:
            f"claims_{topic.name}"
        input:
            **tables(*sorted(read)),
        output:
            claims=claims_of(topic.name),
        log:
            log_file(f"claims_{topic.name}"),
        benchmark:
            benchmark_file(f"claims_{topic.name}")
        localrule: True
        conda:
            ENVIRONMENT
        resources:
            mem_mb=growing(2000),
            runtime=growing(15),
        params:
            **tracked(*topic.sections),
            module=f"memloc.claims.estimators.{topic.name}",
            topic=topic.model_dump(mode="json"),
        message:
            f"Judge the claims on {topic.name.replace('_', ' ')}."
        script:
            "../scripts/claims.py"


rule join_claims:
    input:
        claims=[claims_of(name) for name in registry.topics()],
    output:
        **tables("claims"),
    log:
        log_file("join_claims"),
    benchmark:
        benchmark_file("join_claims")
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=growing(2000),
        runtime=growing(10),
    params:
        **tracked(),
    message:
        "Join the verdicts of all topics in one table."
    script:
        "../scripts/join_claims.py"
