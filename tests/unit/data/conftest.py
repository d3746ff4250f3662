"""A real server on this machine, and downloads from it that wait no time."""

import shutil
import ssl
import subprocess

import pytest

from http_server import FileServer
from memloc.data.download import RETRIES


@pytest.fixture
def small_chunks(monkeypatch):
    """Broken connections leave a part of the file, as they do with large files."""
    monkeypatch.setattr("memloc.data.download.CHUNK", 1000)


@pytest.fixture
def server():
    with FileServer() as running:
        yield running


@pytest.fixture
def waits(monkeypatch):
    """Waits of a download that is tried three times more: they take no time and are noted here."""
    waited = []
    monkeypatch.setattr("memloc.data.download.RETRIES", RETRIES.new(total=3))
    monkeypatch.setattr("time.sleep", waited.append)
    return waited


@pytest.fixture
def tls(tmp_path_factory, monkeypatch):
    """A certificate for localhost that this test trusts."""
    if not shutil.which("openssl"):
        pytest.skip("makes a certificate with the openssl program, which is not installed")
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", certificate]
    subprocess.run([*command.split(), *names], check=True, capture_output=True)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
