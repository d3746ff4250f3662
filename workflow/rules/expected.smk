# Published numbers next to the numbers of the run.

from memloc.published import expected

COMPARED = ["expected"] if any(value is not None for key, value in EXPECTED if key != "filter") else []
LOCALIZED = expected.LOCALIZED if expected.needed(EXPECTED) else ()

if EXPECTED.memorized_list:

    rule compare_memorized_list:
        input:
            **tables("paragraphs", "scores", PUBLISHED_FILTER),
            model=rules.model.output.description,
            folder=MODEL_FOLDER,
            published=EXPECTED.memorized_list,
        output:
            **tables("memorized_agreement"),
        log:
            log_file("compare_memorized_list"),
        benchmark:
            benchmark_file("compare_memorized_list")
        conda:
            ENVIRONMENT
        threads: SETTINGS.threads
        resources:
            gpu=N_GPU,
            mem_mb=growing(MEMORY["compare_memorized_list"]),
            runtime=growing(30),
        params:
            **tracked("expected", "loading", "scores"),
            filter=PUBLISHED_FILTER,
        message:
            "Compare the memorized paragraphs with the published list, by text."
        script:
            "../scripts/compare_memorized_list.py"


if COMPARED:

    rule compare_expected:
        input:
            **tables("paragraphs", "scores", "dropped_paragraphs", "dropped_reference", *LOCALIZED),
            **tables(*(["memorized_agreement"] if EXPECTED.memorized_list else [])),
            model=rules.model.output.description,
        output:
            **tables("expected"),
        log:
            log_file("compare_expected"),
        benchmark:
            benchmark_file("compare_expected")
        localrule: True
        conda:
            ENVIRONMENT
        resources:
            mem_mb=growing(2000),
            runtime=growing(15),
        params:
            **tracked("expected"),
        message:
            "Compare published numbers with those of this run."
        script:
            "../scripts/compare_expected.py"
