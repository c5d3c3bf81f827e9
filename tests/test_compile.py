"""One command makes everything that is generated, and says what is not current."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from kilowhat.plugin.compile import STEPS

ROOT = Path(__file__).parent.parent


def test_it_runs_every_step_that_the_gate_checks() -> None:
    checked = re.findall(r"python -m kilowhat\.([a-z_.]+) --check", (ROOT / ".ci" / "run").read_text("utf-8"))
    assert checked
    assert set(checked) <= {*STEPS, "plugin.compile"}


def test_what_is_not_current_is_named_and_the_rest_is_checked_too(tmp_path: Path) -> None:
    for folder in ("manifest", "plugin", "tools"):
        shutil.copytree(ROOT / folder, tmp_path / "kilowhat" / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for stale in ("plugin/phrases/places.json", "manifest/openai.json"):
        with (tmp_path / "kilowhat" / stale).open("a", encoding="utf-8") as file:
            file.write("\n")
    finished = subprocess.run(
        [sys.executable, "-m", "kilowhat.plugin.compile", "--check"], env={**os.environ, "PYTHONPATH": str(tmp_path)}, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    assert finished.returncode == 1
    assert "library.json is current" in finished.stdout
    assert "places.json is not current: run python -m kilowhat.plugin.phrases.places" in finished.stdout
    assert "not current: openai; run python -m kilowhat.manifest.build" in finished.stderr
