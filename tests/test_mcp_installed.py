"""What a newcomer pastes, lists or opens starts the server: the README's blocks, ``server.json`` and the bundle.

By hand, the bundle as its own tools and a client with ``uv`` see it (given node, npm and uv on the path; 1 s each):

    python -m kilowhat.manifest.bundle kilowhat.mcpb
    npm install @anthropic-ai/mcpb@2.1.2
    npx mcpb unpack kilowhat.mcpb bundle && npx mcpb validate bundle/manifest.json
    uv run --directory bundle --extra mcp kilowhat mcp < /dev/null
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import requires
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from kilowhat.manifest.build import text
from kilowhat.manifest.bundle import BUNDLE, REGISTERED, SERVER, listings, main, pack
from kilowhat.tools import TOOLS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

BLOCKS = [(match[1], match[2]) for match in re.finditer(r"^```(json|sh)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)]
CONFIGURATIONS = [json.loads(body) for kind, body in BLOCKS if kind == "json"]
STARTED = [
    *(pytest.param([told["command"], *told["args"]], id=f"{key}, {name}") for block in CONFIGURATIONS if isinstance(block, dict) for key, servers in block.items() for name, told in servers.items()),
    *(pytest.param(shlex.split(body.partition(" -- ")[2]), id="claude mcp add") for kind, body in BLOCKS if kind == "sh" and body.startswith("claude mcp add")),
]


async def tools_of(command: list[str]) -> list[str]:
    """Return the tools of the server that a command starts, with the commands of this environment on the path."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    async with Client(stdio_client(StdioServerParameters(command=command[0], args=command[1:], env={**os.environ, "PATH": path}))) as client:
        assert not (await client.call_tool("estimate_task", dict(TOOLS["estimate_task"].example))).is_error
        return [tool.name for tool in (await client.list_tools()).tools]


def test_there_is_a_block_for_each_assistant() -> None:
    assert [sorted(block) for block in CONFIGURATIONS if isinstance(block, dict)] == [["mcpServers"], ["servers"]]
    assert len(STARTED) == 3
    for assistant in ("Claude Desktop", "Cursor", "VS Code", "Claude Code", "Open WebUI"):
        assert assistant in README


@pytest.mark.parametrize("command", STARTED)
async def test_the_command_of_a_block_starts_the_server(command: list[str]) -> None:
    assert await tools_of(command) == list(TOOLS)


def test_the_examples_of_the_readme_name_tools_and_dialects_there_are() -> None:
    from kilowhat.manifest import DIALECTS

    [only] = re.findall(r"kilowhat mcp --only ([a-z_ ]+)`", README)
    assert set(only.split()) <= set(TOOLS)
    table = README[README.index("| dialect | is |") :].partition("\n\n")[0]
    assert sorted(re.findall(r"`([a-z-]+)`", "".join(row.split("|")[1] for row in table.splitlines()))) == sorted(DIALECTS)


# The registry


def test_the_listing_is_current() -> None:
    for place, content in listings().items():
        assert place.read_text("utf-8") == text(content), "run python -m kilowhat.manifest.build"


def test_the_listing_is_what_the_registry_takes() -> None:
    """The rules of the schema of 2025-12-11 that concern a package on PyPI."""
    listed = json.loads(SERVER.read_text("utf-8"))
    assert listed.keys() == {"$schema", "name", "title", "description", "version", "packages"}
    assert re.fullmatch(r"[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+", listed["name"])
    assert 1 <= len(listed["description"]) <= 100
    assert re.fullmatch(r"\d+\.\d+\.\d+", listed["version"])
    [package] = listed["packages"]
    assert (package["registryType"], package["identifier"], package["version"]) == ("pypi", PROJECT["name"], listed["version"])
    assert package["transport"] == {"type": "stdio"}
    assert package["runtimeHint"] == "uvx"
    for argument in (*package["runtimeArguments"], *package["packageArguments"]):
        assert argument.keys() == {"type", "name", "value"} if argument["type"] == "named" else {"type", "value"}


def test_the_listing_is_this_package() -> None:
    listed = json.loads(SERVER.read_text("utf-8"))
    assert listed["version"] == PROJECT["version"]
    assert listed["description"] == PROJECT["description"]
    assert f"mcp-name: {listed['name']}" in README
    assert listed["name"] == REGISTERED
    [package] = listed["packages"]
    [wanted] = PROJECT["optional-dependencies"]["mcp"]
    told = package["runtimeArguments"][0]["value"]
    assert re.split(r"[<>=,]+", told)[0] == "mcp"
    assert set(re.findall(r"[<>=]+[\d.]+", told)) == set(re.findall(r"[<>=]+[\d.]+", wanted))


