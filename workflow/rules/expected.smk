# Published numbers next to the numbers of the run.

from memloc.published import expected
from memloc.settings.expected import OF_ANALYSES

COMPARED = ["expected"] if EXPECTED.numbers else []
LOCALIZED = expected.LOCALIZED if {*OF_ANALYSES} & {*EXPECTED.numbers} else ()

if COMPARED:

    rule compare_expected:
        input:
            **tables("paragraphs", "scores", "dropped_paragraphs", *PUBLISHED_FILTER, *LOCALIZED),
            model=rules.model.output.description,
        output:
            **tables("expected"),
        log:
            log_file("compare_expected"),
        benchmark:
            benchmark_file("compare_expected")
        localrule: True
        resources:
            mem_mb=growing(2000),
            runtime=growing(15),
        params:
            **tracked("expected", "highlight"),
        message:
            "Compare published numbers with those of this run."
        script:
            "../scripts/compare_expected.py"
