"""A run as a Workflow Run RO-Crate: what was made, from what, by which code and environment, with hashes.

RO-Crate 1.1 with the profiles Workflow RO-Crate 1.0 and Workflow Run RO-Crate 0.5 (process, workflow and
provenance run). Every rule that ran is a step of the workflow, its script the tool, its run a CreateAction.
Tables say what their columns hold, with units. What a run reads from outside of its results (models, text,
downloads), and the folders that it makes, are named with their hash but not contained.
"""

import hashlib
import importlib.metadata
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd
from rocrate.model.contextentity import ContextEntity
from rocrate.model.entity import Entity
from rocrate.rocrate import ROCrate

import memloc
from memloc.record.hashes import sha256
from memloc.run.steps import Step
from memloc.tables.study import described

PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/ro/wfrun/provenance/0.5": "Provenance Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
TERMS = "https://w3id.org/ro/terms/workflow-run/context"
SNAKEMAKE = "https://snakemake.github.io"
COMPLETED = "http://schema.org/CompletedActionStatus"
LICENSE = "https://www.apache.org/licenses/LICENSE-2.0"
LICENSE_OF = "Of the code. Results: as those who made them say."
ENVIRONMENT = "environment.txt"
MAIN = "workflow/Snakefile"
SHARDS = "shards"  # parts of tables, which the whole tables hold
ENCODINGS = {
    ".csv": "text/csv",
    ".json": "application/json",
    ".parquet": "application/vnd.apache.parquet",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".yaml": "application/yaml",
}


def record(study: str, folder: Path, steps: list[Step], code: Mapping[str, Path]) -> ROCrate:
    """The crate of the results in `folder`, made by `steps`; `code`: files by their place in the crate."""
    crate = ROCrate(version="1.1")
    crate.metadata.extra_contexts.append(TERMS)
    crate.name = f"memloc, study {study}"
    crate.description = "A run of memloc, which localizes paragraph memorization in a language model."
    crate.license = _context(crate, LICENSE, "CreativeWork", name="Apache-2.0", description=LICENSE_OF)
    workflow = _add_code(crate, code, {step.script for step in steps})
    frozen = "".join(f"{package}\n" for package in sorted(_packages(), key=str.lower))
    crate.add_file(StringIO(frozen), ENVIRONMENT, properties=_text_properties(frozen))
    files = _add_files(crate, folder, steps)
    runs = [_add_run(crate, step, files) for step in steps]
    made = {entity.id: entity for step in steps for path in step.outputs for entity in files[path]}
    read = {entity.id: entity for step in steps for path in step.inputs for entity in files[path]}
    whole = crate.add_action(
        workflow,
        "#run",
        object=[read[name] for name in sorted(read.keys() - made.keys())],
        result=[made[name] for name in sorted(made)],
        properties={
            "name": f"Run of study {study}",
            "description": crate.description,
            "actionStatus": COMPLETED,
        }
        | _span(runs),
    )
    _add_steps(crate, workflow, whole, steps, runs)
    crate.root_dataset["mentions"] = [whole, *runs]
    crate.root_dataset["conformsTo"] = [
        _context(crate, uri, "CreativeWork", name=name, version=uri.rpartition("/")[2])
        for uri, name in PROFILES.items()
    ]
    return crate


def _context(crate: ROCrate, identifier: str, kind: str, **properties: Any) -> Entity:
    return crate.add(ContextEntity(crate, identifier, properties={"@type": kind, **properties}))


def _packages() -> set[str]:
    found = importlib.metadata.distributions()
    return {f"{package.metadata['Name']}=={package.version}" for package in found}


def _text_properties(text: str) -> dict[str, str]:
    digest = hashlib.sha256(text.encode()).hexdigest()
    return {"sha256": digest, "contentSize": str(len(text.encode())), "encodingFormat": "text/plain"}


def _properties(path: Path) -> dict[str, str]:
    known = {"sha256": sha256(path), "contentSize": str(path.stat().st_size)}
    return known | {"encodingFormat": ENCODINGS.get(path.suffix, "text/plain")}


