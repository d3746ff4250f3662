# Join the tables of stages that run as several jobs (setting `shards`), each of which writes a part.

for stage, (parts, wholes) in JOINED.items():

    rule:
        name:
            stage
        input:
            **parts,
        output:
            **wholes,
        log:
            log_file(stage),
        benchmark:
            benchmark_file(stage)
        resources:
            mem_mb=growing(2000),
            runtime=growing(60),
        params:
            **tracked(),
        message:
            f"Join the parts of {stage}."
        script:
            "../scripts/join_parts.py"
