# All figures with their captions in one PDF: figures of the paper in its order, then extended ones.

from memloc.figures.catalog import chapters

# Figures of several studies (seeds.smk) lie elsewhere in the graph.
SUMMARIZED = [figure for figure in SHOWN if figure.only_for != "seeds"]


rule summary:
    input:
        captions=[f"{RESULTS}/figures/{figure.name}.rst" for figure in SUMMARIZED],
        figures=[f"{RESULTS}/figures/{figure.name}.pdf" for figure in SUMMARIZED],
        numbers=[f"{RESULTS}/figures/{figure.name}.csv" for figure in SUMMARIZED],
        headline=rules.story.output.headline,
        template=report_file("summary.typ.jinja"),
    output:
        f"{RESULTS}/summary.pdf",
    log:
        log_file("summary"),
    benchmark:
        benchmark_file("summary")
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        mem_mb=growing(2000),
        runtime=growing(10),
    params:
        **tracked(),
        model=MODEL_NAME,
        chapters={
            title: [[figure.name, figure.title, figure.section] for figure in figures]
            for title, figures in chapters({figure.name for figure in SUMMARIZED}).items()
        },
    message:
        "Put all figures with their captions into one PDF."
    script:
        "../scripts/summary.py"


SUMMARIES = rules.summary.output
