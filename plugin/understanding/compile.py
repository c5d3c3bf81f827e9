"""From the lexicon files and the names of the reference library to one table of phrases; and from the phrase files to one file.

    python -m kilowhat.plugin.understanding.compile [--check]

The table maps the first token of each phrase to the phrases that start with it, so that reading a
question is one look-up a token.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from kilowhat.plugin.understanding.tokens import tokenise
from kilowhat.tools.core.compile import read_yaml
from kilowhat.tools.core.reference import Library

HERE = Path(__file__).parent / "lexicon"
COMPILED = HERE / "lexicon.json"
PHRASES = Path(__file__).parent.parent / "phrases"


def build() -> dict[str, Any]:
    """Return marks of languages, number phrases, and all phrases by first token."""
    table: dict[str, list[list[Any]]] = {}
    seen: set[tuple[Any, ...]] = set()

    def add(spelling: str, kind: str, value: str, *, code: bool = False) -> None:
        words = [token.folded for token in tokenise(spelling)]
        entry = (tuple(words), kind, value)
        if words and entry not in seen:
            seen.add(entry)
            table.setdefault(words[0], []).append([words, kind, value, *([1] if code else [])])

    languages: dict[str, dict[str, Any]] = {}
    for path in sorted(HERE.glob("*.yaml")):
        lexicon = read_yaml(path)
        languages[path.stem] = {"marks": lexicon["marks"], "numbers": lexicon["numbers"], "spoken": lexicon["spoken"], "decimal": lexicon.get("decimal", ".")}
        for sense, phrases in lexicon["senses"].items():
            for phrase in phrases:
                add(str(phrase), "sense", sense)
        for unit, phrases in lexicon["units"].items():
            for phrase in phrases:
                add(str(phrase), "unit", unit)
        for phrase, number in lexicon["numbers"].items():
            add(str(phrase), "number", str(number))

    library = Library.load()
    for kind, slot in (("tasks", "task"), ("models", "model"), ("runs", "run"), ("services", "service"), ("hardware", "hardware"), ("comparators", "comparator"), ("places", "place")):
        for name_id in library.names(kind):
            name = library.named(kind, name_id)
            add(name_id, slot, name_id, code=slot == "place")
            for spelling in (name.name, *name.aliases):
                add(
                    spelling,
                    slot,
                    name_id,
                    code=spelling.isascii() and ((slot == "place" and "-" in spelling and spelling.islower()) or (len(spelling) <= 3 and spelling.isupper() and slot in ("place", "comparator"))),
                )
    for zone, told in library.countries.items():
        for spelling in (told["name"], *told["spellings"]):
            add(spelling, "place", zone, code=spelling.isascii() and len(spelling) <= 2)
        for spelling in (zone, told["alpha2"]):
            if spelling:
                add(spelling, "place", zone, code=True)
    for phrases in table.values():
        phrases.sort(key=lambda phrase: (-len(phrase[0]), phrase[1], phrase[2]))
    return {"languages": languages, "phrases": dict(sorted(table.items()))}


def text(content: dict[str, Any]) -> str:
    """Return the table as it is committed: one first token a line."""
    rows = ",\n".join(f"  {json.dumps(token, ensure_ascii=False)}: {json.dumps(phrases, ensure_ascii=False, separators=(',', ':'))}" for token, phrases in content["phrases"].items())
    return f'{{\n"languages": {json.dumps(content["languages"], ensure_ascii=False)},\n"phrases": {{\n{rows}\n}}\n}}\n'


def phrases() -> str:
    """Return the phrase files as one, one language a line."""
    rows = (f"{json.dumps(path.stem)}: {json.dumps(read_yaml(path), ensure_ascii=False, separators=(',', ':'))}" for path in sorted(PHRASES.glob("*.yaml")))
    return "{\n" + ",\n".join(rows) + "\n}\n"


def main(arguments: list[str] | None = None) -> int:
    """Write the compiled files, or with ``--check`` say whether they are current."""
    parser = argparse.ArgumentParser(description="Compile the lexicon and the phrases.")
    parser.add_argument("--check", action="store_true", help="fail where a compiled file is not current")
    options = parser.parse_args(arguments)
    stale = False
    for path, compiled in ((COMPILED, text(build())), (PHRASES / "phrases.json", phrases())):
        if not options.check:
            path.write_text(compiled, "utf-8")
            print(f"wrote {path.name}: {len(compiled) / 1e3:.0f} kB")
        elif not path.exists() or path.read_text("utf-8") != compiled:
            stale = True
            print(f"{path.name} is not current: run python -m kilowhat.plugin.understanding.compile")
    return int(stale)


if __name__ == "__main__":
    sys.exit(main())
