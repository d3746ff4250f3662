"""The settings, tables and files of a rule, for its script.

Inputs and outputs of a rule that are tables have the tables' names. Scripts therefore name tables, and know
neither paths nor schemas. The hash of a rule's code covers these schemas (`code_of` in rules/common.smk).
Libraries of tables take a second to import, so a script without a table does not import them.
"""

import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memloc.run import rule
from memloc.tables.schemas import STAGES, schema_of

if TYPE_CHECKING:
    import pandas as pd

LIBRARIES = ("torch", "transformers", "transformer-lens", "numpy", "pandas", "pyarrow")


def start(snakemake: Any) -> "Job":
    """Begin the script of a rule: set up log, errors and GPUs as in `run/rule.py`; returns the job."""
    job = Job(snakemake)
    rule.start(snakemake)
    return job


class Job:
    """A run of a rule. `rule`, `input`, `output`, `params`, `threads` and `resources` are Snakemake's.

    The job reads the tables named in `tables` and writes the tables named in `made`. `seed` is the study's.
    """

    log, tell = staticmethod(rule.log), staticmethod(rule.tell)

    def __init__(self, snakemake: Any) -> None:
        self.rule, self.threads, self.resources = snakemake.rule, snakemake.threads, snakemake.resources
        self.input, self.output, self.params = snakemake.input, snakemake.output, snakemake.params
        self.tables = [name for name, _ in self.input.items() if name in STAGES]
        self.made = [name for name, _ in self.output.items() if name in STAGES]
        self.seed = getattr(self.params, "seed", None)  # downloads have none

    @cached_property
    def settings(self) -> Any:
        """The sections that the rule tracks, each as its frozen object."""
        from memloc.settings.sections import sections

        return sections(self.params.settings)

    def files(self, table: str) -> list[str]:
        """Files of a table that the job reads: one, or several of its parts."""
        given = self.input[table]
        return [given] if isinstance(given, str) else list(given)

    @cached_property
    def stamp(self) -> dict[str, Any]:
        """Provenance for the metadata of the job's tables; a script may add to it.

        It depends on inputs and versions only, never on the time. Rules that use the model have its
        description as the input `model`.
        """
        params, description = self.params, self.input.get("model")
        settings = json.dumps(params.settings, sort_keys=True)
        versions = {library: importlib.metadata.version(library) for library in LIBRARIES}
        return {
            "study": params.study,
            "seed": params.seed,
            "rule": self.rule.removesuffix("_shard"),  # a shard's rows belong to the stage
            "paragraph": params.settings["paragraph"],
            "settings": params.settings,
            "config_hash": hashlib.sha256(settings.encode()).hexdigest()[:16],
            "code": params.code,
            "model": json.loads(Path(description).read_text()) if description else None,
            "versions": {"python": platform.python_version(), **versions},
        }

    def shard(self, n_rows: int, micro_batch: int = 1) -> range:
        """The rows of this job, if several jobs share the rows of a stage: whole micro-batches."""
        from memloc.run.shards import shard_rows

        return shard_rows(n_rows, *self.params.shard, micro_batch)

    def read(
        self, table: str, columns: Sequence[str] | None = None, ids: Iterable[int] | None = None
    ) -> "pd.DataFrame":
        """A table, some of its columns, or its rows with one of the ids: see `storage.read`.

        Tables in several files are joined, file by file, in the columns that all of them have.
        """
        import pandas as pd

        from memloc.tables import storage

        parts = [storage.read(schema_of(table), path, columns, ids) for path in self.files(table)]
        return pd.concat(parts, join="inner", ignore_index=True) if len(parts) > 1 else parts[0]

    def batches(
        self, table: str, columns: Sequence[str] | None = None, rows: range | None = None
    ) -> Iterator["pd.DataFrame"]:
        """The rows of a table, or the range `rows` of them, piece by piece: see `storage.batches`."""
        from memloc.tables import storage

        for path in self.files(table):
            yield from storage.batches(schema_of(table), path, columns, rows)

    def write(self, **frames: "pd.DataFrame") -> None:
        """Write whole tables, by their names."""
        with self.writing(*frames) as append:
            append(**frames)

    @contextmanager
    def writing(self, *tables: str) -> Iterator[Callable[..., None]]:
        """Yield a function that adds rows to tables, by their names: to `tables`, or to all of the job.

        The files appear at the end, and only without an error: see `storage.writer`.
        """
        from memloc.tables import storage

        with ExitStack() as stack:
            writers = {
                name: stack.enter_context(storage.writer(schema_of(name), self.output[name], self.stamp))
                for name in tables or self.made
            }

            def append(**frames: "pd.DataFrame") -> None:
                for name, frame in frames.items():
                    if len(frame):
                        writers[name].append(frame)

            yield append
