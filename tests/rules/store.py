"""Run the stored study in a copy of the project and keep its results here: `python tests/rules/store.py`.

Figures are kept as the numbers that they plot.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
NOT_KEPT = shutil.ignore_patterns(
    "logs", "benchmarks", "run_config.yaml", "*.pdf", "*.png", "*.rst", "headline.txt", "explorer", ".*"
)


def main() -> None:
    """Replace `stored/` by the results of a run of today's code."""
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        shutil.copytree(
            ROOT, project, ignore=shutil.ignore_patterns(".git", ".venv", ".snakemake", "results", "stored")
        )
        study = project / "tests/rules/study.yaml"
        command = [
            sys.executable,
            "-m",
            "snakemake",
            "all",
            "edited_model",
            "--cores",
            "2",
            "--configfile",
            study,
        ]
        subprocess.run(command, cwd=project, check=True)
        shutil.rmtree(HERE / "stored", ignore_errors=True)
        shutil.copytree(project / "results/stored", HERE / "stored", ignore=NOT_KEPT)


if __name__ == "__main__":
    main()
