"""Who may ask: under which name, from which page, with which key.

Without a key only this machine is served, under its own names, so that no page can reach it through a name of its own;
pages of other origins may not post. With a key, everything but ``/health`` and ``/manifest`` wants it.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from kilowhat.plugin.http.errors import Refusal, refuse

LOOPBACK_ORIGIN = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?"
_USUAL = frozenset({b"localhost", b"127.0.0.1", b"[::1]"})


def is_loopback(host: str | None) -> bool:
    """Return whether a host name or address is this machine's own."""
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False


class Guard:
    """ASGI middleware that checks host, origin and key before anything else is read.

    Args:
        app: What is guarded.
        key: The bearer key, or None.
        hosts: Names beside this machine's own under which the server answers; with a key and no names, under any.
        origins: Pages beside this machine's own that may post, such as ``https://chat.example.org``.
    """

    def __init__(self, app: ASGIApp, key: str | None, hosts: Sequence[str] = (), origins: Sequence[str] = ()) -> None:
        self.app = app
        self._key = key.encode() if key else None
        self._hosts = frozenset(host.lower() for host in hosts)
        self._any_host = bool(key) and not hosts
        self._origins = frozenset(origin.lower().rstrip("/") for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        problem = self._problem(scope) if scope["type"] == "http" else None
        if problem is None:
            await self.app(scope, receive, send)
        else:
            headers = {"WWW-Authenticate": "Bearer"} if problem.code == "unauthorized" else None
            await refuse(problem, headers=headers, path=scope["path"])(scope, receive, send)

    def _problem(self, scope: Scope) -> Refusal | None:
        hosts: list[bytes] = []
        origin = authorization = b""
        for name, value in scope["headers"]:
            if name == b"host":
                hosts.append(value)
            elif name == b"origin":
                origin = value
            elif name == b"authorization":
                authorization = value
        if not self._any_host and not (len(hosts) == 1 and self._answers_to(hosts[0])):
            return Refusal("forbidden_host", "This server answers under the names of this machine alone, localhost, 127.0.0.1 or [::1], and those that it was started with.")
        if origin and scope["method"] not in ("GET", "HEAD", "OPTIONS") and not self._may_post(origin.decode("latin-1")):
            return Refusal("forbidden_origin", "Pages of another origin may not post here; the server can be started with the origins that may.")
        if self._key is not None and not _is_public(scope["path"]) and not _holds(authorization, self._key):
            return Refusal("unauthorized", "This server wants its key: send the header 'Authorization: Bearer' and the key.")
        return None

    def _answers_to(self, host: bytes) -> bool:
        name, _, port = host.rpartition(b":")
        if host in _USUAL or (name in _USUAL and port.isdigit()):
            return True
        told = _hostname(f"//{host.decode('latin-1')}")
        return is_loopback(told) or told in self._hosts

    def _may_post(self, origin: str) -> bool:
        return origin.lower() in self._origins or (origin.startswith(("http://", "https://")) and is_loopback(_hostname(origin)))


def _hostname(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _is_public(path: str) -> bool:
    return path in ("/health", "/manifest") or path.startswith("/manifest/")


def _holds(authorization: bytes, key: bytes) -> bool:
    scheme, _, told = authorization.partition(b" ")
    return scheme.lower() == b"bearer" and hmac.compare_digest(told.strip(), key)
