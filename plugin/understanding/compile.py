"""From the lexicon files and the names of the reference library to one file of tables; and from the phrase files to one file.

    python -m kilowhat.plugin.understanding.compile [--check]

A table maps the first token of each phrase to the phrases that start with it, so that reading a
question is one look-up a token. Each language has a table of its own, and there is one of the names
of the library, which count in every language: so ``die`` or ``or`` means nothing outside its language.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from kilowhat.plugin.understanding.tokens import fold as fold_word
from kilowhat.plugin.understanding.tokens import tokenise
from kilowhat.tools import TOOLS
from kilowhat.tools.core import catalogue
from kilowhat.tools.core.compile import read_yaml
from kilowhat.tools.core.errors import KilowhatError
from kilowhat.tools.core.reference import Library, fold
from kilowhat.tools.core.tool import Tool
from kilowhat.tools.core.units import ENERGY, POWER, parse_unit

HERE = Path(__file__).parent / "lexicon"
COMPILED = HERE / "lexicon.json"
PHRASES = Path(__file__).parent.parent / "phrases"


CODE, CAPITALS, ADJECTIVE = 1, 2, 3
FREEST = (0, ADJECTIVE, CAPITALS, CODE)
"""A spelling that counts only where it is written as a code; or only in capitals (US, UK); or not where it is a language (Irish)."""


class Table:
    """Phrases by first token, the longest first; each says a kind and a value, and whether it counts only as a code or in capitals."""

    def __init__(self) -> None:
        self._phrases: dict[tuple[tuple[str, ...], str, str], int] = {}

    def add(self, spelling: str, kind: str, value: str, *, code: int = 0) -> None:
        """Add a spelling; one that is told twice counts in the freer way. Digits alone are a number, whatever else they name."""
        words = tuple(token.folded for token in tokenise(spelling)) if not spelling.isdecimal() else ()
        if words:
            entry = (words, kind, value)
            self._phrases[entry] = code if entry not in self._phrases else FREEST[min(FREEST.index(code), FREEST.index(self._phrases[entry]))]

    def content(self) -> dict[str, list[list[Any]]]:
        """Return the phrases by their first token, in a stable order."""
        table: dict[str, list[list[Any]]] = {}
        for (words, kind, value), code in sorted(self._phrases.items(), key=lambda item: (item[0][0][0], -len(item[0][0]), item[0][1:])):
            table.setdefault(words[0], []).append([list(words), kind, value, *([code] if code else [])])
        return table


def build() -> dict[str, Any]:
    """Return what each language has of its own, the names that count in all, and what each tool takes."""
    return {
        "languages": {path.stem: _language(read_yaml(path)) for path in sorted(HERE.glob("*.yaml"))},
        "names": _names(Library.load()),
        "tools": {name: _tool(tool) for name, tool in TOOLS.items()},
        "numerals": _numerals(),
    }


def _language(lexicon: dict[str, Any]) -> dict[str, Any]:
    """Return the marks and number signs of a language, the languages whose words count in it too, and its own phrases."""
    table = Table()
    for kind, told in (("sense", lexicon["senses"]), ("unit", lexicon["units"])):
        for value, phrases in told.items():
            for phrase in phrases:
                table.add(str(phrase), kind, value)
    for phrase, number in lexicon["numbers"].items():
        table.add(str(phrase), "number", str(number))
    for phrase, factor in lexicon["factors"].items():
        table.add(str(phrase), "sense", f"factor.{factor}")
    for phrase, often in lexicon["often"].items():
        table.add(str(phrase), "sense", f"often.{often}")
    for phrase, load in lexicon["loads"].items():
        table.add(str(phrase), "sense", f"load.{load}")
    return {
        "marks": lexicon["marks"],
        "also": lexicon.get("also", []),
        "letters": lexicon.get("letters", ""),
        "tags": lexicon["tags"],
        "openers": lexicon["openers"],
        "negatives": lexicon["negatives"],
        "skips": [fold_word(word) for word in lexicon.get("skips", [])],
        "spoken": lexicon["spoken"],
        "compounds": lexicon.get("compounds", False),
        "decimal": lexicon.get("decimal", "."),
        "after_digits": lexicon.get("after_digits", {}),
        "phrases": table.content(),
        "remarks": _remarks(lexicon),
    }


def _remarks(lexicon: dict[str, Any]) -> dict[str, list[list[str]]]:
    """Return the phrases of each kind of remark as tokens, the names of languages as ``tongue.fr``, and what may stand around them as ``filler``."""
    told = {**lexicon["remarks"], **{f"tongue.{language}": names for language, names in lexicon["tongues"].items()}, "filler": lexicon["fillers"]}
    return {kind: sorted([token.folded for token in tokenise(str(phrase))] for phrase in phrases) for kind, phrases in told.items()}


def _is_model(library: Library, spelling: str) -> bool:
    """Return whether a spelling means one model whose size is known, and can't be a plain word."""
    if not any(char.isdigit() for char in spelling) and len(tokenise(spelling)) < 2:
        return False
    try:
        catalogue.find_model(library, spelling)
    except KilowhatError:
        return False
    return True


