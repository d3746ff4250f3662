"""snakedeploy deploys a local copy of this workflow, and the deployed folder runs it."""

import shutil
import subprocess
import sys

import pytest
from projects import Project

VERSION = "0.17.1"  # whose local deployments name the wrong file, see docs/module.md


@pytest.mark.slow
def test_a_deployed_copy_plans_the_default_study_and_runs_the_small_one(clone, finished, tmp_path):
    source, place = shutil.copytree(clone.folder, tmp_path / "memloc"), tmp_path / "deployed"
    tools = tmp_path / "tools/bin"
    subprocess.run([sys.executable, "-m", "venv", str(tools.parent)], check=True)
    subprocess.run([str(tools / "pip"), "install", "--quiet", f"snakedeploy=={VERSION}"], check=True)
    command = [str(tools / "snakedeploy"), "deploy-workflow", str(source), str(place), "--tag", "any"]
    process = subprocess.run(command, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    deployed = Project(place)
    deployed.edit("workflow/Snakefile", '"workflow/Snakefile"', f'"{source}/workflow/Snakefile"')
    assert set(deployed.jobs(config=None)) == set(clone.jobs(config=None))
    shutil.copytree(finished.results, place / "results/test")
    (place / "results/test/figures/fig2.png").unlink()
    deployed.snakemake("--cores", "1", "--rerun-triggers", "mtime", "fig2")
    assert (place / "results/test/figures/fig2.png").exists()
