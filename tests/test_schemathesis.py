"""The server against its own descriptions: schemathesis makes calls from /tools/openapi.json and its likes, and all its checks hold.

One check is told apart. ``positive_data_acceptance`` wants every body that fits the schema to be answered, and a schema
can't say which names are known, that 3 litres are no energy, or that two arguments exclude each other; such calls are
refused with 422, as everywhere. In its place ``schemathesis_hooks.py`` checks what it is for: whatever the schema allows,
the arguments of the tool allow, so that a refusal says something that no schema could.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from kilowhat.plugin.http import create_app
from kilowhat.tools import TOOLS

CONFIGURATION = "[checks]\npositive_data_acceptance.enabled = false\n"
PROGRAM = "import sys; from schemathesis.cli import schemathesis; sys.exit(schemathesis())"


@pytest.mark.parametrize(("surface", "operations"), [("/tools", len(TOOLS)), ("/brief", len(TOOLS)), ("", 7)])
def test_every_check_holds(serving: Callable[[Any], AbstractContextManager[str]], tmp_path: Path, surface: str, operations: int) -> None:
    (tmp_path / "schemathesis.toml").write_text(CONFIGURATION, "utf-8")
    with serving(create_app(key="open sesame")) as url:
        command = [sys.executable, "-c", PROGRAM, "--no-color", "run", f"{url}{surface}/openapi.json", "--url", f"{url}{surface}"]
        options = ["--header", "Authorization: Bearer open sesame", "--max-examples", "40", "--seed", "1", "--generation-database", "none"]
        environment = {**os.environ, "SCHEMATHESIS_HOOKS": "schemathesis_hooks", "PYTHONPATH": str(Path(__file__).parent)}
        finished = subprocess.run([*command, *options], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert finished.returncode == 0, finished.stdout[-5000:] + finished.stderr[-2000:]
    assert f"Tested: {operations}" in finished.stdout
