"""Questions over HTTP as they come about: server-sent events, and what happens when nobody reads on."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import httpx2
import pytest

from kilowhat.plugin import ask
from kilowhat.plugin.http import create_app
from kilowhat.plugin.http.questions import events
from kilowhat.plugin.http.running import Runner
from kilowhat.plugin.reply import Reply, ToolCall
from kilowhat.tools import KilowhatError
from kilowhat.tools.core.errors import MissingInput

QUESTION = "How much energy do 1000 image generations use?"


@pytest.fixture(scope="module")
def client(serving: Callable[[Any], AbstractContextManager[str]]) -> Iterator[httpx2.Client]:
    with serving(create_app()) as url, httpx2.Client(base_url=url, timeout=20) as client:
        yield client


def read(stream: str) -> list[tuple[str, Any]]:
    """Return the events of a stream by the rules of the format."""
    found = []
    for block in stream.strip().split("\n\n"):
        fields = [line.partition(": ")[::2] for line in block.split("\n")]
        assert [name for name, _ in fields] == ["event", "data"]
        found.append((fields[0][1], json.loads(fields[1][1])))
    return found


@pytest.mark.parametrize(
    "told",
    [
        {"question": QUESTION},
        {"question": QUESTION, "region": "FR"},
        {"question": "生成1000张图片要用多少电？"},
        {"question": "What is the capital of Peru?"},
        {"messages": [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": "About 2.9 kWh."}, {"role": "user", "content": "And in France?"}]},
    ],
)
def test_a_streamed_answer_is_the_plain_one_in_pieces(client: httpx2.Client, told: dict[str, Any]) -> None:
    answer = client.post("/ask", json={**told, "stream": True})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert answer.headers["cache-control"] == "no-cache"
    found = read(answer.text)
    reply = client.post("/ask", json=told).json()
    assert reply == ask(told.get("question") or told["messages"], region=told.get("region")).model_dump(mode="json")
    assert found[-1] == ("reply", reply)
    assert [data for name, data in found if name == "tool"] == reply["tool_calls"]
    assert "".join(data["text"] for name, data in found if name == "text") == reply["text"]
    assert [name for name, _ in found] == sorted((name for name, _ in found), key=("tool", "text", "reply").index)


@pytest.mark.parametrize(
    ("told", "status", "code"),
    [({"stream": True}, 422, "missing_input"), ({"question": QUESTION, "stream": "yes"}, 422, "invalid_arguments"), ({"question": 3, "stream": True}, 422, "invalid_arguments")],
)
def test_what_is_no_question_is_refused_before_a_stream_begins(client: httpx2.Client, told: dict[str, Any], status: int, code: str) -> None:
    answer = client.post("/ask", json=told)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


async def test_when_nobody_reads_on_the_steps_of_an_answer_end() -> None:
    taken, ended = 0, False

    async def steps() -> AsyncIterator[str]:
        nonlocal taken, ended
        try:
            while True:
                taken += 1
                yield "word "
        finally:
            ended = True

    stream = events(steps())
    assert [await anext(stream) for _ in range(3)] == ['event: text\ndata: {"text": "word "}\n\n'] * 3
    await stream.aclose()  # type: ignore[attr-defined]
    assert (taken, ended) == (3, True)


@pytest.mark.parametrize(("error", "code"), [(MissingInput("Tell more."), "missing_input"), (ZeroDivisionError("Rumpelstiltskin"), "internal_error")])
async def test_a_fault_in_the_middle_is_told_as_an_event(error: Exception, code: str) -> None:
    async def steps() -> AsyncIterator[ToolCall | str | Reply]:
        yield "word"
        raise error

    told = [piece async for piece in events(steps())]
    assert [name for name, _ in read("".join(told))] == ["text", "error"]
    assert json.loads(told[-1].partition("data: ")[2])["error"]["code"] == code
    assert "Rumpelstiltskin" not in told[-1]
    if isinstance(error, KilowhatError):
        assert json.loads(told[-1].partition("data: ")[2]) == error.as_dict()


def burn() -> int:
    """Take a few milliseconds of the processor, and tell the thread."""
    start = time.thread_time()
    while time.thread_time() - start < 0.005:
        pass
    return threading.get_ident()


async def test_short_work_runs_where_it_stands_and_long_work_in_a_thread() -> None:
    runner, here = Runner(), threading.get_ident()
    assert await runner.run("new", threading.get_ident) != here
    assert [await runner.run("new", threading.get_ident) for _ in range(3)] == [here] * 3
    assert here not in [await runner.run("long", burn) for _ in range(3)]
    found = [await runner.run("new", burn) for _ in range(4)]
    assert (found[0], found[-1] == here) == (here, False)
    runner.close()


async def test_what_work_raises_is_raised() -> None:
    runner = Runner()
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            await runner.run("division", lambda: 1 // 0)
    runner.close()
