"""A full disk: the error says so, nothing that was complete is lost, and with some space the run goes on."""

import errno
import shutil
import subprocess

import pytest

MEGABYTES = 64


@pytest.fixture
def small_disk(editable, tmp_path):
    """The finished study with its results on a small file system of their own; may be filled."""
    results = editable.results
    kept = results.rename(tmp_path / "kept")
    results.mkdir()
    size = f"size={MEGABYTES}m"
    process = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", size, "tmpfs", results], capture_output=True, text=True
    )
    if process.returncode:
        pytest.skip(f"NO FULL DISK IS TESTED: a small one cannot be mounted here, {process.stderr.strip()}")
    shutil.copytree(kept, results, dirs_exist_ok=True)
    yield editable
    subprocess.run(["umount", results], check=True)


def fill(path):
    """Leave no byte on the file system of `path`."""
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError as error:
            assert error.errno == errno.ENOSPC


def test_a_full_disk_is_named_and_nothing_complete_is_lost(small_disk):
    folder = small_disk.results / "tables"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    (folder / "token_statistics.parquet").unlink()
    fill(small_disk.results / "filler")
    output = small_disk.snakemake("tables", "--cores", "1", status=1)
    assert "No space left on device" in output
    assert "the disk is full. Free some space and start again" in output
    left = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert left == {name: content for name, content in before.items() if name != "token_statistics.parquet"}
    (small_disk.results / "filler").unlink()
    small_disk.snakemake("tables", "--cores", "1")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
