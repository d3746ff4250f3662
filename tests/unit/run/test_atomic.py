"""A written file or folder is complete or absent, and an old one survives a failed write."""

import os
from pathlib import Path

import pytest

from memloc.run.atomic import atomic_folder, atomic_path


def listing(folder):
    return sorted(path.name for path in folder.iterdir())


def test_file_appears_only_at_the_end_and_keeps_its_suffix(tmp_path):
    final = tmp_path / "made" / "scores.parquet"
    with atomic_path(final) as temporary:
        temporary.write_text("new")
        assert temporary.parent == final.parent and temporary.suffix == ".parquet"
        assert not final.exists()
    assert final.read_text() == "new"
    assert listing(final.parent) == ["scores.parquet"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_error_leaves_the_old_file_or_folder_and_nothing_else(tmp_path, error):
    file, content = tmp_path / "scores.csv", tmp_path / "model/config.json"
    content.parent.mkdir()
    for written, atomic, name in ((file, atomic_path, ""), (content, atomic_folder, "config.json")):
        written.write_text("old")
        with pytest.raises(error), atomic(tmp_path / written.relative_to(tmp_path).parts[0]) as temporary:
            (temporary / name).write_text("half")
            raise error
        assert written.read_text() == "old"
    assert listing(tmp_path) == ["model", "scores.csv"] and listing(content.parent) == ["config.json"]


def test_file_that_was_never_written_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "scores.csv"):
        pass
    assert listing(tmp_path) == []


def test_file_has_the_permissions_of_any_other_new_file(tmp_path):
    (tmp_path / "plain").touch()
    with atomic_path(tmp_path / "atomic") as temporary:
        temporary.touch()
    assert (tmp_path / "atomic").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_folder_replaces_the_old_one_as_a_whole(tmp_path):
    final = tmp_path / "new" / "model"
    with atomic_folder(final):  # folders above are made
        pass
    (final / "stale.json").write_text("old")
    with atomic_folder(final) as temporary:
        (temporary / "sub").mkdir()
        (temporary / "sub" / "config.json").write_text("new")
        assert (final / "stale.json").exists()
    assert listing(final) == ["sub"]
    assert (final / "sub" / "config.json").read_text() == "new"
    assert listing(final.parent) == ["model"]


def record(monkeypatch):
    """Calls of fsync and replace in order, with the names of what they were called on."""
    calls, fsync, replace = [], os.fsync, os.replace

    def noting_fsync(descriptor):
        calls.append(("flush", Path(f"/proc/self/fd/{descriptor}").readlink().name))
        fsync(descriptor)

    def noting_replace(source, target):
        calls.append(("rename", target.name))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", noting_fsync)
    monkeypatch.setattr(os, "replace", noting_replace)
    return calls


def test_a_power_cut_finds_the_old_file_or_the_new_one(tmp_path, monkeypatch):
    """The content reaches the disk before the name does, and the name before the writer goes on."""
    calls = record(monkeypatch)
    with atomic_path(tmp_path / "scores.csv") as temporary:
        temporary.write_text("new")
    assert calls == [("flush", temporary.name), ("rename", "scores.csv"), ("flush", tmp_path.name)]


def test_a_power_cut_finds_the_old_folder_or_the_whole_new_one(tmp_path, monkeypatch):
    calls = record(monkeypatch)
    with atomic_folder(tmp_path / "model") as temporary:
        (temporary / "sub").mkdir()
        (temporary / "sub" / "config.json").write_text("new")
    first, last = calls[:3], calls[3:]
    assert set(first) == {("flush", name) for name in ("sub", "config.json", temporary.name)}
    assert last == [("rename", "model"), ("flush", tmp_path.name)]
