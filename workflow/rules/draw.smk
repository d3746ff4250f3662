# One rule per figure, named like it: `snakemake fig7` draws Figure 7. DRAWN holds each figure with the inputs
# and the parameters of its script.

from memloc.figures.catalog import numbered


def figure_files(figure):
    """Outputs of the rule that draws a figure; the report sorts them by labels, several models by model."""
    path = f"{RESULTS}/figures/{figure.name}"
    chapter, number = numbered(figure)
    labels = {"no.": number, "figure": figure.name, "shows": figure.title, "paper": figure.section}
    caption = os.path.abspath(placed(f"{path}.rst"))
    shown = report(
        f"{path}.png", caption=caption, category=chapter, subcategory=SETTINGS.variant, labels=labels
    )
    files = {"pdf": f"{path}.pdf", "png": shown, "csv": f"{path}.csv", "caption": f"{path}.rst"}
    beside = {"page": f"{path}.html"} if figure.page else {}
    return files | beside | tables(*filter(None, [figure.stored]))


for figure, read, told in DRAWN:

    rule:
        name:
            figure.name
        input:
            **read,
            caption=report_file(f"{figure.name}.rst"),
        output:
            **figure_files(figure),
        log:
            log_file(figure.name),
        benchmark:
            benchmark_file(figure.name)
        priority: FIRST * (figure.name in FIRST_PICTURE)
        localrule: True
        conda:
            ENVIRONMENT
        resources:
            mem_mb=growing(2000),
            runtime=growing(10),
        params:
            **tracked(*figure.sections),
            **told,
            module=f"memloc.figures.{figure.name}",
            paragraphs=figure.paragraphs,
        message:
            f"Draw {figure.name}: {figure.title}."
        script:
            "../scripts/figure.py"
