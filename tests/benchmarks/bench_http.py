"""Tool calls per second over HTTP, beside FastAPI routes that do less: ``python tests/benchmarks/bench_http.py``. It measures, and proves nothing.

Needs ``wrk`` (apt install wrk): a load generator in C that keeps connections open, writes each body anew from a script
and tells the distribution of latencies. One in Python would take more of the machine than what it measures.

Everything in one run, on loopback, with one worker each, in turns, so that load on the machine touches all alike.
Arguments differ from call to call. The bare routes return the bytes that the tool's answer has, ready-made:

    async   ``async def`` without parameters: the least that FastAPI does; it doesn't look at the body
    plain   ``def`` without parameters, as FastAPI's tutorial writes it, so that it runs in a thread
    typed   ``def`` with the tool's own arguments as body, validated, as a tool of one's own would be written

Two measures: calls per second, which on a machine that others use too says as much of them; and processor time of the
server for each call, which is the inverse of the calls per second that one worker on a processor of its own can answer.
The best of several rounds is told, for what else runs can only slow a round.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

CONNECTIONS = 16
BODIES = 4000
MEMORY_CALLS = 200_000
Call = Callable[[random.Random], dict[str, Any]]

PLACES = ["FR", "DE", "US", "NO", "JP", "California", "us-west-2", "Sweden"]
CALLS: dict[str, Call] = {
    "estimate_task": lambda r: {"task": r.choice(["image-generation", "text-generation", "summarization"]), "count": r.randint(1, 10**9), "region": r.choice(PLACES)},
    "estimate_llm": lambda r: {
        "model": r.choice(["gpt-4o", "llama 3.1 70b", "gpt-4o-mini"]),
        "requests": r.randint(1, 10**9),
        "input_tokens": r.uniform(1, 3000),
        "output_tokens": r.uniform(1, 3000),
        "region": r.choice(PLACES),
    },
    "estimate_fleet": lambda r: {"count": r.randint(1, 10**6), "power_w": r.uniform(100, 10_000), "hours": r.uniform(1, 8760), "region": r.choice(PLACES)},
    "convert_energy_to_emissions": lambda r: {"energy": f"{r.uniform(1, 10**6):.6g} kWh", "region": r.choice(PLACES)},
    "calculate": lambda r: {"expression": f"{r.randint(1, 10**9)} kWh / {r.randint(1, 10**6)}", "unit": "Wh"},
}
BARE = ("async", "plain", "typed")


def serve(what: str, port: int) -> None:
    """Serve our app, or the bare routes, as ``kilowhat serve`` does."""
    import uvicorn

    from kilowhat.plugin.http import create_app
    from kilowhat.plugin.http.server import configuration

    app: Any = create_app() if what == "ours" else bare_app()
    uvicorn.Server(configuration(app, port=port, log_level="warning")).run()


def bare_app() -> Any:
    """Return the bare routes, by kind and tool."""
    from fastapi import FastAPI, Response

    from kilowhat.tools import TOOLS, call

    app = FastAPI()

    def add(name: str) -> None:
        content = call(name, CALLS[name](random.Random(0))).model_dump_json().encode()
        arguments = TOOLS[name].arguments

        async def least() -> Response:
            return Response(content, media_type="application/json")

        def plain() -> Response:
            return Response(content, media_type="application/json")

        def typed(told: Any) -> Response:
            return Response(content, media_type="application/json")

        typed.__annotations__["told"] = arguments
        for kind, route in zip(BARE, (least, plain, typed), strict=True):
            app.post(f"/{kind}/{name}", response_model=None)(route)

    for name in CALLS:
        add(name)
    return app


class Server(NamedTuple):
    """A server that runs."""

    port: int
    pid: int


@contextmanager
def running(what: str, port: int) -> Iterator[Server]:
    """Run a server in a process of its own."""
    import httpx2

    with subprocess.Popen([sys.executable, "-W", "ignore", __file__, "--serve", what, "--port", str(port)]) as process:
        try:
            httpx2.Client(transport=httpx2.HTTPTransport(retries=10)).get(f"http://127.0.0.1:{port}/health", timeout=30)
            yield Server(port, process.pid)
        finally:
            process.terminate()
            process.wait(30)


def script(folder: Path, path: str, call: Call) -> Path:
    """Write what wrk sends to a path: thousands of bodies in turn."""
    chosen = random.Random(1)
    bodies = ",\n".join(json.dumps(json.dumps(call(chosen))) for _ in range(BODIES))
    file = folder / (path.strip("/").replace("/", "-") + ".lua")
    file.write_text(
        f"local bodies = {{{bodies}}}\nlocal n = 0\nlocal headers = {{['Content-Type'] = 'application/json'}}\n"
        f"request = function() n = n % #bodies + 1; return wrk.format('POST', '{path}', headers, bodies[n]) end\n"
    )
    return file


class Load(NamedTuple):
    """What a server did under load: calls per second, processor time of a call in µs, and the latency in ms that 99 of 100 calls stay below."""

    rate: float
    processor: float
    late: float


def load(server: Server, file: Path, seconds: int) -> Load:
    """Drive a server for so many seconds."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", str(file), f"http://127.0.0.1:{server.port}"]
    before = processor_seconds(server.pid)
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    used = processor_seconds(server.pid) - before
    rate, late, calls = (re.search(pattern, told) for pattern in (r"Requests/sec:\s+([\d.]+)", r"99%\s+([\d.]+)(us|ms|s)", r"(\d+) requests in"))
    if "Non-2xx" in told or "Socket errors" in told or not (rate and late and calls):
        raise SystemExit(told)
    return Load(float(rate[1]), used / int(calls[1]) * 1e6, float(late[1]) * {"us": 1e-3, "ms": 1.0, "s": 1e3}[late[2]])


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process has used, all its threads together."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def megabytes(pid: int) -> float:
    """Return the memory that a process holds."""
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) / 1024  # type: ignore[index]


