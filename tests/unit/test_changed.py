"""`make quick` runs the tests of what changed and of what imports it."""

import subprocess

import pytest

import changed
from memloc.run import tracking

UNIT = changed.ROOT / "tests/unit"


@pytest.fixture(scope="module")
def chosen_for():
    library, tests = [*tracking.PACKAGE.rglob("*.py")], [*UNIT.rglob("*.py"), *UNIT.parent.glob("*.py")]

    def names(*files):
        found = changed.chosen({changed.ROOT / file for file in files}, library, tests)
        return {str(path).removeprefix(f"{UNIT}/") for path in found}

    return names


@pytest.mark.parametrize(
    ("file", "tests"),
    [
        ("workflow/memloc/scoring/positions.py", {"scoring/test_positions.py"}),  # imported by its test
        ("workflow/memloc/statistics/exact.py", {"statistics/test_exact.py"}),
        # Through scoring/positions.py.
        ("workflow/memloc/settings/positions.py", {"scoring/test_positions.py"}),
        # Found by its name.
        ("workflow/memloc/claims/estimators/editing.py", {"claims/test_editing_claims.py"}),
        ("tests/unit/made_claims.py", {"claims/test_editing_claims.py"}),
        ("tests/unit/claims/test_findings.py", {"claims/test_findings.py"}),
    ],
)
def test_tests_of_what_changed_and_of_what_imports_it(chosen_for, file, tests):
    found = chosen_for(file)
    assert tests <= found and "data/test_packing.py" not in found


@pytest.mark.parametrize("file", ["workflow/rules/analyses.smk", "workflow/Snakefile"])
def test_rules_that_changed_have_the_tests_of_plans(chosen_for, file):
    assert chosen_for(file) == {str(changed.ROOT / name) for name in changed.OF_RULES}
    assert all((changed.ROOT / name).exists() for name in changed.OF_RULES)


def test_new_and_changed_files_count_or_else_those_of_the_last_commit(tmp_path):
    def git(*words):
        subprocess.run(["git", "-c", "user.name=n", "-c", "user.email=e", *words], cwd=tmp_path, check=True)

    git("init", "--quiet")
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text("1")
        git("add", name)
        git("commit", "--quiet", "--message", name)
    assert changed.changed_files(tmp_path) == {tmp_path / "b.py"}
    (tmp_path / "a.py").write_text("2")
    (tmp_path / "c.py").write_text("3")
    assert changed.changed_files(tmp_path) == {tmp_path / "a.py", tmp_path / "c.py"}
