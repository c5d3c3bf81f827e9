"""Settings that all tests share, and a server to try from outside."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("kilowhat", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("kilowhat")


@contextmanager
def _serving(app: Any) -> Iterator[str]:
    import uvicorn

    from kilowhat.plugin.http.server import configuration

    started = threading.Event()

    class Server(uvicorn.Server):
        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets)
            started.set()

    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:  # asyncio sends without delay where it sees TCP
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        server = Server(configuration(app, log_config=None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            assert started.wait(20)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(20)


@pytest.fixture(scope="session")
def serving() -> Callable[[Any], AbstractContextManager[str]]:
    """Serve an app on a free port of this machine as ``kilowhat serve`` does, for as long as a ``with`` block runs; gives its address."""
    return _serving
