"""``kilowhat serve`` as one starts it: its options, its refusals, several workers."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import httpx2
import pytest

from kilowhat.plugin.cli import main
from kilowhat.plugin.http.server import listening

CALL = {"task": "image-generation", "count": 1000}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def served(*options: str, workers: int = 1) -> Iterator[tuple[str, list[str]]]:
    """Run the command until its workers say that they have started; give its address and the lines it prints."""
    port = free_port()
    command = [sys.executable, "-m", "kilowhat.plugin.cli", "serve", "--port", str(port), "--workers", str(workers), *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}) as process:
        assert process.stderr is not None
        lines: list[str] = []
        started = threading.Semaphore(0)

        def read(stream: IO[str]) -> None:
            for line in stream:
                lines.append(line)
                if "startup complete" in line:
                    started.release()

        reader = threading.Thread(target=read, args=(process.stderr,))
        reader.start()
        try:
            for _ in range(workers):
                assert started.acquire(timeout=60), lines
            yield f"http://127.0.0.1:{port}", lines
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)
            reader.join(30)


def test_the_command_serves_what_it_was_told_to() -> None:
    with served("--key", "open sesame", "--only", "estimate_task", "compare", "--allow-host", "box.lan", "--allow-origin", "https://chat.example.org") as (url, lines):
        headers = {"authorization": "Bearer open sesame", "host": "box.lan", "origin": "https://chat.example.org"}
        answer = httpx2.post(f"{url}/tools/estimate_task", json=CALL, headers=headers)
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "https://chat.example.org")
        assert "server" not in answer.headers
        assert list(httpx2.get(f"{url}/tools/openapi.json", headers=headers).json()["paths"]) == ["/estimate_task", "/compare"]
        assert httpx2.get(f"{url}/health", headers={"host": "evil.example"}).status_code == 400
        assert httpx2.post(f"{url}/tools/estimate_task", json=CALL).status_code == 401
    assert "open sesame" not in "".join(lines)
    assert "image-generation" not in "".join(lines)
    assert f"Kilowhat answers at {url} (Ctrl-C ends it)" in "".join(lines)


def test_several_workers_serve_and_share_nothing() -> None:
    with served(workers=2) as (url, lines):
        answers = [httpx2.post(f"{url}/tools/estimate_task", json=CALL) for _ in range(20)]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert len({line for line in lines if "Started server process" in line}) == 2


@pytest.mark.parametrize(
    ("options", "words"),
    [(["--host", "0.0.0.0"], "give a key"), (["--host", "::"], "give a key"), (["--only", "estimate_tsk"], "There is no tool 'estimate_tsk'")],
)
def test_what_would_be_wrong_to_serve_is_refused_before_anything_listens(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, options: list[str], words: str) -> None:
    monkeypatch.delenv("KILOWHAT_KEY", raising=False)
    assert main(["serve", *options]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_port_in_use_is_one_line(capsys: pytest.CaptureFixture[str], host: str, workers: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = str(busy.getsockname()[1])
        assert main(["serve", "--host", host, "--port", port, "--workers", workers]) == 1
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", f"failed: nothing can listen at {host}:{port}: address already in use. Another program does; end it, or choose another --port.\n")


def test_an_address_that_is_not_of_this_machine_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--host", "192.0.2.1", "--key", "open sesame"]) == 1
    assert capsys.readouterr().err == "failed: nothing can listen at 192.0.2.1:8787: cannot assign requested address. Choose another --host.\n"


def test_a_name_with_several_addresses_is_served_at_all_of_them() -> None:
    port = free_port()
    sockets = listening("localhost", port)
    try:
        addresses = {address[4] for address in socket.getaddrinfo("localhost", port, type=socket.SOCK_STREAM)}
        assert {bound.getsockname() for bound in sockets} <= addresses
        assert ("127.0.0.1", port) in {bound.getsockname() for bound in sockets}
        assert {bound.proto for bound in sockets} == {socket.IPPROTO_TCP}
    finally:
        for bound in sockets:
            bound.close()


@pytest.mark.parametrize("options", [["--workers", "0"], ["--workers", "many"], ["--port", "0"], ["--port", "65536"]])
def test_a_number_that_can_not_be_is_refused(options: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["serve", *options])
    assert ended.value.code == 2
