"""A run as a Workflow Run RO-Crate: inputs, results, code and environment, with hashes.

RO-Crate 1.1 with the profiles Workflow RO-Crate 1.0 and Workflow Run RO-Crate 0.5 (process, workflow and
provenance run). Every rule that ran is a step of the workflow, its script the tool, its run a CreateAction.
Files that a run reads from outside of its results (models, text, downloads), and the folders that it makes,
are named with their hash but not contained.
"""

import hashlib
import importlib.metadata
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

from rocrate.model.entity import Entity
from rocrate.rocrate import ROCrate

import memloc
from memloc.record.verification import sha256
from memloc.run.steps import Step

PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/ro/wfrun/provenance/0.5": "Provenance Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
TERMS = "https://w3id.org/ro/terms/workflow-run/context"
LICENSE = "https://www.apache.org/licenses/LICENSE-2.0"
LICENSE_OF = "License of the code. Those who made the results decide on theirs."
ENVIRONMENT = "environment.txt"
MAIN = "workflow/Snakefile"
SHARDS = "shards"  # folder of parts of tables; the whole tables hold the same rows
ENCODINGS = {
    ".csv": "text/csv",
    ".json": "application/json",
    ".parquet": "application/vnd.apache.parquet",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".yaml": "application/yaml",
}


def record(study: str, folder: Path, steps: list[Step], code: Mapping[str, Path]) -> ROCrate:
    """The crate of the results in `folder`, which `steps` made. `code` maps places in the crate to files."""
    crate = ROCrate(version="1.1")
    crate.metadata.extra_contexts.append(TERMS)
    crate.name = f"memloc, study {study}"
    crate.description = "A run of memloc, which localizes paragraph memorization in a language model."
    crate.license = _named(crate, LICENSE, "CreativeWork", "Apache-2.0", description=LICENSE_OF)
    workflow = _add_code(crate, code, steps)
    names = {f"{each.metadata['Name']}=={each.version}\n" for each in importlib.metadata.distributions()}
    packages = "".join(sorted(names, key=str.lower))
    known = _known(ENVIRONMENT, hashlib.sha256(packages.encode()).hexdigest())
    crate.add_file(StringIO(packages), ENVIRONMENT, properties=known, record_size=True)
    files = _add_files(crate, folder, steps)
    runs = [_add_run(crate, step, files) for step in steps]
    crate.root_dataset["mentions"] = [_add_whole(crate, workflow, runs), *runs]
    crate.root_dataset["conformsTo"] = [
        _named(crate, uri, "CreativeWork", name, version=uri.rpartition("/")[2])
        for uri, name in PROFILES.items()
    ]
    return crate


def _named(crate: ROCrate, identifier: str, kind: str, name: str, **properties: Any) -> Entity:
    """Add an entity that is no file."""
    return crate.add_jsonld({"@id": identifier, "@type": kind, "name": name, **properties})


def _known(name: Path | str, digest: str) -> dict[str, str]:
    """The properties of every file, without its size, which the crate adds when it is written."""
    return {"sha256": digest, "encodingFormat": ENCODINGS.get(Path(name).suffix, "text/plain")}


def _add_code(crate: ROCrate, code: Mapping[str, Path], steps: list[Step]) -> Entity:
    """Add the files of the workflow; returns the main one, which plans a step per rule."""
    scripts, version = {step.script for step in steps}, {"version": memloc.__version__}
    for place, path in code.items():
        if place != MAIN:
            tool = {"@type": ["File", "SoftwareSourceCode"], "name": place, **version}
            known = _known(place, sha256(path)) | (tool if place in scripts else {})
            crate.add_file(path, place, properties=known, record_size=True)
    kinds = ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"]
    known = _known(MAIN, sha256(code[MAIN])) | version | {"@type": kinds, "name": "memloc"}
    snakemake = {"lang": "snakemake", "lang_version": importlib.metadata.version("snakemake")}
    workflow = crate.add_workflow(
        code[MAIN], MAIN, main=True, properties=known, record_size=True, **snakemake
    )
    workflow["hasPart"] = [crate.get(place) for place in sorted(scripts)]
    workflow["step"] = [_add_plan(crate, step, position) for position, step in enumerate(steps)]
    return workflow


def _add_plan(crate: ROCrate, step: Step, position: int) -> Entity:
    plan = {"position": str(position), "description": step.message, "workExample": crate.get(step.script)}
    return _named(crate, f"#step/{step.name}", "HowToStep", step.name, **plan)


def _add_files(crate: ROCrate, folder: Path, steps: list[Step]) -> dict[str, list[Entity]]:
    """Add the files that the steps read and wrote; returns the entities of every path, one per shard."""
    paths = {path for step in steps for path in (*step.inputs, *step.outputs)}
    there = {path: sorted(Path().glob(path.replace("{shard}", "*"))) for path in paths if "{shard}" in path}
    there = {path: [Path(path)] for path in paths} | there
    entities = {file: _add_file(crate, folder, file) for file in sorted(set().union(*there.values()))}
    return {path: [entities[file] for file in files] for path, files in there.items()}


def _add_file(crate: ROCrate, folder: Path, path: Path) -> Entity:
    """Add a file of the results with its content, and anything else with its hash alone."""
    outside = not path.is_relative_to(folder) or SHARDS in path.relative_to(folder).parts
    if path.is_dir() or outside:
        return _named(crate, f"#{path}", "CreativeWork", str(path), sha256=sha256(path))
    known = _known(path, sha256(path))
    return crate.add_file(path, path.relative_to(folder), properties=known, record_size=True)


def _add_run(crate: ROCrate, step: Step, files: Mapping[str, list[Entity]]) -> Entity:
    """Add the run of a step, with its times if its benchmark was kept."""
    times, benchmark = {}, Path(step.benchmark)
    if benchmark.is_file():
        end = datetime.fromtimestamp(benchmark.stat().st_mtime, UTC)
        span = {"startTime": end - timedelta(seconds=step.ran[-1]), "endTime": end}
        times = {name: time.isoformat(timespec="milliseconds") for name, time in span.items()}
    return crate.add_action(
        crate.get(step.script),
        f"#run/{step.name}",
        object=[entity for path in step.inputs for entity in files[path]],
        result=[entity for path in step.outputs for entity in files[path]],
        properties={"name": f"Run of {step.name}", "description": step.message, **times},
    )


def _add_whole(crate: ROCrate, workflow: Entity, runs: list[Entity]) -> Entity:
    """Add the run of the whole workflow, first start to last end; its inputs are files that no step makes."""
    made, read = (
        {entity.id: entity for run in runs for entity in run.get(key, [])} for key in ("result", "object")
    )
    begins, ends = ([run[key] for run in runs if key in run] for key in ("startTime", "endTime"))
    return crate.add_action(
        workflow,
        "#run",
        object=[read[name] for name in sorted(read.keys() - made.keys())],
        result=[made[name] for name in sorted(made)],
        properties={"name": f"Run of {crate.name}", "description": crate.description}
        | ({"startTime": min(begins), "endTime": max(ends)} if begins else {}),
    )