async def test_the_command_of_the_listing_starts_the_server() -> None:
    [package] = json.loads(SERVER.read_text("utf-8"))["packages"]
    assert await tools_of([package["identifier"], *(argument["value"] for argument in package["packageArguments"])]) == list(TOOLS)


# The bundle


def test_the_bundle_holds_what_is_installed_and_nothing_else(tmp_path: Path) -> None:
    bundle = tmp_path / "kilowhat.mcpb"
    assert main([str(bundle)]) == 0
    with ZipFile(bundle) as archive:
        assert archive.testzip() is None
        names = set(archive.namelist())
        manifest = json.loads(archive.read("manifest.json"))
        told = tomllib.loads(archive.read("pyproject.toml").decode())
        assert archive.read("LICENSE") == (ROOT / "LICENSE").read_bytes()
        assert archive.read("README.md").startswith(b"# Kilowhat\n")
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    for name in ("name", "version", "description", "requires-python", "license", "scripts"):
        assert told["project"][name] == PROJECT[name]
    wanted = told["project"]["dependencies"]
    assert wanted == [line for line in requires("kilowhat") or () if "extra ==" not in line]
    assert {re.split("[<>=]", line)[0] for line in wanted} <= {re.split("[<>=]", line)[0] for line in PROJECT["dependencies"]}
    assert re.split("[<>=]", told["project"]["optional-dependencies"]["mcp"][0])[0] == "mcp"
    assert sorted(told["tool"]["setuptools"]["packages"]) == sorted(asked["tool"]["setuptools"]["packages"])
    assert told["tool"]["setuptools"]["package-dir"] == asked["tool"]["setuptools"]["package-dir"]
    known = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=False)
    if known.returncode == 0:
        ours = {name for name in known.stdout.splitlines() if name.startswith(("tools/", "manifest/", "plugin/")) and (ROOT / name).exists()}
        assert names == ours | {"manifest.json", "pyproject.toml", "README.md", "LICENSE"}
    assert manifest == json.loads(BUNDLE.read_text("utf-8"))
    assert manifest["server"]["entry_point"] in names


def test_the_same_source_gives_the_same_bundle(tmp_path: Path) -> None:
    bundles = [tmp_path / name for name in ("one.mcpb", "two.mcpb")]
    for bundle in bundles:
        main([str(bundle)])
    assert bundles[0].read_bytes() == bundles[1].read_bytes()


def test_the_manifest_of_the_bundle_is_this_package() -> None:
    manifest: dict[str, Any] = json.loads(BUNDLE.read_text("utf-8"))
    assert (manifest["manifest_version"], manifest["name"], manifest["version"]) == ("0.4", PROJECT["name"], PROJECT["version"])
    assert [tool["name"] for tool in manifest["tools"]] == list(TOOLS)
    assert manifest["license"] == PROJECT["license"]
    assert manifest["compatibility"]["runtimes"]["python"] == PROJECT["requires-python"]
    command = manifest["server"]["mcp_config"]
    assert [command["command"], *command["args"][-2:]] == ["uv", "kilowhat", "mcp"]
    assert command["args"][command["args"].index("--extra") + 1] in PROJECT["optional-dependencies"]


def test_an_installed_package_gives_the_bundle_of_its_checkout(tmp_path: Path) -> None:
    installed = tmp_path / "site-packages" / "kilowhat"
    for folder in ("manifest", "plugin", "tools"):
        shutil.copytree(ROOT / folder, installed / folder, ignore=shutil.ignore_patterns("__pycache__"))
    pack(tmp_path / "installed.mcpb", installed)
    pack(tmp_path / "checkout.mcpb", ROOT)
    assert (tmp_path / "installed.mcpb").read_bytes() == (tmp_path / "checkout.mcpb").read_bytes()


def test_what_holds_no_package_leaves_the_bundle_as_it_was(tmp_path: Path) -> None:
    bundle = tmp_path / "kilowhat.mcpb"
    bundle.write_bytes(b"of yesterday")
    with pytest.raises(FileNotFoundError):
        pack(bundle, tmp_path / "empty")
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("kilowhat.mcpb", b"of yesterday")]


def test_a_bundle_that_can_not_be_written_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for bundle in (tmp_path / "nowhere" / "kilowhat.mcpb", tmp_path):
        with pytest.raises(SystemExit) as ended:
            main([str(bundle)])
        assert ended.value.code == 1
        [line] = capsys.readouterr().err.splitlines()
        assert line.startswith(f"failed: {bundle}: ")
    assert list(tmp_path.iterdir()) == []
