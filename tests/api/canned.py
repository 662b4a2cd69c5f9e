"""A server that sends exactly the given bytes."""

from __future__ import annotations

import socketserver


class Canned(socketserver.ThreadingTCPServer):
    """Answers each request on each connection with the next of `answers`, and then with the last one."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Canned)
        self.answers: list[bytes] = []
        self.requests: list[bytes] = []
        self.connected = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Canned(socketserver.StreamRequestHandler):
    server: Canned

    def handle(self) -> None:
        self.server.connected += 1
        while True:
            request = b""
            while not request.endswith(b"\r\n\r\n"):
                line = self.rfile.readline()
                if not line:
                    return
                request += line
            self.server.requests.append(request)
            answer = self.server.answers.pop(0) if len(self.server.answers) > 1 else self.server.answers[0]
            self.wfile.write(answer)
            if b"Connection: close" in answer:
                return


def http(body: bytes, *headers: str, length: int | None = None, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", *headers]
    if length is None or length >= 0:
        lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join([*lines, "", ""]).encode() + body
