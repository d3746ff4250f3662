"""The jobs of a study as Snakemake hands them to their scripts, without running any.

Runs as a process of its own, `python jobs.py SNAKEFILE CONFIG OUTPUT TARGET..`, because a workflow changes
the process that reads it.
"""

import pickle
import subprocess
import sys
from pathlib import Path

from snakemake.jobs import Job
from snakemake.script import Snakemake

STORED = Path(__file__).parent / "stored"
ROOT = Path(__file__).parents[2]


def jobs(folder: Path, config: str, output: Path, *targets: str) -> dict[str, tuple[str, Snakemake]]:
    """Script and `snakemake` object of every job, by the name of its log, in the order of a possible run."""
    command = [sys.executable, __file__, "Snakefile", config, output, *targets]
    process = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    return pickle.loads(output.read_bytes())


def _snakemake(job: Job) -> Snakemake:
    given = (job.input, job.output, job.params, job.wildcards, job.threads, job.resources, job.log)
    return Snakemake(*given, config={}, rulename=job.rule.name, bench_iteration=None)


if __name__ == "__main__":
    from snakemake.api import SnakemakeApi
    from snakemake.settings.types import (
        ConfigSettings,
        DAGSettings,
        OutputSettings,
        Quietness,
        ResourceSettings,
    )

    snakefile, config, output, *targets = sys.argv[1:]
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        workflow = api.workflow(
            resource_settings=ResourceSettings(cores=2),
            config_settings=ConfigSettings(configfiles=[Path(config)]),
            snakefile=Path(snakefile),
        )
        workflow.dag(dag_settings=DAGSettings(targets=set(targets), forceall=True)).printrulegraph()
        dag = workflow._workflow.dag
        in_order = [job for level in dag.toposorted() for job in sorted(level, key=lambda job: job.name)]
        found = {
            Path(job.log[0]).stem: (job.rule.script, _snakemake(job)) for job in in_order if job.rule.script
        }
        Path(output).write_bytes(pickle.dumps(found))
