"""Only downloads use a network: the finished studies of these tests were computed without any."""

import subprocess
import sys

import pytest
from projects import without_network

from http_server import FileServer

FETCH = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode())"


@pytest.fixture
def prefix():
    if not without_network():
        pytest.skip("NO STUDY WAS RUN WITHOUT A NETWORK: network namespaces are not permitted here")
    return without_network()


def test_a_command_without_a_network_reaches_not_even_this_machine(prefix):
    with FileServer({"/file": b"content"}) as server:
        command = [sys.executable, "-c", FETCH, f"{server.url}/file"]
        assert subprocess.run(command, capture_output=True, text=True).stdout == "content\n"
        assert subprocess.run([*prefix, *command], capture_output=True).returncode != 0
