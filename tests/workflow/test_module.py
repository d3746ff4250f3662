"""Another workflow uses this one as a module: the example of docs/module.md, with a figure of its own."""

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from projects import Finished, Project

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/module.md").read_text()
SNAKEFILE, SCRIPT = (
    re.search(rf"(?ms)^```{language}\n(.*?)^```", PAGE)[1] for language in ("snakemake", "python")
)
LOCAL = '"../memloc/workflow/Snakefile"'


@dataclass(frozen=True)
class Host(Project):
    """The example in a folder next to this workflow, or to a repository of it."""

    @staticmethod
    def of(folder: Path, finished: Finished, snakefile: str = SNAKEFILE) -> "Host":
        """The example with the config of the finished study."""
        folder.mkdir()
        (folder / "Snakefile").write_text(snakefile)
        (folder / "seen.py").write_text(SCRIPT)
        study = yaml.safe_load((finished.folder / "config/test.yaml").read_text())
        (folder / "config.yaml").write_text(yaml.safe_dump({"memloc": study}))
        return Host(folder)

    def run(self, *arguments: str) -> str:
        """What Snakemake says; finished tables count as made here."""
        return self.snakemake(*arguments, "--cores", "1", "--rerun-triggers", "mtime", config=None)


@pytest.fixture(scope="module")
def beside(clone, tmp_path_factory):
    """A folder that holds a copy of this workflow, which is a repository, too."""
    folder = tmp_path_factory.mktemp("beside")
    shutil.copytree(clone.folder, folder / "memloc")
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@t", "-C", str(folder / "memloc")]
    for words in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "all"]):
        subprocess.run([*git, *words], check=True)
    return folder


@pytest.mark.parametrize("place", ["path", pytest.param("repository", marks=pytest.mark.slow)])
def test_the_example_runs_on_a_finished_study(beside, finished, place):
    """All tables are there; a figure of ours is drawn anew through the module, and one of the host's own."""
    address = LOCAL if place == "path" else f'"git+file://{beside}/memloc/workflow/Snakefile@HEAD"'
    host = Host.of(beside / place, finished, SNAKEFILE.replace(LOCAL, address))
    results = shutil.copytree(finished.results, host.folder / "results/memloc/test")
    (results / "figures/fig2.png").unlink()
    output = host.run()
    ran = set(re.findall(r"Finished jobid: \d+ \(Rule: (\w+)\)", output))
    assert ran == {"all", "memloc_fig2", "seen"}, output
    assert (host.folder / "figures/seen.png").read_bytes().startswith(b"\x89PNG")
    assert (results / "figures/fig2.png").read_bytes().startswith(b"\x89PNG")
    assert "Nothing to be done" in host.run()


def test_the_host_keeps_what_is_its_own(beside, finished):
    """Its default target, the resources of its rules and its `onerror`; and errors name the module."""
    own = """rule first:
    output: "a"
    resources: gpu_model="a100"
    shell: "false"

onerror:
    print("the host ends")

module memloc:"""
    snakefile = SNAKEFILE.replace("    default_target: True\n", "").replace("module memloc:", own)
    host = Host.of(beside / "own", finished, snakefile)
    output = host.snakemake("--cores", "1", config=None, status=1)
    assert "rule first:" in output and "gpu_model=a100" in output and "the host ends" in output
    assert "Study test" not in output  # how a run of ours begins
    host.edit("config.yaml", "min_repeats", "min_repeat")
    output = host.plan(config=None, status=1)
    assert "config of module memloc: data.min_repeat: unknown key" in output


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
