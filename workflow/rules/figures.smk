# One rule per figure, named like it: `snakemake fig7` draws Figure 7. The list is memloc/figures/catalog.py.

# A list of tokens is text that the user gives, too.
ASKED = {
    "halves": HALVES_ASKED,
    "plants": PLANTS_ASKED,
    "removal": REMOVAL_ASKED,
    "seeds": bool(SETTINGS.seeds),
    "text": DATA.source == "tokens",
}
PRESENT = {
    None,
    DATA.source,
    MODEL.source,
    *COMPARED,
    *(name for name in ASKED if ASKED[name]),
}
SHOWN = [figure for figure in FIGURES if figure.only_for in PRESENT]
READ = {figure.name: figure.tables for figure in SHOWN}
TABLES = sorted({name for names in READ.values() for name in names})

for figure in SHOWN:
    if figure.only_for == "seeds":
        continue  # drawn from the tables of several studies (seeds.smk)
    # Those of its caption; figure `claims` reads the whole table.
    verdicts = {"claims": [claims_of(topic) for topic in registry.topics_of_figure(figure.name)]}

    rule:
        name:
            figure.name
        input:
            **verdicts | tables(*READ[figure.name]),
            caption=report_file(f"{figure.name}.rst"),
        output:
            **figure_files(figure),
        log:
            log_file(figure.name),
        benchmark:
            benchmark_file(figure.name)
        localrule: True
        conda:
            ENVIRONMENT
        resources:
            mem_mb=growing(2000),
            runtime=growing(10),
        params:
            **tracked(*figure.settings),
            module=f"memloc.figures.{figure.name}",
            figure=figure.name,
            model=MODEL_NAME,
            paragraphs=figure.paragraphs,
            shown=figure.shown,
        message:
            f"Draw {figure.name}: {figure.title}."
        script:
            "../scripts/figure.py"


rule figures:
    input:
        [f"{RESULTS}/figures/{figure.name}.{kind}" for figure in SHOWN for kind in FIGURE_KINDS],
    message:
        "All figures are drawn."


rule tables:
    input:
        [table(name) for name in TABLES],
        table("token_statistics"),  # no figure shows it, but the explorer does
        rules.run_config.output,
    message:
        "All tables are computed."
