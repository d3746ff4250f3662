# All figures with their captions on one page, and the claims of a model. The page of a study of several models
# links the page of each (MEMBERS).

PAGED = [figure for figure, *_ in DRAWN]


rule figures_page:
    input:
        **(tables("claims") if JUDGED else {}),
        captions=[f"{RESULTS}/figures/{figure.name}.rst" for figure in PAGED],
        pictures=[f"{RESULTS}/figures/{figure.name}.png" for figure in PAGED],
        pages=[f"{RESULTS}/figures/{figure.name}.html" for figure in PAGED if figure.page],
        members=[f"{RESULTS}/{name}/figures.html" for name in MEMBERS],
        headline=rules.story.output.headline,
        template=report_file("figures.html.jinja"),
    output:
        f"{RESULTS}/figures.html",
    log:
        log_file("figures_page"),
    benchmark:
        benchmark_file("figures_page")
    localrule: True
    resources:
        mem_mb=growing(1000),
        runtime=growing(5),
    params:
        **tracked(),
        figures=[figure.name for figure in PAGED],
        members=MEMBERS,
    message:
        "Put all figures with their captions on one page."
    script:
        "../scripts/figures_page.py"
