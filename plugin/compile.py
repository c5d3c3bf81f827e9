"""Everything that is generated, in the order in which it depends on itself.

    python -m kilowhat.plugin.compile            # check what people wrote, and write what is made from it
    python -m kilowhat.plugin.compile --check    # fail where something written is not current

The library of facts (``tools.core.compile``), the words and phrases of the languages (``plugin.understanding.compile``), the
names of countries (``plugin.phrases.places``) and the manifests (``manifest.build``); each can be run by itself. A step is
a process of its own, so that it reads what the one before has written.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

STEPS = ("tools.core.compile", "plugin.understanding.compile", "plugin.phrases.places", "manifest.build")
"""Modules below ``kilowhat``, each with ``--check``."""


def main(arguments: list[str] | None = None) -> int:
    """Run every step; the first that fails ends it, where they only check none does."""
    parser = argparse.ArgumentParser(description="Compile the library, the languages and the manifests.")
    parser.add_argument("--check", action="store_true", help="fail where a generated file is not current")
    checking = parser.parse_args(arguments).check
    failed = 0
    for step in STEPS:
        command = [sys.executable, "-m", f"kilowhat.{step}", *(["--check"] if checking else [])]
        failed = subprocess.run(command, check=False).returncode or failed  # noqa: S603  (our own modules)
        if failed and not checking:
            break
    return failed


if __name__ == "__main__":
    sys.exit(main())
