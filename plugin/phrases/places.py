"""Names of countries in the languages of the answers, from the Unicode CLDR (package ``babel``), which only this step needs.

Where a language says it otherwise, ``places`` in its phrase file does.

python -m kilowhat.plugin.phrases.places [--check]
"""

from __future__ import annotations

import argparse
import json
import sys

from kilowhat.plugin.phrases.load import COMPILED, PLACES
from kilowhat.tools import Library


def build() -> str:
    """Return the names by language and zone; a zone that is no country has none."""
    from babel import Locale

    names: dict[str, dict[str, str]] = {}
    for language in json.loads(COMPILED.read_text("utf-8")):
        if language == "en":
            continue
        territories = Locale.parse(language, sep="-").territories
        names[language] = {zone: territories[told["alpha2"]] for zone, told in sorted(Library.load().countries.items()) if told["alpha2"] in territories}
    return json.dumps(names, ensure_ascii=False, indent=0) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Write the file, or with ``--check`` say whether it is current."""
    parser = argparse.ArgumentParser(description="Compile the names of countries.")
    parser.add_argument("--check", action="store_true", help="fail where the file is not current")
    options = parser.parse_args(arguments)
    built = build()
    if not options.check:
        PLACES.write_text(built, "utf-8")
        return 0
    current = PLACES.exists() and PLACES.read_text("utf-8") == built
    sys.stdout.write("places.json is current\n" if current else "places.json is not current: run python -m kilowhat.plugin.phrases.places\n")
    return int(not current)


if __name__ == "__main__":
    sys.exit(main())
