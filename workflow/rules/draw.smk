# One rule per figure, named like it: `snakemake fig7` draws Figure 7. DRAWN holds each figure with the inputs
# and the parameters of its script.

from memloc.figures.catalog import numbered

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
        priority: FIRST * (figure.name in FIRST_LOOK)
        localrule: True
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
