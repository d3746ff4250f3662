"""What an edit costs: rules whose code, settings or captions it changes run again, and all that follow."""

import os
import shutil
from pathlib import Path

import pytest
from describe_rules import Rules
from jobs import STORED
from projects import OF_STUDY, STUDY, Project

from memloc.claims import registry
from memloc.explorer.contents import NEEDED, SHOWN
from memloc.figures.catalog import FIGURES
from memloc.run import tracking
from memloc.tables import schemas

DRAWN = {figure.name: set(figure.tables) for figure in FIGURES if figure.only_for in OF_STUDY}
# Rules that look into a model; paragraphs and its training do not.
ANALYSES = {
    *("ablate_heads", "activation_gradients", "attention"),
    *("edited_model", "edit_paragraphs", "estimate", "model"),
    *("parameter_gradients", "patching", "perturbation", "prefix_features", "remove"),
    *("score_samples", "scores", "sets"),
}
EDITED = "\nEDITED = True\n"
COLUMN = '\n\ndef _more():\n    return {"more": integer(0, meaning="More.")}\n'


def readers(stage):
    """Figures that read a table of a stage, and claims and explorer if they do."""
    tables = {table for table, name in schemas.STAGES.items() if name == stage}
    judged = {table for topic in registry.topics().values() for table in topic.tables}
    more = {"claims"} if tables & judged else set()
    more |= {"explorer"} if tables & {*NEEDED, *SHOWN} else set()
    return {name for name, read in DRAWN.items() if read & tables} | more


EDITS = {
    "a column of layer_bypass": (
        "memloc/tables/schemas/layer_bypass.py",
        COLUMN,
        {"ablate_heads", "story"} | readers("layer_bypass"),
    ),
    "a column of scores": (
        "memloc/tables/schemas/scores.py",
        COLUMN,
        {"attention", "count_copies", "detect", "passages", "score_samples", "scores", "sets", "story"}
        | readers("scores"),
    ),
    "a word of patching": (
        "memloc/tables/terms/patching.py",
        EDITED,
        {"patching", "rank_heads"} | readers("patching"),
    ),
    "a docstring of the tables": ("memloc/tables/storage.py", '"""Write and read', set()),
    "a comment in the scores": ("memloc/scoring/paragraph_scores.py", "\n# A comment.\n", set()),
    "a figure": ("memloc/figures/fig2.py", EDITED, {"fig2"}),
    "growth, in a study without it": ("memloc/planting/growth.py", EDITED, set()),
    "an estimator of claims": ("memloc/claims/estimators/scores.py", EDITED, {"claims"}),
    "the attention": ("memloc/localization/attention.py", EDITED, {"attention"}),
    "patching": ("memloc/localization/patching.py", EDITED, {"patching"}),
    "the ablation": ("memloc/localization/ablation.py", EDITED, {"ablate_heads", "edited_model", "remove"}),
    "a localization method, in a study that asks none": (
        "memloc/settings/methods.py",
        '\n\nMETHODS["mine"] = Method(HEADS)\n',
        set(),
    ),
    "a family of models": (
        "memloc/model/families.py",
        '\n\nFAMILIES["another"] = _LLAMA._replace(title="Another")\n',
        ANALYSES,
    ),
    "a script": ("scripts/rank_heads.py", EDITED, {"rank_heads"}),
}


@pytest.fixture(scope="module")
def before(own_clone):
    return [rule for rule in Rules.of(own_clone.folder, STUDY).jobs if rule["code"]]


@pytest.fixture
def edited(own_clone, before, monkeypatch):
    """Rules whose hash an edit of files changes; the files are as they were afterwards."""
    monkeypatch.setattr(tracking, "PACKAGE", own_clone.folder / "workflow/memloc")

    def changed():
        codes = {rule["name"]: tracking.code_hash(*map(Path, rule["hashed"])) for rule in before}
        return {rule["name"] for rule in before if rule["code"] != codes[rule["name"]]}

    def edit(text, *files):
        old = {path: path.read_text() for path in (own_clone.folder / "workflow" / file for file in files)}
        for path, code in old.items():
            path.write_text(
                code + text if text.startswith("\n") else code.replace(text, f"{text} and check", 1)
            )
            assert path.read_text() != code
        found = changed()
        for path, code in old.items():
            path.write_text(code)
        return found

    return edit


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_changes_the_code_of_exactly_these_rules(edited, edit):
    file, text, expected = EDITS[edit]
    assert edited(text, file) == expected


# What an edit runs again, in a copy of the finished study.


def with_all_below(rules, names):
    """The rules and all that follow from them, as far as target `all` needs them (no `edited_model`)."""
    return (names | {below for name in names for below in rules.below(name)}) & rules.needs["all"]


# Lines at the end of files, and what runs again: comments and the version, a figure, a caption, the explorer.
COMMENTS = dict.fromkeys(("memloc/tables/storage.py", "memloc/figures/fig2.py"), "# edited")
LINES = (
    (COMMENTS | {"memloc/__init__.py": '__version__ = "99"'}, {}),
    ({"memloc/figures/fig2.py": "EDITED = True"}, {"fig2": 1, "figures_page": 1}),
    ({"report/fig8.rst": "More."}, {"fig8": 1, "figures_page": 1}),
    ({"memloc/explorer/page/index.html.jinja": "More."}, {"explorer": 1}),
)


def test_a_line_draws_its_figure_again_and_comments_nothing(editable):
    for lines, expected in LINES:
        before = {path: path.read_text() for path in (editable.folder / "workflow" / file for file in lines)}
        times = {path: path.stat().st_mtime_ns for path in before}
        for (path, text), line in zip(before.items(), lines.values(), strict=True):
            path.write_text(f"{text}{line}\n")
        assert editable.jobs() == expected
        for path, text in before.items():
            path.write_text(text)
            os.utime(path, ns=2 * (times[path],))


def test_the_preview_of_a_figure_runs_nothing_else(clone, tmp_path):
    """Nobody knows how these tables were made: without the option, the model would be trained again."""
    project = Project(shutil.copytree(clone.folder, tmp_path / "project", symlinks=True))
    shutil.copytree(STORED, project.folder / "results/stored")
    config = str(STORED.parent / "study.yaml")
    assert {"train_model", "scores", "fig2"} <= set(project.jobs("fig2", config=config))
    assert project.jobs("fig2", "--allowed-rules", "fig2", config=config) == {"fig2": 1}


def test_changing_a_claim_judges_again_and_draws_no_figure(editable):
    registry_file = "workflow/memloc/claims/registry.yaml"
    text = (editable.folder / registry_file).read_text()
    statement = next(iter(registry.topics()["editing"].claims)).statement
    begin = " ".join(statement.split()[:5])  # the file wraps longer ones
    assert text.count(begin) == 1
    editable.edit(registry_file, begin, f"Changed, {begin}")
    assert set(editable.jobs()) == {"claims", "explorer", "story", "figures_page"}


def test_changing_a_setting_runs_its_rules_again_and_what_follows(editable, test_rules):
    edit = editable.folder / "config/test.yaml"
    edit.write_text(edit.read_text() + "\npositions: {draws: 1}\n")
    expected = with_all_below(test_rules, {"score_samples", "run_config"})
    assert set(editable.jobs()) == expected
    assert "scores" not in expected and "train_model" not in expected
