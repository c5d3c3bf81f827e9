"""Imports point one way: tools.core ← tools.<tool> ← tools ← manifest ← plugin. The tools are pure, and start fast."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted(path for folder in ("tools", "manifest", "plugin") for path in (ROOT / folder).rglob("*.py"))


class Import(NamedTuple):
    """One imported module, and whether it is imported at the top, in a function, or for type checkers alone."""

    importer: str
    imported: str
    at: str


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(("kilowhat", *(parts[:-1] if parts[-1] == "__init__" else parts)))


MODULES = {module_name(path): path for path in FILES}


def imports_of(importer: str, node: ast.AST, at: str = "top") -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        inside = "function" if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) else at
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            inside = "typing"
        if isinstance(child, ast.Import):
            yield from (Import(importer, alias.name, at) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            module = "." * child.level + (child.module or "")
            full = [f"{module}.{alias.name}" for alias in child.names]
            yield from (Import(importer, name if name in MODULES else module, at) for name in full)
        else:
            yield from imports_of(importer, child, inside)


IMPORTS = [found for name, path in MODULES.items() for found in imports_of(name, ast.parse(path.read_text("utf-8")))]


def allowed(importer: str) -> tuple[str, ...]:
    """Return the modules of ours that a module may import, with all below them."""
    if importer.startswith("kilowhat.tools."):
        return ("kilowhat.tools.core",)
    if importer.startswith("kilowhat.tools"):
        return ("kilowhat.tools",)
    if importer.startswith("kilowhat.manifest"):
        return ("kilowhat.tools", "kilowhat.manifest")
    return ("kilowhat.tools", "kilowhat.manifest", "kilowhat.plugin")


def below(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def test_the_walk_sees_what_there_is() -> None:
    assert len(MODULES) > 25
    assert Import("kilowhat.tools.core.reference", "kilowhat.tools.core.units", "top") in IMPORTS
    assert Import("kilowhat.tools.core.place", "kilowhat.tools.core.electricity", "top") in IMPORTS
    assert Import("kilowhat.tools.core.tool", "kilowhat.tools.core.estimate", "typing") in IMPORTS
    assert Import("kilowhat.tools.core.compile", "babel", "function") in IMPORTS


def test_imports_point_one_way() -> None:
    wrong = [found for found in IMPORTS if found.imported.startswith("kilowhat") and not below(found.imported, allowed(found.importer))]
    assert wrong == []


def test_our_modules_are_named_in_full() -> None:
    ours = {path.name for path in ROOT.iterdir() if path.is_dir()}
    assert [found for found in IMPORTS if found.imported.startswith(".") or found.imported.partition(".")[0] in ours] == []


def test_no_surface_imports_another() -> None:
    """The shell starts the servers, from inside a function; the loop of the agent takes its tools from the toolkit."""
    users = {"http": {"http"}, "mcp": {"mcp"}, "cli": {"cli"}, "chat": {"chat"}, "langchain": {"langchain", "agent"}}
    for found in IMPORTS:
        package, _, rest = found.imported.partition("kilowhat.plugin.")
        surface = rest.partition(".")[0]
        if package or found.at == "typing" or surface not in users:
            continue
        user = found.importer.removeprefix("kilowhat.plugin").removeprefix(".").partition(".")[0]
        assert user in users[surface] or (user == "cli" and found.at == "function"), found


def test_a_framework_is_imported_in_one_place() -> None:
    homes = {
        "fastapi": ("kilowhat.plugin.http",),
        "starlette": ("kilowhat.plugin.http",),
        "uvicorn": ("kilowhat.plugin.http",),
        "mcp": ("kilowhat.plugin.mcp",),
        "prompt_toolkit": ("kilowhat.plugin.chat",),
        "rich": ("kilowhat.plugin.chat",),
        "wcwidth": ("kilowhat.plugin.terminal",),
        "argcomplete": ("kilowhat.plugin.cli",),
        "langchain": ("kilowhat.plugin.agent",),
        "langsmith": ("kilowhat.plugin.agent",),
        "langchain_core": ("kilowhat.plugin.langchain", "kilowhat.plugin.agent", "kilowhat.plugin.offline_model"),
    }
    wrong = [found for found in IMPORTS if found.at != "typing" and found.imported.partition(".")[0] in homes and not below(found.importer, homes[found.imported.partition(".")[0]])]
    assert wrong == []


def test_the_tools_are_pure() -> None:
    """They stand on pydantic alone, and see neither network nor clock nor chance."""
    pure = [found for found in IMPORTS if found.importer.startswith("kilowhat.tools") and found.importer != "kilowhat.tools.core.compile" and found.at != "typing"]
    packages = {found.imported.partition(".")[0] for found in pure} - {"kilowhat", "pydantic"}
    assert packages <= sys.stdlib_module_names
    assert packages.isdisjoint({"socket", "ssl", "http", "asyncio", "subprocess", "threading", "os", "time", "datetime", "random", "secrets", "uuid"})
    assert {found.imported for found in pure if found.imported.startswith("urllib")} <= {"urllib.parse"}


def run(code: str, *flags: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *flags, "-c", code], cwd=folder, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import kilowhat.tools", ["langchain_core", "fastapi", "starlette", "uvicorn", "mcp", "rich", "numpy", "ecologits", "jsonschema", "babel", "ruamel", "httpx", "requests"]),
        (
            "from kilowhat.tools import call; call('estimate_task', {'task': 'image-generation', 'count': 1})",
            ["langchain_core", "fastapi", "numpy", "ecologits", "jsonschema", "babel", "ruamel", "httpx"],
        ),
        ("from kilowhat.manifest import DIALECTS, load; [load(dialect) for dialect in DIALECTS]", ["pydantic", "kilowhat.tools", "jsonschema"]),
        ("import kilowhat.plugin", ["langchain_core", "fastapi", "pydantic"]),
        ("from kilowhat.plugin import ask; ask('energy of 1000 images')", ["langchain_core", "fastapi", "numpy", "ecologits", "jsonschema", "babel", "ruamel", "httpx"]),
    ],
)
def test_what_is_not_needed_is_not_loaded(code: str, absent: list[str], tmp_path: Path) -> None:
    finished = run(f"{code}; import sys; print([name for name in {absent} if name in sys.modules])", folder=tmp_path)
    assert (finished.stdout.strip(), finished.stderr) == ("[]", "")


@pytest.mark.parametrize("name", ["tools", "plugin", "manifest"])
def test_no_folder_of_ours_is_a_package_of_the_world(name: str, tmp_path: Path) -> None:
    finished = run(f"import {name}", "-P", folder=tmp_path)
    assert finished.returncode == 1
    assert "ModuleNotFoundError" in finished.stderr


def test_kilowhat_is_a_namespace_without_a_file_of_its_own(tmp_path: Path) -> None:
    finished = run("import kilowhat, kilowhat.tools; print(kilowhat.__file__)", folder=tmp_path)
    assert (finished.stdout.strip(), finished.stderr) == ("None", "")


def test_the_package_shows_its_names_before_they_are_used() -> None:
    code = "import sys, kilowhat.plugin as plugin; print(sorted(set(plugin.__all__) - set(dir(plugin))), 'langchain_core' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[] False\n"
