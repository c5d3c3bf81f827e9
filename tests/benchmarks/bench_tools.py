"""What a call costs, as ratios in one run: ``python tests/benchmarks/bench_tools.py``. It measures, and proves nothing.

The calls are interleaved, with other arguments every time, so that load on the machine touches both alike.
"""

from __future__ import annotations

import itertools
import logging
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from kilowhat.tools import Library, call
from kilowhat.tools.core.expression import chain
from kilowhat.tools.estimate_llm import ARITHMETIC_16_BIT, CONSTANTS, REQUEST, STEP_16_BIT

ROUNDS, CALLS = 60, 25
ROWS = 1_000_000

number = itertools.count(1)


def ours() -> None:
    """One fully cited estimate."""
    n = next(number)
    model, region = ("gpt-4o", "llama 3.1 70b", "gpt-4o-mini")[n % 3], ("FR", "DE", "US")[n % 3]
    call("estimate_llm", {"model": model, "requests": float(n), "input_tokens": 200.0 + n, "output_tokens": 400.0 + n, "region": region})


def theirs() -> None:
    """One call of ecologits for as many tokens."""
    from ecologits.tracers.utils import llm_impacts

    n = next(number)
    llm_impacts("openai", ("gpt-4o", "gpt-4o-mini")[n % 2], 400 + n, 1e9, ("FRA", "DEU")[n % 2])


def microseconds(function: Callable[[], object], calls: int = CALLS) -> float:
    """Return the time of one call in µs."""
    start = time.perf_counter()
    for _ in range(calls):
        function()
    return (time.perf_counter() - start) / calls * 1e6


def constants() -> dict[str, float]:
    """Return what the formulas need beside the columns."""
    library = Library.load()
    found = {name: library.fact(fact_id).in_unit(unit).value for name, (fact_id, unit) in CONSTANTS.items()}
    return found | {"power_w": 700.0, "arithmetic_j": library.fact("nvidia-h100-sxm-serving-arithmetic").quantity.value}


def columns(rows: int) -> dict[str, Any]:
    """Return random requests as columns."""
    random = np.random.default_rng(0)
    total = random.uniform(1, 500, rows)
    found = {"total_b": total, "active_b": total * random.uniform(0.05, 1, rows), "batch": random.uniform(1, 512, rows), "accelerators": random.integers(1, 9, rows).astype(float)}
    return found | {name: random.uniform(1, 3000, rows) for name in ("written_tokens", "read_tokens", "fresh_tokens")}


def import_seconds(module: str) -> float:
    """Return the median time that a fresh interpreter takes to import a module, beyond its own start."""

    def run(code: str) -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return time.perf_counter() - start

    return statistics.median(run(f"import {module}") - run("pass") for _ in range(9))


def main() -> None:
    """Print the ratios."""
    logging.disable(logging.WARNING)
    for function in (ours, theirs):
        microseconds(function, 10)
    pairs = [(microseconds(ours), microseconds(theirs)) for _ in range(ROUNDS)]
    mine, other = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(left / right for left, right in pairs)
    print(f"one cited estimate_llm: {mine:.0f} µs; one ecologits llm_impacts: {other:.0f} µs; ratio {ratio:.2f} (below 1 is cheaper)")

    steps = chain((STEP_16_BIT, ARITHMETIC_16_BIT, REQUEST))
    one = {name: float(column[0]) for name, column in columns(1).items()} | constants()
    told = [one[name] for name in steps.inputs]
    bare = statistics.median(microseconds(lambda: steps.function(*told), 2000) for _ in range(20))
    print(f"bare formula of one request: {bare:.2f} µs")

    many = columns(ROWS) | constants()
    told = [many[name] for name in steps.inputs]
    column = statistics.median(microseconds(lambda: steps.function(*told), 1) for _ in range(7))
    print(f"the same formula on a column of {ROWS:,} rows: {ROWS / column:.1f} million rows/s")

    tools, pydantic = import_seconds("kilowhat.tools"), import_seconds("pydantic")
    print(f"import kilowhat.tools: {tools / pydantic:.2f} times import pydantic")


if __name__ == "__main__":
    main()
