"""How the MCP server is listed and installed: the registry's ``server.json``, and the bundle that desktop clients open.

    python -m kilowhat.manifest.bundle kilowhat.mcpb    # from a checkout or an installed package: pack the bundle

Both come from the package's own metadata and from the tools, so that neither can drift. The bundle holds the source and
names ``uv`` as its runtime: the client installs Python and the dependencies, and no compiled wheel is packed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from importlib.metadata import distribution, metadata
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from kilowhat.tools import TOOLS

HERE = Path(__file__).parent
SERVER = HERE / "server.json"
BUNDLE = HERE / "mcpb.json"
FOLDERS = ("manifest", "plugin", "tools")

REGISTERED = "io.github.kilowhat/kilowhat"
"""Name in the MCP registry; whoever publishes must own it, and the README says the same name to prove it."""


def listings() -> dict[Path, Any]:
    """Return the generated files with their content."""
    return {SERVER: server_json(), BUNDLE: bundle_manifest()}


def server_json() -> dict[str, Any]:
    """Return the entry for the MCP registry: a PyPI package whose server speaks over stdio."""
    package = metadata("kilowhat")
    wanted = next(line.partition(";")[0].strip() for line in package.get_all("Requires-Dist", ()) if line.endswith('extra == "mcp"'))
    return {
        "$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
        "name": REGISTERED,
        "title": "Kilowhat",
        "description": package["Summary"],
        "version": package["Version"],
        "packages": [
            {
                "registryType": "pypi",
                "identifier": "kilowhat",
                "version": package["Version"],
                "runtimeHint": "uvx",
                "runtimeArguments": [{"type": "named", "name": "--with", "value": wanted}],
                "packageArguments": [{"type": "positional", "value": "mcp"}],
                "transport": {"type": "stdio"},
            }
        ],
    }


def bundle_manifest() -> dict[str, Any]:
    """Return the ``manifest.json`` of the bundle."""
    package = metadata("kilowhat")
    return {
        "manifest_version": "0.4",
        "name": "kilowhat",
        "display_name": "Kilowhat",
        "version": package["Version"],
        "description": package["Summary"],
        "author": {"name": package["Author"]},
        "server": {
            "type": "uv",
            "entry_point": "plugin/cli.py",
            "mcp_config": {"command": "uv", "args": ["run", "--directory", "${__dirname}", "--extra", "mcp", "kilowhat", "mcp"]},
        },
        "tools": [{"name": tool.name, "description": tool.description} for tool in TOOLS.values()],
        "prompts_generated": True,
        "keywords": package["Keywords"].split(","),
        "license": package["License-Expression"],
        "compatibility": {"platforms": ["darwin", "linux", "win32"], "runtimes": {"python": package["Requires-Python"]}},
    }


def project_toml(packages: list[str]) -> str:
    """Return the ``pyproject.toml`` of the bundle: what installs these packages and runs their command, from the metadata that an installed package has too.

    Args:
        packages: The packages below ``kilowhat``, such as ``tools.core``.
    """
    ours = distribution("kilowhat")
    package = ours.metadata
    wanted = package.get_all("Requires-Dist", ())
    tables: dict[str, dict[str, Any]] = {
        "build-system": {"requires": ["setuptools>=77"], "build-backend": "setuptools.build_meta"},
        "project": {
            "name": "kilowhat",
            "version": package["Version"],
            "description": package["Summary"],
            "readme": "README.md",
            "requires-python": package["Requires-Python"],
            "license": package["License-Expression"],
            "license-files": ["LICENSE"],
            "dependencies": [line for line in wanted if "extra ==" not in line],
        },
        "project.optional-dependencies": {"mcp": [line.partition(";")[0].strip() for line in wanted if line.endswith('extra == "mcp"')]},
        "project.scripts": {script.name: script.value for script in ours.entry_points.select(group="console_scripts")},
        "tool.setuptools": {"packages": [f"kilowhat.{name}" for name in packages]},
        "tool.setuptools.package-dir": {f'"kilowhat.{name}"': name for name in FOLDERS},
        "tool.setuptools.package-data": {'"*"': ["*.yaml", "*.json", "py.typed"]},
    }
    return "\n".join(f"[{name}]\n" + "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in table.items()) for name, table in tables.items())


def packed(source: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the files of the bundle: its manifest, and what ``uv`` installs.

    Args:
        source: The folder that holds ``manifest``, ``plugin`` and ``tools``: a checkout, or where the package is installed.

    Raises:
        FileNotFoundError: where it holds no such thing.
    """
    files = [file for folder in FOLDERS for file in sorted((source / folder).rglob("*")) if file.is_file() and "__pycache__" not in file.parts]
    named = {file.relative_to(source).as_posix(): file for file in files}
    missing = [folder for folder in FOLDERS if not any(name.startswith(f"{folder}/") for name in named)]
    if missing:
        raise FileNotFoundError(f"{source} holds no {missing[0]}")
    packages = sorted({".".join(Path(name).parent.parts) for name in named})
    yield "manifest.json", (json.dumps(bundle_manifest(), ensure_ascii=False, indent=2) + "\n").encode()
    yield "pyproject.toml", project_toml(packages).encode()
    yield "README.md", (str(metadata("kilowhat").json["description"]).strip() + "\n").encode()
    yield "LICENSE", _licence()
    for name, file in named.items():
        yield name, file.read_bytes()


def _licence() -> bytes:
    """Return the licence that was installed with the package, wherever its installer keeps it.

    Raises:
        FileNotFoundError: where it kept none.
    """
    for file in distribution("kilowhat").files or ():
        if file.name == "LICENSE" and Path(file.locate()).is_file():
            return file.read_binary()
    raise FileNotFoundError("the installed package holds no LICENSE")


def pack(bundle: Path, source: Path) -> None:
    """Write the bundle, whole or not at all: the same bytes for the same files.

    Raises:
        OSError: where ``source`` holds no package, or the bundle can't be written.
    """
    content = BytesIO()
    with ZipFile(content, "w", ZIP_DEFLATED) as archive:
        for name, told in packed(source):
            entry = ZipInfo(name)
            entry.compress_type = ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, told)
    beside = bundle.with_name(f".{bundle.name}.{os.getpid()}")
    try:
        beside.write_bytes(content.getvalue())
        beside.replace(bundle)
    finally:
        beside.unlink(missing_ok=True)


def main(arguments: list[str] | None = None) -> int:
    """Pack the bundle from the package that this file is part of."""
    parser = argparse.ArgumentParser(description="Pack the bundle that desktop clients install.")
    parser.add_argument("bundle", type=Path, help="the file to write, such as kilowhat.mcpb")
    bundle = parser.parse_args(arguments).bundle
    try:
        pack(bundle, HERE.parent)
    except OSError as error:
        parser.exit(1, f"failed: {bundle}: {error.strerror or error}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
