# Times of the stages next to straightforward implementations; not part of `all`.

from memloc.settings.running import COMPARISONS

BENCH_MODEL = f"{RESULTS}/bench_model"

# Each shard is a comparison, so that a killed one is repeated alone.
BENCHED = Shards("bench_tables", most=len(COMPARISONS))


rule bench_model:
    output:
        **tables("bench_texts"),
        folder=directory(BENCH_MODEL),
    log:
        log_file("bench_model"),
    benchmark:
        benchmark_file("bench_model")
    conda:
        ENVIRONMENT
    threads: SETTINGS.threads
    resources:
        mem_mb=growing(6000),
        runtime=growing(30),
    params:
        **tracked("bench"),
    message:
        "Make a model with random weights, and let it continue random prefixes."
    script:
        "../scripts/bench_model.py"


rule:
    name:
        BENCHED.rule
    input:
        **tables("bench_texts"),
        folder=BENCH_MODEL,
    output:
        **BENCHED.tables("bench"),
    log:
        BENCHED.log,
    benchmark:
        BENCHED.benchmark
    conda:
        ENVIRONMENT
    # All threads, so that nothing runs beside it. Only a job counts them: a plan may not know their number.
    threads: lambda wildcards: workflow.cores
    resources:
        mem_mb=growing(20000),
        runtime=growing(120),
    params:
        **tracked(
            "bench",
            "scores",
            "perturbation",
            "patching",
            "weight_noise",
            "editing",
            "planted_truth",
        ),
        shard=BENCHED.number,
    message:
        "Time every stage, and straightforward implementations of the same work."
    script:
        "../scripts/bench_tables.py"


rule bench:
    input:
        **tables("bench"),
        template=report_file("benchmarks.md"),
    output:
        f"{RESULTS}/benchmarks.md",
    log:
        log_file("bench"),
    benchmark:
        benchmark_file("bench")
    conda:
        ENVIRONMENT
    resources:
        mem_mb=growing(1000),
        runtime=growing(5),
    params:
        **tracked(),
    message:
        "Write the page of the benchmark."
    script:
        "../scripts/bench_page.py"
