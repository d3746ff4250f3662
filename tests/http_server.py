"""A real web server on this machine that serves files from memory and misbehaves on demand."""

import hashlib
import json
import re
import ssl
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType


@dataclass
class FileServer:
    """Serves `files` (path -> content) while entered; records requests."""

    files: dict[str, bytes] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)  # path -> address
    headers: dict[str, dict[str, str]] = field(default_factory=dict)  # path -> more headers of its answers
    drops: int = 0  # so many answers of 1,000 bytes or more break off after half of it
    errors: list[int] = field(default_factory=list)  # statuses of the next answers
    tls: ssl.SSLContext | None = None
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)  # path, headers

    @property
    def url(self) -> str:
        """Address of the server."""
        return f"{'https' if self.tls else 'http'}://localhost:{self._server.server_port}"

    def publish(self, model: str, files: dict[str, bytes], revision: str) -> str:
        """Serve a model at a commit or a branch as the hub does; returns the commit."""
        named = re.fullmatch(r"[0-9a-f]{40}", revision)
        commit = revision if named else hashlib.sha1(f"{model}@{revision}".encode()).hexdigest()
        listed = {"id": model, "sha": commit, "siblings": [{"rfilename": name} for name in files]}
        sizes = {name: len(content) for name, content in files.items()}
        tree = [{"type": "file", "path": name, "size": n, "oid": "0" * 40} for name, n in sizes.items()]
        self.files[f"/api/models/{model}/revision/{revision}"] = json.dumps(listed).encode()
        self.files[f"/api/models/{model}/tree/{commit}"] = json.dumps(tree).encode()
        for name, content in files.items():
            place = f"/{model}/resolve/{commit}/{name}"
            self.files[place] = content
            tag = hashlib.sha256(content).hexdigest()
            self.headers[place] = {"ETag": f'"{tag}"', "X-Repo-Commit": commit}
        return commit

    def __enter__(self) -> "FileServer":
        handler = type("Handler", (_Handler,), {"files": self})
        self._server = ThreadingHTTPServer(("localhost", 0), handler)
        if self.tls:
            self._server.socket = self.tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    files: FileServer

    def do_GET(self) -> None:
        server = self.files
        server.requests.append((self.path, dict(self.headers)))
        if server.errors:
            self.send_error(server.errors.pop(0))
        elif self.path in server.redirects:
            self._head(302, 0, {"Location": server.redirects[self.path]})
        elif self._place() not in server.files:
            self.send_error(404)
        else:
            self._content(server.files[self._place()])

    def do_HEAD(self) -> None:
        found = self.files.files.get(self._place())
        self._head(404 if found is None else 200, len(found or b""), {})

    def _place(self) -> str:
        """What is asked for, without the hub's options of a list of files."""
        return self.path.partition("?")[0] if self.path.startswith("/api/") else self.path

    def _content(self, content: bytes) -> None:
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if wanted:
            first, last = int(wanted[1]), min(int(wanted[2] or len(content) - 1), len(content) - 1)
            self._head(206, last + 1 - first, {"Content-Range": f"bytes {first}-{last}/{len(content)}"})
            body = content[first : last + 1]
        else:
            self._head(200, len(content), {})
            body = content
        if self.files.drops and len(body) >= 1000:
            self.files.drops -= 1
            body = body[: len(body) // 2]
        self.wfile.write(body)

    def _head(self, status: int, length: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        more = self.files.headers.get(self.path, {})
        for name, value in {"Content-Length": str(length), **headers, **more}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        pass
