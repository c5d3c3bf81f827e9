"""How long a cold start takes: ``python tests/benchmarks/bench_start.py``. It measures, and proves nothing.

A new process that answers a question, against a new process in which Python imports ``ecologits`` and makes its first
estimate; in turn, so that load on the machine touches both alike. The figure is the median of the ratios of the pairs.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

PAIRS = 25
AIM = 1.25

QUESTIONS = {
    "English": "how much energy does 1000 image generations use?",
    "Chinese numerals": "叫 AI 畫一千張圖要幾度電？",
    "number words": "energy of twelve thousand image generations",
    "a place": "what are the emissions of 200 generated videos in Poland?",
    "a compare": "Does a GPT-4o answer use more than 1000 generated texts?",
    "a claim": "Is it true that training GPT-3 used 1287 MWh?",
    "a misspelled name": "energy of 500 answers of gpt-40",
}

KILOWHAT = [sys.executable, "-c", "from kilowhat.plugin.cli import run; run()", "ask"]
ECOLOGITS = [sys.executable, "-c", "from ecologits.tracers.utils import llm_impacts; llm_impacts('openai', 'gpt-4o', 400, 1e9, 'FRA')"]


def seconds(command: Sequence[str]) -> tuple[float, float]:
    """Return the wall time and the processor time of a process."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    _, _, used = os.wait4(process.pid, 0)
    process.returncode = 0
    return time.perf_counter() - start, used.ru_utime + used.ru_stime


def main() -> None:
    """Print the ratios."""
    print(f"{sys.executable}, {Path(__file__).name}: {PAIRS} pairs a question; ratio to importing ecologits and its first estimate (aim: {AIM} or less)")
    for about, question in QUESTIONS.items():
        command = [*KILOWHAT, question]
        for warm_up in (command, ECOLOGITS):
            seconds(warm_up)
        pairs = [(seconds(command), seconds(ECOLOGITS)) for _ in range(PAIRS)]
        wall = statistics.median(ours[0] / theirs[0] for ours, theirs in pairs)
        processor = statistics.median(ours[1] / theirs[1] for ours, theirs in pairs)
        ours, theirs = (statistics.median(pair[side][0] for pair in pairs) * 1000 for side in (0, 1))
        print(f"{about}: wall {wall:.2f}, processor {processor:.2f} ({ours:.0f} ms against {theirs:.0f} ms)")


if __name__ == "__main__":
    main()