def _as_code(slot: str, spelling: str) -> int:
    """Return how a spelling must be written to count: as a code where it looks like one of a place, in capitals where it is a short word (TV)."""
    if not spelling.isascii():
        return 0
    if slot == "place" and "-" in spelling and spelling.islower():
        return CODE
    short = len(spelling) <= 3 and spelling.isupper()
    return CODE if short and slot == "place" else CAPITALS if short and slot == "comparator" else 0


def _is_unit(spelling: str) -> bool:
    """Return whether a code is written as a unit that a question asks for: MW is more often a megawatt than Malawi."""
    try:
        return parse_unit(spelling).dimension in (POWER, ENERGY)
    except KilowhatError:
        return False


def _names(library: Library) -> dict[str, Any]:
    """Return the names of the library."""
    table = Table()
    add = table.add
    for kind, slot in (
        ("tasks", "task"),
        ("models", "model"),
        ("runs", "run"),
        ("services", "service"),
        ("hardware", "hardware"),
        ("comparators", "comparator"),
        ("places", "place"),
        ("providers", "provider"),
        ("forecasts", "forecast"),
    ):
        for name_id in library.names(kind):
            name = library.named(kind, name_id)
            meanings = {slot: name_id} if slot != "service" or name.get("task") is None else {"undisclosed": name_id, "task": str(name.get("task"))}
            for meaning, value in meanings.items():
                add(name_id, meaning, value, code=CODE if slot == "place" else 0)
                for spelling in (name.name, *name.aliases):
                    add(spelling, meaning, value, code=_as_code(slot, spelling))
    services = (library.named("services", name) for name in library.names("services"))
    taken = {fold(spelling) for service in services if service.get("task") is not None for spelling in (service.name, *service.aliases)}
    for model in catalogue.names():
        for spelling in sorted(catalogue.spellings_of(model)):
            if fold(spelling) not in taken and _is_model(library, spelling):
                add(spelling, "llm", spelling)
                taken.add(fold(spelling))
    for model_id in library.names("models"):
        plain = library.named("models", model_id).name
        if fold(plain) not in taken and _is_model(library, plain):
            add(plain, "llm", plain)
    for zone, told in library.countries.items():
        for spelling in (told["name"], *told["spellings"]):
            if fold(spelling) in library.spellings("places"):
                continue
            add(spelling, "place", zone, code=CAPITALS if spelling.isascii() and len(spelling) <= 2 else 0)
        for spelling in (zone, told["alpha2"]):
            if spelling and not _is_unit(spelling):
                add(spelling, "place", zone, code=CODE)
        names = {fold(name) for name in (told["name"], *told["spellings"])}
        for spelling in (adjective for adjective in told["adjectives"] if fold(adjective) not in names):
            add(spelling, "place", zone, code=ADJECTIVE)
    return table.content()


def _numerals() -> dict[str, int]:
    """Return the numerals of whole numbers to 99 and of their round multiples, as cn2an reads them: it takes long to import, and these are the usual ones."""
    from cn2an import an2cn, cn2an

    found = {}
    for number in [*range(3, 100), *(digit * 10**power for power in range(2, 12) for digit in range(1, 10))]:
        written = an2cn(number)
        for spelling in {written, written.removeprefix("一") if written.startswith("一十") else written, f"两{written[1:]}" if written.startswith("二") and number >= 200 else written}:
            if len(spelling) > 1 and int(cn2an(spelling, "smart")) == number:
                found[spelling] = number
    return dict(sorted(found.items(), key=lambda pair: (pair[1], pair[0])))


def _tool(tool: Tool) -> dict[str, Any]:
    """Return what a plan needs to know of a tool."""
    required = {name: field.is_required() for name, field in tool.arguments.model_fields.items()}
    return {"arguments": required, "ways": tool.ways, "topic": tool.topic, "gives": tool.gives}


def text(content: dict[str, Any]) -> str:
    """Return the tables as they are committed: one first token a line."""
    languages = ",\n".join(
        f'"{name}": {{{_json({key: value for key, value in told.items() if key != "phrases"})[1:-1]},"phrases":{_rows(told["phrases"])}}}' for name, told in content["languages"].items()
    )
    return f'{{\n"languages": {{\n{languages}\n}},\n"names": {_rows(content["names"])},\n"tools": {_rows(content["tools"])},\n"numerals": {_json(content["numerals"])}\n}}\n'


def _rows(table: dict[str, Any]) -> str:
    return "{\n" + ",\n".join(f"  {_json(token)}: {_json(phrases)}" for token, phrases in table.items()) + "\n}"


def _json(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def phrases() -> str:
    """Return the phrase files as one, one language a line."""
    rows = (f"{json.dumps(path.stem)}: {_json(read_yaml(path))}" for path in sorted(PHRASES.glob("*.yaml")))
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
