"""First and last lines of a run."""

import pytest

from memloc.run.console import end_of, first_lines, last_lines, sized, spoken, unknown_target


@pytest.mark.parametrize(
    ("seconds", "said"), [(4.4, "4 s"), (59.4, "59 s"), (60, "1.0 min"), (7200, "2.0 h")]
)
def test_times_are_said_as_a_person_would(seconds, said):
    assert spoken(seconds) == said


@pytest.mark.parametrize(
    ("n_bytes", "said"),
    [(0, "0 bytes"), (999, "999 bytes"), (4_270_592, "4.3 MB"), (1500, "1.5 kB"), (11e9, "11.0 GB")],
)
def test_sizes_are_said_as_a_person_would(n_bytes, said):
    assert sized(n_bytes) == said


def test_an_unknown_target_names_the_nearest():
    assert unknown_target("fig77", ["sets", "fig7"]) == "fig77: no such target; did you mean fig7?"
    assert unknown_target("zzz", ["sets"]).endswith("`snakemake --list-rules` names all")


def test_the_first_lines_say_what_will_happen_and_where_to_look(tmp_path):
    first, second = first_lines("mini", 91, 660, 0, tmp_path).splitlines()
    assert first == "Study mini: 91 rules to run, about 11.0 min."
    assert str(tmp_path) in second
    scan = first_lines("own", 2, 30, 200, tmp_path).splitlines()[0]
    assert scan.endswith("about 30 s, and up to 3.3 min more if the model recites much of the text.")
    unknown = first_lines("mini", 1, None, 0, tmp_path).splitlines()[0]
    assert unknown == "Study mini: 1 rule to run.", "a time that nobody knows is not said"


def test_the_last_lines_name_what_is_there(tmp_path):
    assert last_lines("mini", tmp_path) == ""
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures/recited.rst").write_text("It recites this.\nStudy mini.\n")
    assert last_lines("mini", tmp_path).splitlines()[1] == "  It recites this."
    (tmp_path / "figures/recited.rst").unlink()
    assert last_lines("mini", tmp_path).splitlines() == [
        "Study mini",
        f"  Figures, files: {tmp_path}/figures",
    ]
    (tmp_path / "explorer").mkdir()
    (tmp_path / "explorer/index.html").touch()
    (tmp_path / "figures.html").touch()
    (tmp_path / "bundle.zip").touch()
    (tmp_path / "headline.txt").write_text("2 of 9.\n1 holds.\n")
    lines = last_lines("mini", tmp_path).splitlines()
    assert lines[1:3] == ["  2 of 9.", "  1 holds."]
    assert lines[3] == f"  Explorer: {tmp_path}/explorer/index.html"
    assert lines[4] == f"  Figures, one page: {tmp_path}/figures.html"
    assert lines[-1] == f"  Bundle: {tmp_path}/bundle.zip"


TRACEBACK = "Traceback (most recent call last):\n  File\nKeyError: 'a'\n"


@pytest.mark.parametrize(
    ("log", "said"),
    [
        ("[1] rule job\n[2] 3 of 4 steps\n" + TRACEBACK, "KeyError: 'a'"),
        (TRACEBACK + "[2] ERROR: do that\n", "[2] ERROR: do that"),
        ("[1] 3 of 4\n[2] ERROR: ended from outside\n", "[2] ERROR: ended from outside"),
    ],
)
def test_the_end_of_a_log_that_says_why_a_job_failed_is_its_last_line(tmp_path, log, said):
    (tmp_path / "job.log").write_text(log)
    assert end_of(tmp_path / "job.log") == said


@pytest.mark.parametrize(
    ("log", "last"), [("[1] rule job\n[2] 3 of 4\n", "[2] 3 of 4"), ("", "nothing"), (None, "nothing")]
)
def test_a_job_without_an_error_in_its_log_was_killed(tmp_path, log, last):
    if log is not None:
        (tmp_path / "job.log").write_text(log)
    said = end_of(tmp_path / "job.log")
    assert said.startswith("killed") and said.endswith(f"ends with: {last}") and "\n" not in said
