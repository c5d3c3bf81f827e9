"""The server on a socket: where it listens, how patient it is, how many processes serve.

Workers share the listening socket and nothing else.
"""

from __future__ import annotations

import errno
import logging
import os
from asyncio import BaseTransport, TimerHandle, Transport
from collections.abc import Callable
from socket import AF_INET, AF_INET6, AI_PASSIVE, IPPROTO_IPV6, IPPROTO_TCP, IPV6_V6ONLY, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, TCP_NODELAY, gaierror, getaddrinfo, socket
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.supervisors import Multiprocess

from kilowhat.plugin.http.errors import Refusal, refuse
from kilowhat.plugin.http.guard import is_loopback
from kilowhat.tools.core.errors import InvalidArguments


class Patience(HttpToolsProtocol):
    """HTTP/1.1 that waits for a request only so long, from its first byte to its last, which uvicorn does for none.

    A connection that sends nothing is closed in silence; one that sends a request too slowly is told so, and so is one
    beyond the number that a process keeps open.
    """

    seconds = 15.0
    most = 512
    _waiting: TimerHandle | None = None

    def connection_made(self, transport: BaseTransport) -> None:
        """Begin to wait for the first request."""
        super().connection_made(cast(Transport, transport))
        if (connection := transport.get_extra_info("socket")) is not None and connection.family in (AF_INET, AF_INET6):
            connection.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)  # asyncio leaves it out for a socket that several workers share
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Begin to wait for the rest of a request."""
        super().on_message_begin()
        self._wait()

    def on_headers_complete(self) -> None:
        """Hand the request on, or to what refuses it where too many connections are open."""
        self.app = _full if len(self.connections) > self.most else self.config.loaded_app
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Wait no more: the request is here."""
        self._stop_waiting()
        super().on_message_complete()

    def _wait(self) -> None:
        self._stop_waiting()
        self._waiting = self.loop.call_later(self.seconds, self._give_up)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _give_up(self) -> None:
        self._waiting = None
        if self.transport.is_closing():
            return
        begun = self.headers is not None and (self.cycle is None or self.cycle.response_complete)
        if begun and not self._unread_answer():
            refused = refuse(Refusal("slow_request", f"The request did not come in within {self.seconds:g} seconds."), headers={"connection": "close"})
            head = b"".join(b"%s: %s\r\n" % pair for pair in refused.raw_headers)
            self.transport.write(b"HTTP/1.1 408 Request Timeout\r\n" + head + b"\r\n" + bytes(refused.body))
        self.transport.close()

    def _unread_answer(self) -> bool:
        """Return whether this request was answered already, while its body was still coming."""
        return self.cycle is not None and self.cycle.scope is self.scope


async def _full(scope: Scope, receive: Receive, send: Send) -> None:
    refused = Refusal("busy", "Too many connections are open; try again in a second.")
    await refuse(refused, headers={"Retry-After": "1", "Connection": "close"}, path=scope["path"])(scope, receive, send)


def serve(create: Callable[[], ASGIApp], *, host: str = "127.0.0.1", port: int = 8787, key: str | None = None, workers: int = 1) -> None:
    """Serve an app until interrupted.

    Args:
        create: What makes the app, in every worker anew; with several workers it must be picklable.
        host: The address to listen on.
        port: The port.
        key: The key that the app wants, without which only this machine can be served.
        workers: How many processes.

    Raises:
        InvalidArguments: where others could reach the server and no key keeps them out (``invalid_arguments``).
        OSError: where nothing can listen at that address, with what to do.
    """
    if not key and not is_loopback(host):
        raise InvalidArguments(f"{host[:60]!r} can be reached from other machines: give a key, or serve on 127.0.0.1.", field="key")
    app = create()
    sockets = listening(host, port)
    config = configuration(app) if workers == 1 else configuration(create, factory=True, workers=workers)
    logging.getLogger("uvicorn.error").info("Kilowhat answers at http://%s:%s (Ctrl-C ends it)", f"[{host}]" if ":" in host else host, port)
    if workers == 1:
        uvicorn.Server(config).run(sockets)
    else:
        Multiprocess(config, sockets=sockets).run()


def listening(host: str, port: int) -> list[socket]:
    """Return a socket for every address of a host, so that what can't be listened on is known before anything is started.

    Raises:
        OSError: where there is none, with what to do.
    """
    sockets: list[socket] = []
    try:
        for family, kind, protocol, _, address in dict.fromkeys(getaddrinfo(host, port, type=SOCK_STREAM, proto=IPPROTO_TCP, flags=AI_PASSIVE)):
            bound = socket(family, kind, protocol)
            sockets.append(bound)
            if os.name == "posix":  # elsewhere it would let two servers share the port
                bound.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
            if family == AF_INET6:
                bound.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, 1)
            try:
                bound.bind(address)
            except OSError as error:
                if error.errno != errno.EADDRNOTAVAIL or len(sockets) == 1:
                    raise
                sockets.pop().close()  # a name of this machine for which it has no address of that kind
            else:
                bound.set_inheritable(True)
    except OSError as error:
        for bound in sockets:
            bound.close()
        raise OSError(error.errno, f"nothing can listen at {host[:60]}:{port}: {(error.strerror or str(error)).lower()}.{_advice(error)}") from None
    return sockets


def _advice(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return " Another program does; end it, or choose another --port."
    if error.errno == errno.EACCES:
        return " Choose a --port from 1024 on."
    return " Choose another --host." if isinstance(error, gaierror) or error.errno == errno.EADDRNOTAVAIL else ""


def configuration(app: ASGIApp | Callable[[], ASGIApp], **settings: Any) -> uvicorn.Config:
    """Return how uvicorn serves an app of ours: quietly, without websockets, and with patience that ends."""
    return uvicorn.Config(
        app,
        http=Patience,
        ws="none",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=10,
        **settings,
    )
