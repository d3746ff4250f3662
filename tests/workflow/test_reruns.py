"""What an edit of the code costs: exactly the rules whose code a typical edit changes; all below follow."""

import shutil

import pytest
from describe_rules import Rules
from projects import Project

from memloc.claims import registry
from memloc.figures.catalog import FIGURES, OF_PLANTS
from memloc.tables import schemas

DRAWN = {
    figure.name: set(figure.tables) for figure in FIGURES if figure.only_for in (None, "embedded", *OF_PLANTS)
}
COLUMN = '\n\ndef _more():\n    return {"more": integer(0, meaning="More.")}\n'


def readers(stage):
    """Figures and topics that read a table of a stage."""
    tables = {table for table, name in schemas.STAGES.items() if name == stage}
    topics = {f"claims_{topic.name}" for topic in registry.topics().values() if tables & set(topic.tables)}
    return {name for name, read in DRAWN.items() if read & tables} | topics


EDITS = {
    "a column of weight_noise": (
        "memloc/tables/schemas/weight_noise.py",
        COLUMN,
        {"disturb_weights"} | readers("weight_noise"),
    ),
    "a column of rare_tokens": (
        "memloc/tables/schemas/rare_tokens.py",
        COLUMN,
        {"rare_tokens", "rank_heads"} | readers("rare_tokens"),
    ),
    "a docstring of the tables": ("memloc/tables/storage.py", '"""Write and read', None),
    "a comment in the scores": ("memloc/scoring/paragraph_scores.py", "\n# A comment.\n", set()),
    "a figure": ("memloc/figures/fig2.py", "\nEDITED = True\n", {"fig2"}),
    "an estimator of claims": (
        "memloc/claims/estimators/scores.py",
        "\nEDITED = True\n",
        {"claims_scores"},
    ),
    "the attention": ("memloc/localization/attention.py", "\nEDITED = True\n", {"attention"}),
    "the filters": (
        "memloc/data/filters.py",
        "\nEDITED = True\n",
        {"dropped_paragraphs", "scores", "sets"},
    ),
    "patching": (
        "memloc/localization/patching.py",
        "\nEDITED = True\n",
        {"patching", "residual_patching", "bench_tables"},
    ),
    "the ablation": ("memloc/localization/ablation.py", "\nEDITED = True\n", {"ablate_heads"}),
    "a script": ("scripts/rank_heads.py", "\nEDITED = True\n", {"rank_heads"}),
}


@pytest.fixture(scope="module")
def before(clone):
    return {rule["name"]: rule["code"] for rule in Rules.of(clone.folder, "config/test.yaml").all}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_changes_the_code_of_exactly_these_rules(clone, before, edit, tmp_path):
    file, text, expected = EDITS[edit]
    folder = shutil.copytree(clone.folder, tmp_path / "project")
    path = folder / "workflow" / file
    if expected is None:
        old = path.read_text()
        assert old.startswith(text)
        path.write_text(old.replace(text, text + " and check", 1))
        expected = set()
    else:
        path.write_text(path.read_text() + text)
    after = {rule["name"]: rule["code"] for rule in Rules.of(folder, "config/test.yaml").all}
    assert {name for name in before if before[name] != after[name]} == expected
    shutil.rmtree(folder)


HOST = """
configfile: "study.yaml"

module memloc:
    snakefile: "{snakefile}"
    config: config

use rule * from memloc as memloc_*
"""


def test_another_workflow_imports_this_one_as_a_module(clone, tmp_path):
    """Library, scripts, environment and captions are found from a folder that holds none of them."""
    snakefile = clone.folder / "workflow/Snakefile"
    (tmp_path / "Snakefile").write_text(HOST.format(snakefile=snakefile))
    shutil.copy(clone.folder / "config/test.yaml", tmp_path / "study.yaml")
    host = Project(tmp_path)
    jobs = host.jobs("memloc_figures", config=None)
    assert {"memloc_fig2", "memloc_scores", "memloc_train_model"} <= set(jobs)
