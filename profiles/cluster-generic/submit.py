#!/usr/bin/env python3
"""Submit a job script of Snakemake to PBS and print the job's id.

Snakemake writes what the job asks for into the script's second line: rule, threads, mem_mb, runtime (minutes)
and, of jobs on GPUs only, gpu and gpu_model.
"""

import json
import subprocess
import sys
from pathlib import Path

script = Path(sys.argv[-1])
line = next(line for line in script.read_text().splitlines() if line.startswith("# properties = "))
job = json.loads(line.removeprefix("# properties = "))
resources = job["resources"]
select = f"select=1:ncpus={job['threads']}:mem={resources['mem_mb']}mb"
queue = "cpu"
if resources.get("gpu"):
    select += f":ngpus={resources['gpu']}"
    queue = "gpu"
if resources.get("gpu_model"):
    select += f":gpu_type={resources['gpu_model']}"
logs = Path(".snakemake/cluster_logs")
logs.mkdir(parents=True, exist_ok=True)
subprocess.run(
    [
        "qsub",
        "-N",
        job.get("rule", "group"),
        "-q",
        queue,
        "-l",
        select,
        "-l",
        f"walltime={60 * resources['runtime']}",
    ]
    + ["-j", "oe", "-o", str(logs), str(script)],
    check=True,
)
