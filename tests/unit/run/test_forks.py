"""A fork runs a script as Snakemake's Python does, and nothing of a server is left."""

import json
import os
import signal
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from snakemake.script import PythonScript
from snakemake.shell import shell

from memloc.run import forks, gpu_locks, rule

LIBRARY, LIBRARIES = Path(forks.__file__).parents[2], forks.LIBRARIES
SEEN = """
import json, os, signal, sys
signals = {number: str(signal.getsignal(number)) for number in signal.valid_signals()}
seen = [__name__, __file__, sys.argv, sys.path, os.getcwd(), signals, dict(os.environ)]
with open(sys.argv[0] + ".json", "w") as file:
    json.dump(seen, file)
"""


@pytest.fixture(autouse=True)
def small(monkeypatch, tmp_path):
    """Servers that have little to import, for scripts in a folder of their own."""
    monkeypatch.setattr(forks, "LIBRARIES", ("decimal",))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(LIBRARY)]))
    # A shell starts what runs in its background without Ctrl-C, which children inherit.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def serving(*needs):
    return closing(forks.Server(*needs))


def written(tmp_path, code):
    (tmp_path / "script.py").write_text(code)
    return str(tmp_path / "script.py")


def status(server, file):
    with (job := server.start(file)):
        return job.wait()


def test_a_script_sees_what_it_sees_without_a_server(tmp_path):
    file, seen = written(tmp_path, SEEN), []
    with serving(2, "/tmp", False) as server:
        assert status(server, file) == 0
    seen.append(json.loads(Path(f"{file}.json").read_text()))
    shell("{sys.executable} {file}", threads=2, resources={"tmpdir": "/tmp"})
    seen.append(json.loads(Path(f"{file}.json").read_text()))
    of_bash = ("SHLVL", "_", "PWD", "OLDPWD")  # it sets PWD right where a caller did not
    environments = [{k: v for k, v in each.pop().items() if k not in of_bash} for each in seen]
    assert environments[0] == environments[1] | rule.ENVIRONMENT and seen[0] == seen[1]


def test_a_job_ends_in_its_own_way_and_the_server_goes_on(tmp_path):
    ways = {
        "raise SystemExit(3)": 3,
        "raise ValueError": 1,
        "import os; os.kill(os.getpid(), 9)": -9,
        "import os; os.kill(os.getpid(), 2)": -2,
        "import os; os.kill(os.getppid(), 9)": -9,
        "import sys; assert 'decimal' in sys.modules and 'memloc.run.rule' not in sys.modules": 0,
    }
    with serving(1, None, False) as server:
        assert status(server, written(tmp_path, "")) == 0
        os.kill(server.process.pid, signal.SIGINT)
        for code, expected in ways.items():
            assert status(server, written(tmp_path, code)) == expected, code


def test_a_keeper_may_die_before_its_job_runs(tmp_path, monkeypatch):
    """The server then still has a job to name, instead of waiting for its own end."""
    (tmp_path / "broken_fork.py").write_text(
        "import os\nfork = os.fork\n"
        "def forked():\n    child = fork()\n    if child and os.getppid() != TOP: os.kill(os.getpid(), 9)\n"
        "    return child\n"
        "TOP = os.getppid()\nos.fork = forked\n"
    )
    monkeypatch.setattr(forks, "LIBRARIES", ("broken_fork",))
    with serving(1, None, False) as server:
        assert status(server, written(tmp_path, "")) == -9


def test_no_thread_of_a_library_is_there_when_a_server_forks(tmp_path, monkeypatch):
    """Python 3.12 would warn of it on the console. OpenBLAS ends its own."""
    monkeypatch.setattr(forks, "LIBRARIES", LIBRARIES)
    with serving(2, None, True) as server:
        assert status(server, written(tmp_path, "import torch; assert torch.get_num_threads() == 2")) == 0
        tasks = Path(f"/proc/{server.process.pid}/task")
        assert any(len([*tasks.iterdir()]) == 1 for _ in range(10_000))  # an ended one stays for a moment