def main() -> None:
    """Print the rates, the ratios and the memory."""
    parser = argparse.ArgumentParser(description="Measure the server.")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=8790)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=1)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve, options.port)
        return
    if not shutil.which("wrk"):
        raise SystemExit("wrk is needed: apt install wrk")
    with tempfile.TemporaryDirectory() as name, running("ours", options.port) as ours, running("bare", options.port + 1) as bare:
        print(f"{CONNECTIONS} connections, one worker, the best of {options.rounds} rounds of {options.seconds} s in turns\n")
        print(f"| tool | measure | ours | {' | '.join(BARE)} | {' | '.join(f'of {kind}' for kind in BARE)} |")
        for tool in CALLS:
            compare(Path(name), tool, ours, bare, options.rounds, options.seconds)
        file, calls, held = script(Path(name), "/tools/estimate_llm", CALLS["estimate_llm"]), 0.0, []
        while calls < MEMORY_CALLS:
            held.append((calls, megabytes(ours.pid)))
            calls += load(ours, file, 5).rate * 5
        held = [*held[:: max(1, len(held) // 6)], (calls, megabytes(ours.pid))]
        print("\nmemory over calls of estimate_llm: " + ", ".join(f"{size:.1f} MB at {done:,.0f}" for done, size in held))


def compare(folder: Path, tool: str, ours: Server, bare: Server, rounds: int, seconds: int) -> None:
    """Print what a call of a tool costs beside the bare routes."""
    places = {"ours": (ours, script(folder, f"/tools/{tool}", CALLS[tool])), **{kind: (bare, script(folder, f"/{kind}/{tool}", CALLS[tool])) for kind in BARE}}
    load(*places["ours"], 1)
    turns = [{kind: load(*place, seconds) for kind, place in places.items()} for _ in range(rounds)]
    best = {kind: Load(max(turn[kind].rate for turn in turns), *(min(getattr(turn[kind], measure) for turn in turns) for measure in ("processor", "late"))) for kind in places}
    shares = {"rate": [best["ours"].rate / best[kind].rate for kind in BARE], "processor": [best[kind].processor / best["ours"].processor for kind in BARE]}
    for measure, unit in (("rate", "calls/s"), ("processor", "µs of processor"), ("late", "ms, 99 % below")):
        told = " | ".join(f"{share:.0%}" for share in shares.get(measure, ())) or " | ".join("" for _ in BARE)
        print(f"| {tool} | {unit} | {' | '.join(f'{getattr(best[kind], measure):,.4g}' for kind in places)} | {told} |", flush=True)


if __name__ == "__main__":
    main()
