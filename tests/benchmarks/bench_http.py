"""Tool calls per second over HTTP, beside FastAPI routes that do less: ``python tests/benchmarks/bench_http.py``. It measures, and proves nothing.

Needs ``wrk`` (apt install wrk): a load generator in C that keeps connections open, writes each body anew from a script
and tells the distribution of latencies. One in Python would take more of the machine than what it measures.

Everything in one run, on loopback, with one worker each, in turns, so that load on the machine touches all alike.
Arguments differ from call to call. The bare routes return the bytes that the tool's answer has, ready-made:

    async   ``async def`` without parameters: the least that FastAPI does; it doesn't look at the body
    plain   ``def`` without parameters, as FastAPI's tutorial writes it, so that it runs in a thread
    typed   ``def`` with the tool's own arguments as body, validated, as a tool of one's own would be written
"""

from __future__ import annotations

import argparse
import json
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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


@contextmanager
def running(what: str, port: int) -> Iterator[int]:
    """Run a server in a process of its own, and give its id."""
    import httpx2

    with subprocess.Popen([sys.executable, __file__, "--serve", what, "--port", str(port)]) as process:
        try:
            httpx2.Client(transport=httpx2.HTTPTransport(retries=10)).get(f"http://127.0.0.1:{port}/health", timeout=30)
            yield process.pid
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


def load(port: int, file: Path, seconds: int) -> tuple[float, float]:
    """Return calls per second, and the latency in ms that 99 of 100 calls stay below."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", str(file), f"http://127.0.0.1:{port}"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in told or "Socket errors" in told:
        raise SystemExit(told)
    value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", told).groups()  # type: ignore[union-attr]
    rate = re.search(r"Requests/sec:\s+([\d.]+)", told)
    assert rate
    return float(rate[1]), float(value) * {"us": 1e-3, "ms": 1.0, "s": 1e3}[unit]


def megabytes(pid: int) -> float:
    """Return the memory that a process holds."""
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) / 1024  # type: ignore[index]


def main() -> None:
    """Print the rates, the ratios and the memory."""
    parser = argparse.ArgumentParser(description="Measure the server.")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=8790)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve, options.port)
        return
    if not shutil.which("wrk"):
        raise SystemExit("wrk is needed: apt install wrk")
    ours, bare = options.port, options.port + 1
    with tempfile.TemporaryDirectory() as name, running("ours", ours) as pid, running("bare", bare):
        folder = Path(name)
        print(f"{CONNECTIONS} connections, one worker, medians of {options.rounds} rounds of {options.seconds} s in turns\n")
        print(f"| tool | ours/s | {' | '.join(f'{kind}/s' for kind in BARE)} | {' | '.join(f'of {kind}' for kind in BARE)} | ours p99 ms | async p99 ms |")
        for tool, call in CALLS.items():
            places = {"ours": (ours, script(folder, f"/tools/{tool}", call)), **{kind: (bare, script(folder, f"/{kind}/{tool}", call)) for kind in BARE}}
            found: dict[str, list[tuple[float, float]]] = {kind: [] for kind in places}
            load(*places["ours"], 1)
            for _ in range(options.rounds):
                for kind, (port, file) in places.items():
                    found[kind].append(load(port, file, options.seconds))
            rates = {kind: statistics.median(rate for rate, _ in told) for kind, told in found.items()}
            shares = [statistics.median(mine[0] / other[0] for mine, other in zip(found["ours"], found[kind], strict=True)) for kind in BARE]
            late = [statistics.median(latency for _, latency in found[kind]) for kind in ("ours", "async")]
            print(f"| {tool} | {' | '.join(f'{rate:,.0f}' for rate in rates.values())} | {' | '.join(f'{share:.0%}' for share in shares)} | {late[0]:.1f} | {late[1]:.1f} |", flush=True)
        places_of = script(folder, "/tools/estimate_llm", CALLS["estimate_llm"])
        calls, held = 0.0, []
        while calls < MEMORY_CALLS:
            held.append((calls, megabytes(pid)))
            calls += load(ours, places_of, 5)[0] * 5
        held.append((calls, megabytes(pid)))
        print("\nmemory over calls of estimate_llm: " + ", ".join(f"{size:.1f} MB at {done:,.0f}" for done, size in held[:: max(1, len(held) // 6)] + held[-1:]))


if __name__ == "__main__":
    main()