def test_a_killed_snakemake_leaves_its_job_and_no_server(tmp_path):
    os.mkfifo(tmp_path / "gate")
    file = written(tmp_path, "open('gate').read(); open('done', 'w')")
    code = "import os; from memloc.run import forks; forks.LIBRARIES = ()\n"
    code += f"server = forks.Server(1, None, False); server.start({file!r}); os.kill(os.getpid(), 9)"
    process = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE)
    assert process.wait() == -9
    (tmp_path / "gate").write_text("")
    assert process.stdout.read() == b""  # until the last process that could write has ended
    assert (tmp_path / "done").exists()


def test_jobs_of_a_server_that_cannot_import_are_snakemakes_but_not_after_a_signal(tmp_path, monkeypatch):
    monkeypatch.setattr(forks, "LIBRARIES", ("odd",))
    (tmp_path / "odd.py").write_text("raise ImportError")
    with serving(1, None, False) as server:
        assert server.start("script.py") is None
    (tmp_path / "odd.py").write_text("import os; os.kill(os.getpid(), 2)")
    with serving(1, None, False) as server, pytest.raises(subprocess.CalledProcessError, match="SIGINT"):
        server.start("script.py")


ORDINARY = {"conda_env": None, "container_img": None, "env_modules": None, "shadow_dir": None}
JOB = {"threads": 1, "resources": {}}


def test_snakemake_measures_the_fork_and_gets_its_status(tmp_path, monkeypatch):
    @contextmanager
    def benchmarked(process, record):
        state = Path(f"/proc/{process}/stat")
        while ") Z" not in state.read_text():  # it can be measured although it has ended
            pass
        record.append(process)
        yield

    plain, measured = [], []
    monkeypatch.setattr("snakemake.benchmark.benchmarked", benchmarked)
    monkeypatch.setattr(forks, "OF_MODELS", ("fractions",))
    monkeypatch.setattr(PythonScript, "execute_script", lambda *given: plain.append(given))
    code = "import os, sys; sys.exit('fractions' in sys.modules and os.getpid() % 256 or 3)  # memloc.model"
    file = written(tmp_path, code)
    forks.serve(forks.MANY * [(1, None, file)])
    with pytest.raises(subprocess.CalledProcessError) as raised:
        PythonScript.execute_script(SimpleNamespace(**ORDINARY, **JOB, bench_record=measured), file)
    assert [process % 256 or 3 for process in measured] == [raised.value.returncode] and not plain
    PythonScript.execute_script(SimpleNamespace(**ORDINARY | {"shadow_dir": "there"}), file)
    assert len(plain) == 1 and len(measured) == 1


def test_all_servers_start_with_the_first_script(monkeypatch, tmp_path):
    started = []

    class Server:
        def __init__(self, *needs):
            started.append(needs)

        def start(self, file):
            return None

    monkeypatch.setattr(forks, "Server", Server)
    monkeypatch.setattr(PythonScript, "execute_script", lambda *given: None)
    plain, of_models = str(tmp_path / "plain.py"), written(tmp_path, "from memloc.model import loading")
    Path(plain).touch()
    forks.serve([*forks.MANY * [(1, None, plain)], (2, None, of_models), (2, None, plain)])
    assert not started
    for _ in range(2):
        PythonScript.execute_script(SimpleNamespace(**ORDINARY, **JOB), of_models)
    assert started == [(1, None, True), (1, None, False), (2, None, True), (2, None, False)]


@pytest.mark.parametrize(("n_jobs", "gpus"), [(forks.MANY - 1, []), (forks.MANY, ["0"])])
def test_few_jobs_and_gpus_are_left_to_snakemake(monkeypatch, n_jobs, gpus):
    monkeypatch.setattr(gpu_locks, "visible_gpus", lambda: gpus)
    monkeypatch.setattr(PythonScript, "execute_script", before := object())
    forks.serve(n_jobs * [(1, None, __file__)])
    assert PythonScript.execute_script is before
