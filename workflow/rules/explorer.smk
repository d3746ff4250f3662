# The interactive page: paragraphs, tokens, heads, claims. Static: it opens from disk.

from memloc.explorer.contents import tables_on_page

# Every study can make these tables, which the page shows whether or not a figure reads them.
MADE = [*TABLES, "claims", "near_verbatim", "token_statistics"]
ON_PAGE = tables_on_page(MADE)


rule explorer:
    input:
        **tables(*ON_PAGE),
        config=rules.run_config.output[0],
        headline=rules.story.output.headline,
        page=[own_file(path) for path in PAGE_FILES],
    output:
        report(
            directory(f"{RESULTS}/explorer"),
            caption=os.path.abspath(source("report/explorer.rst")),
            htmlindex="index.html",
            category="1 Explorer",
            subcategory=SETTINGS.variant,
            labels={"shows": "Paragraphs, tokens and heads: an interactive page"},
        ),
    log:
        log_file("explorer"),
    benchmark:
        benchmark_file("explorer")
    localrule: True
    resources:
        mem_mb=growing(4000),
        runtime=growing(20),
    params:
        **tracked("highlight"),
    message:
        "Write the explorer, an interactive page."
    script:
        "../scripts/explorer.py"
