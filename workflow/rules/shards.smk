# Join the parts of the stages that run as several jobs (setting `shards`); with one shard there are none.

for stage in Shards.joined:

    rule:
        name:
            stage.stage
        input:
            **stage.parts,
        output:
            **stage.wholes,
        log:
            log_file(stage.stage),
        benchmark:
            benchmark_file(stage.stage)
        conda:
            ENVIRONMENT
        resources:
            mem_mb=growing(2000),
            runtime=growing(60),
        params:
            **tracked(),
        message:
            f"Join the {stage.n} shards of {stage.stage}."
        script:
            "../scripts/join_parts.py"