def _add_code(crate: ROCrate, code: Mapping[str, Path], scripts: set[str]) -> Entity:
    """Adds the files of the workflow; returns its main one."""
    version = {"version": memloc.__version__}
    for place, path in code.items():
        if place != MAIN:
            tool = {"@type": ["File", "SoftwareSourceCode"], "name": place} if place in scripts else {}
            crate.add_file(path, place, properties=_properties(path) | tool | (version if tool else {}))
    kinds = ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"]
    workflow = crate.add_workflow(
        code[MAIN],
        MAIN,
        main=True,
        lang="snakemake",
        lang_version=importlib.metadata.version("snakemake"),
        properties=_properties(code[MAIN]) | version | {"@type": kinds, "name": "memloc"},
    )
    workflow["hasPart"] = [crate.get(place) for place in sorted(scripts)]
    return workflow


def _add_files(crate: ROCrate, folder: Path, steps: list[Step]) -> dict[str, list[Entity]]:
    """Adds what the steps read and wrote; returns the entities of every path, all of its shards."""
    found = {}
    for path in sorted({path for step in steps for path in (*step.inputs, *step.outputs)}):
        there = sorted(Path().glob(path.replace("{shard}", "*"))) if "{shard}" in path else [Path(path)]
        found[path] = [_add_file(crate, folder, file) for file in there]
    return found


def _add_file(crate: ROCrate, folder: Path, path: Path) -> Entity:
    """A file of the results, contained; anything else with its hash alone."""
    outside = not path.is_relative_to(folder) or SHARDS in path.relative_to(folder).parts
    if path.is_dir() or outside:
        return _context(crate, f"#{path}", "CreativeWork", name=str(path), sha256=sha256(path))
    entity = crate.add_file(path, path.relative_to(folder), properties=_properties(path))
    if path.suffix == ".parquet":
        entity["variableMeasured"] = [
            _context(
                crate,
                f"#{entity.id}/{column.Index}",
                "PropertyValue",
                name=column.Index,
                description=column.meaning,
                **({"unitText": column.unit} if column.unit else {}),
            )
            for column in described(path).itertuples()
        ]
    return entity


def _add_run(crate: ROCrate, step: Step, files: Mapping[str, list[Entity]]) -> Entity:
    """Adds the run of a step, with its times where its benchmark was kept."""
    times, benchmark = {}, Path(step.benchmark)
    if benchmark.is_file():
        end = datetime.fromtimestamp(benchmark.stat().st_mtime, UTC)
        seconds = float(pd.read_csv(benchmark, sep="\t")["s"].iloc[-1])
        span = {"startTime": end - timedelta(seconds=seconds), "endTime": end}
        times = {name: time.isoformat(timespec="milliseconds") for name, time in span.items()}
    return crate.add_action(
        crate.get(step.script),
        f"#run/{step.name}",
        object=[entity for path in step.inputs for entity in files[path]],
        result=[entity for path in step.outputs for entity in files[path]],
        properties={"name": f"Run of {step.name}", "description": step.message, "actionStatus": COMPLETED}
        | times,
    )


def _span(runs: list[Entity]) -> dict[str, str]:
    """When the first of the runs began and the last one ended."""
    begins, ends = ([run[key] for run in runs if key in run] for key in ("startTime", "endTime"))
    return {"startTime": min(begins), "endTime": max(ends)} if begins else {}


def _add_steps(
    crate: ROCrate, workflow: Entity, whole: Entity, steps: list[Step], runs: list[Entity]
) -> None:
    """Adds the plan (a step of the workflow per rule) and what Snakemake did with it."""
    planned, controls = [], []
    for position, (step, run) in enumerate(zip(steps, runs, strict=True)):
        plan = {"position": str(position), "name": step.name, "description": step.message}
        planned.append(
            _context(crate, f"#step/{step.name}", "HowToStep", workExample=crate.get(step.script), **plan)
        )
        control = {"name": f"Start of {step.name}", "instrument": planned[-1], "object": run}
        controls.append(_context(crate, f"#start/{step.name}", "ControlAction", **control))
    workflow["step"] = planned
    version = {"softwareVersion": importlib.metadata.version("snakemake")}
    engine = _context(
        crate, SNAKEMAKE, "SoftwareApplication", name="Snakemake", url={"@id": SNAKEMAKE}, **version
    )
    _context(
        crate,
        "#snakemake",
        "OrganizeAction",
        name="Run of Snakemake",
        instrument=engine,
        object=controls,
        result=whole,
    )
