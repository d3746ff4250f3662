"""Run the stored study in this project and keep its results here: `python tests/rules/store.py`.

The first time, that takes ten minutes and more on a slow machine. The study stays in results/stored, so later
only what changed runs again. Figures are kept as the numbers that they plot.
"""

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
NOT_KEPT = shutil.ignore_patterns(
    "logs", "benchmarks", "run_config.yaml", "*.pdf", "*.png", "*.rst", "headline.txt", "explorer", ".*"
)


def main() -> None:
    """Replace `stored/` by what today's code makes."""
    study = ["--configfile", "tests/rules/study.yaml"]
    command = [sys.executable, "-m", "snakemake", "all", "edited_model", "--cores", "2", *study]
    subprocess.run(command, cwd=ROOT, check=True)
    shutil.rmtree(HERE / "stored", ignore_errors=True)
    shutil.copytree(ROOT / "results/stored", HERE / "stored", ignore=NOT_KEPT)


if __name__ == "__main__":
    main()
