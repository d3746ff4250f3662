# How fast the stages are, next to straightforward implementations; independent of `all`.

BENCH_MODEL = f"{RESULTS}/bench_model"


rule bench_model:
    output:
        folder=directory(BENCH_MODEL),
    log:
        log_file("bench_model"),
    benchmark:
        benchmark_file("bench_model")
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=growing(3000),
        runtime=growing(10),
    params:
        **tracked("bench_model.py", "bench"),
    message:
        "Make a model with random weights."
    script:
        "../scripts/bench_model.py"


rule bench_tables:
    input:
        folder=BENCH_MODEL,
    output:
        bench=table("bench"),
        growth=table("bench_growth"),
    log:
        log_file("bench_tables"),
    benchmark:
        benchmark_file("bench_tables")
    conda:
        ENVIRONMENT
    # All threads, so that nothing runs beside it; counted only for a job, since plans may not know how many there are.
    threads: lambda wildcards: workflow.cores
    resources:
        mem_mb=growing(20000),
        runtime=growing(120),
    params:
        **tracked(
            "bench_tables.py",
            "bench",
            "scores",
            "extraction",
            "perturbation",
            "patching",
            "weight_noise",
            "editing",
            "planted_truth",
        ),
    message:
        "Time every stage, and straightforward implementations of the same work."
    script:
        "../scripts/bench_tables.py"


rule bench:
    input:
        bench=table("bench"),
        bench_growth=table("bench_growth"),
        template=report_file("benchmarks.md"),
    output:
        f"{RESULTS}/benchmarks.md",
    log:
        log_file("bench"),
    benchmark:
        benchmark_file("bench")
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(5),
    params:
        **tracked("bench_page.py"),
    message:
        "Write the page of the benchmark."
    script:
        "../scripts/bench_page.py"
