"""Run every script of the stored study and keep what differs: `python tests/rules/store.py`.

A file that is equal within the tolerance of the tests stays as it is. The model stays, too, because another
processor trains another one: `--train` trains it anew, and with it changes every table. Figures are kept as
the numbers that they plot, and as what is on their panels.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
# Neither pictures, nor captions, nor what tests of whole runs look at.
KEPT = (".parquet", ".csv", ".safetensors", ".json", ".md")


def main() -> None:
    """Run the scripts in the order of a run, each on what is stored or what a script before it changed."""
    sys.path[:0] = map(str, (HERE.parents[1] / "workflow", HERE, HERE.parent, HERE.parent / "workflow"))
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    from drawn import STORES
    from jobs import LEARNED, NOT_STORED, STORED, outputs, scripts_here, stored_jobs

    skipped = NOT_STORED if "--train" in sys.argv else {*NOT_STORED, LEARNED}
    made = set()
    with tempfile.TemporaryDirectory() as name:
        study = Path(name) / "results/stored"
        shutil.copytree(STORED, study)
        with scripts_here(Path(name)) as run:
            for log, (script, snakemake) in stored_jobs().items():
                if log not in skipped:
                    run(script, snakemake)
                for output in outputs(snakemake):
                    made |= set(stored_anew(Path(name) / output, study, STORED))
    for path in sorted(path for path in STORED.rglob("*") if path.is_file() and path not in made):
        print(f"gone: {path.relative_to(STORED)}")
        path.unlink()
    tests = [str(HERE.parent / f"unit/{room}") for room in ("figures", "explorer")]
    command = [sys.executable, "-m", "pytest", "--quiet", *tests, "-k", "as_stored"]
    subprocess.run(command, env=os.environ | {STORES: ""}, check=True)


def stored_anew(output: Path, study: Path, stored: Path) -> list[Path]:
    """The places of an output's files in `stored`, where those that differ are replaced.

    What is stored goes back into the study, so that later scripts read what they read in the tests.
    """
    from stored_files import assert_equal

    from memloc.tables.columns import TableError

    places = []
    for path in sorted(output.rglob("*")) if output.is_dir() else [output]:
        if path.suffix not in KEPT or "explorer" in path.parts:
            continue
        place = stored / path.relative_to(study)
        places.append(place)
        try:
            assert place.exists()
            assert_equal(path, place)
            shutil.copy2(place, path)
        except (AssertionError, TableError):
            print(f"stored: {place.relative_to(stored)}", flush=True)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, place)
    return places


if __name__ == "__main__":
    main()
