"""Where work runs: on the event loop while it is short, in a thread as soon as it is long.

A hop to a thread costs 70 µs and gains nothing for work of 0.2 ms that holds the interpreter anyway (measured by
``tests/benchmarks/bench_http.py``); work of 20 ms on the loop would keep everyone waiting. Which is which is not written
down but measured as it runs, so that a new tool finds its place by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import thread_time
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

SHORT = 0.001
"""Seconds of processor time that work of a kind may take on average to be run on the loop."""

_MEMORY = 8
"""How many of the last runs the average goes back, roughly."""


class Runner:
    """Runs work of several kinds; the first of each kind in a thread, since nothing is known of it."""

    def __init__(self, threads: int = 8) -> None:
        self._threads = ThreadPoolExecutor(threads, "kilowhat")
        self._seconds: dict[str, float] = {}

    async def run(self, kind: str, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what a function returns, from the loop or from a thread."""
        if self._seconds.get(kind, SHORT) < SHORT:
            return self._timed(kind, function, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: self._timed(kind, function, *args, **kwargs))

    def close(self) -> None:
        """Begin no more work."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _timed(self, kind: str, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        start = thread_time()
        try:
            return function(*args, **kwargs)
        finally:
            took = thread_time() - start
            known = self._seconds.get(kind, took)
            self._seconds[kind] = known + (took - known) / _MEMORY
