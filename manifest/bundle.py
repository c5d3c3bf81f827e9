"""How the MCP server is listed and installed: the registry's ``server.json``, and the bundle that desktop clients open.

    python -m kilowhat.manifest.bundle kilowhat.mcpb    # from a checkout: pack the bundle

Both come from the package's own metadata and from the tools, so that neither can drift. The bundle holds the source and
names ``uv`` as its runtime: the client installs Python and the dependencies, and no compiled wheel is packed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from importlib.metadata import metadata
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from kilowhat.tools import TOOLS

HERE = Path(__file__).parent
SERVER = HERE / "server.json"
BUNDLE = HERE / "mcpb.json"

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


def packed(checkout: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the files of the bundle: its manifest, and what ``pip install`` reads from a checkout.

    Args:
        checkout: The folder of ``pyproject.toml``.
    """
    yield "manifest.json", (json.dumps(bundle_manifest(), ensure_ascii=False, indent=2) + "\n").encode()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        yield name, (checkout / name).read_bytes()
    for folder in ("manifest", "plugin", "tools"):
        for file in sorted((checkout / folder).rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                yield file.relative_to(checkout).as_posix(), file.read_bytes()


def pack(bundle: Path, checkout: Path) -> None:
    """Write the bundle: the same bytes for the same files.

    Raises:
        FileNotFoundError: where ``checkout`` is no checkout.
    """
    with ZipFile(bundle, "w", ZIP_DEFLATED) as archive:
        for name, content in packed(checkout):
            entry = ZipInfo(name)
            entry.compress_type = ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)


def main(arguments: list[str] | None = None) -> int:
    """Pack the bundle from the checkout that this file is in."""
    parser = argparse.ArgumentParser(description="Pack the bundle that desktop clients install.")
    parser.add_argument("bundle", type=Path, help="the file to write, such as kilowhat.mcpb")
    pack(parser.parse_args(arguments).bundle, HERE.parent)
    return 0


if __name__ == "__main__":
    sys.exit(main())
