"""From the YAML that people write to the JSON that runs, with every rule of the library checked on the way.

    python -m kilowhat.tools.core.compile            # check everything and write library.json
    python -m kilowhat.tools.core.compile --check    # check, and fail where library.json is not current

Needs ``ruamel.yaml`` (YAML 1.2: ``NO`` is Norway, a duplicate key is an error) and ``babel``
(the names of countries, from CLDR); running the tools needs neither.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from kilowhat.tools.core import electricity
from kilowhat.tools.core.claims import index_of_claims
from kilowhat.tools.core.errors import KilowhatError
from kilowhat.tools.core.expression import evaluate
from kilowhat.tools.core.reading import read
from kilowhat.tools.core.reference import COMPILED, SCOPE_KINDS, Claim, Fact, Library, Name, Source, fold
from kilowhat.tools.core.units import parse_quantity, parse_unit

HERE = COMPILED.parent
LANGUAGES = ("en", "zh_Hans", "zh_Hant", "fr", "de", "es", "ja")
NAME_KINDS = ("tasks", "models", "services", "runs", "hardware", "providers", "places", "comparators", "forecasts", "topics")

_ID = re.compile(r"^[a-z0-9]+(?:[.-][a-z0-9]+)*$")
_HIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff<>]")


SHORTEST_TITLE, WORDS_OF_A_TITLE = 12, 3
"""So many letters and words has a title, at least, that stands for its source by itself."""


def index_of_titles(library: Library) -> dict[str, list[str]]:
    """Return the ids of the sources by the head of their title, in folded letters, where it is long enough and names nothing that is asked about itself; the library ships with it."""
    index: dict[str, list[str]] = {}
    for source_id, raw in library.raw("sources").items():
        head = raw["title"].partition(": ")[0].rstrip("?!. ")
        if len(head) >= SHORTEST_TITLE and len(head.split()) >= WORDS_OF_A_TITLE and not read(library, head).things:
            index.setdefault(fold(head), []).append(source_id)
    return index


class LibraryError(Exception):
    """A mistake in the library, with the file and the entry where it is."""


def read_yaml(path: Path) -> Any:
    """Return what a YAML 1.2 file holds.

    Raises:
        LibraryError: where it is no YAML, or a key stands twice.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        return YAML(typ="safe", pure=True).load(path.read_text("utf-8"))
    except MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise LibraryError(f"{path.name}: {line}{error.problem or error.context}") from None
    except YAMLError as error:
        raise LibraryError(f"{path.name}: {str(error).splitlines()[0]}") from None


def read_records(path: Path, record: type[Any]) -> list[Any]:
    """Return the records of a file, each validated by its model.

    Raises:
        LibraryError: naming the file, the entry and the field.
    """
    entries = read_yaml(path)
    if not isinstance(entries, list):
        raise LibraryError(f"{path.name}: holds no list of entries")
    records = []
    for number, entry in enumerate(entries, 1):
        where = f"{path.name}: {entry.get('id', f'entry {number}') if isinstance(entry, dict) else f'entry {number}'}"
        try:
            records.append(record.model_validate(_texts(entry)))
        except ValidationError as error:
            problem = error.errors()[0]
            raise LibraryError(f"{where}: {'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}") from None
        if not _ID.match(records[-1].id):
            raise LibraryError(f"{where}: an id is lower-case ASCII words joined by hyphens")
        for text in _all_texts(entry):
            if _HIDDEN.search(text):
                raise LibraryError(f"{where}: holds markup or a hidden character")
    return records


def _texts(entry: Any) -> Any:
    """Return an entry with its dates as text: YAML reads 2024 as a number and 2024-06-01 as a date."""
    if not isinstance(entry, dict):
        return entry
    dates = {key: str(entry[key]) for key in ("as_of", "published") if entry.get(key) is not None}
    if isinstance(entry.get("checked"), dict) and "on" in entry["checked"]:
        dates["checked"] = entry["checked"] | {"on": str(entry["checked"]["on"])}
    return entry | dates


def _all_texts(entry: Any) -> Iterable[str]:
    if isinstance(entry, str):
        yield entry
    elif isinstance(entry, Mapping):
        for value in entry.values():
            yield from _all_texts(value)
    elif isinstance(entry, list):
        for value in entry:
            yield from _all_texts(value)


def check_figure(entry: Fact | Claim) -> None:
    """Check that a record's unit, order of ends and printed figure agree.

    Raises:
        LibraryError: saying what does not.
    """
    if entry.value is None and entry.low is None and isinstance(entry, Fact):
        raise LibraryError(f"{entry.id}: has neither value nor low and high")
    if (entry.low is None) != (entry.high is None):
        raise LibraryError(f"{entry.id}: low and high come together")
    if entry.low is not None and entry.high is not None and not (entry.low <= (entry.low if entry.value is None else entry.value) <= entry.high):
        raise LibraryError(f"{entry.id}: low, value and high are not in order")
    try:
        unit = parse_unit(entry.unit) if entry.unit is not None else None
        printed = parse_quantity(entry.printed) if entry.printed is not None and unit is not None else None
    except KilowhatError as error:
        raise LibraryError(f"{entry.id}: {error.message}") from None
    if printed is None or unit is None or (entry.value is None and entry.low is None):
        return
    shown = parse_unit(printed.unit)
    told_as_mass = tuple(sorted(("emissions" if base == "mass" else base, exponent) for base, exponent in shown.dimension))
    if unit.dimension not in (shown.dimension, told_as_mass):
        raise LibraryError(f"{entry.id}: printed {entry.printed!r} is of another dimension than {entry.unit!r}")
    scale = shown.factor / unit.factor
    pairs = [(printed.value, entry.value)] if printed.low is None or entry.low is None else [(printed.low, entry.low), (printed.high, entry.high)]
    digits = [match.replace(",", "") for match in re.findall(r"\d[\d,]*(?:\.\d+)?", unicodedata.normalize("NFKC", entry.printed or ""))]
    written = parse_quantity(f"{digits[0]}").value if digits else 1.0
    step = (printed.low if printed.low is not None else printed.value) / written * 10.0 ** -len(digits[0].partition(".")[2]) if written else 0.0
    for found, told in pairs:
        if found is None or told is None:
            raise LibraryError(f"{entry.id}: printed {entry.printed!r} and the value are not both one figure or both a range")
        tolerance = 0.5 * (abs(step) * scale + _last_digit(told)) + 1e-9 * abs(told)
        if abs(found * scale - told) > tolerance:
            raise LibraryError(f"{entry.id}: printed {entry.printed!r} is {found * scale:.6g} {entry.unit}, not {told:g}")


def _last_digit(value: float) -> float:
    exponent = Decimal(repr(value)).normalize().as_tuple().exponent
    return 10.0**exponent if isinstance(exponent, int) and exponent < 0 else 0.0


def check_fact(fact: Fact) -> None:
    """Check what one fact must hold by itself.

    Raises:
        LibraryError: saying what is missing.
    """
    check_figure(fact)
    if fact.default is not None and (fact.locator is None or (fact.printed is None and fact.kind not in ("derived", "assumed"))):
        raise LibraryError(f"{fact.id}: a default needs locator and printed")
    if fact.default is not None and fact.checked.against == "unverified":
        raise LibraryError(f"{fact.id}: what is unverified can be no default")
    if (fact.kind == "derived") != (fact.derivation is not None):
        raise LibraryError(f"{fact.id}: a derived fact has a derivation, and only a derived one")
    if len(fact.statement) > 320:
        raise LibraryError(f"{fact.id}: a statement is one sentence of at most 320 characters")


def check_derivation(fact: Fact, facts: Mapping[str, Fact]) -> None:
    """Check that a derived fact follows from its inputs.

    Raises:
        LibraryError: where an input is unknown, rests on the fact itself, or the arithmetic gives another value.
    """
    if fact.derivation is None:
        return
    for input_id in fact.derivation.inputs.values():
        if input_id not in facts:
            raise LibraryError(f"{fact.id}: derives from {input_id!r}, which is no fact")
    if fact.id in _origins(fact, facts):
        raise LibraryError(f"{fact.id}: derives from itself")
    values = {name: facts[input_id].quantity.value for name, input_id in fact.derivation.inputs.items()}
    try:
        found = evaluate(fact.derivation.expression, values)
    except KilowhatError as error:
        raise LibraryError(f"{fact.id}: {error.message}") from None
    if not math.isclose(found, fact.quantity.value, rel_tol=0.005):
        raise LibraryError(f"{fact.id}: {fact.derivation.expression} is {found:.6g}, not {fact.quantity.value:g}")


def _origins(fact: Fact, facts: Mapping[str, Fact]) -> set[str]:
    """Return the ids of all facts that a fact derives from, near and far."""
    found: set[str] = set()
    ahead = [fact]
    while ahead:
        derivation = ahead.pop().derivation
        inputs = set(derivation.inputs.values()) - found if derivation else set()
        found |= inputs
        ahead += [facts[input_id] for input_id in inputs if input_id in facts]
    return found


def check_claim(claim: Claim) -> None:
    """Check that a claim's figure parses and that its recomputation gives what it says.

    Raises:
        LibraryError: where it does not.
    """
    check_figure(claim)
    again = claim.recomputed
    if again is not None and again.from_ is not None and again.value is not None:
        try:
            found = evaluate(again.from_, {})
        except KilowhatError as error:
            raise LibraryError(f"{claim.id}: {error.message}") from None
        if not math.isclose(found, again.value, rel_tol=0.005):
            raise LibraryError(f"{claim.id}: {again.from_} is {found:.6g}, not {again.value:g}")


def _unique(records: Iterable[Any], what: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for record in records:
        if record.id in found:
            raise LibraryError(f"{record.id}: two {what} have this id")
        found[record.id] = record
    return found


def check_names(kind: str, names: Mapping[str, Name]) -> None:
    """Check that no spelling stands for two things of a kind.

    Raises:
        LibraryError: naming both.
    """
    seen: dict[str, str] = {}
    for name in names.values():
        for spelling in {fold(text) for text in (name.id, name.name, *name.aliases)}:
            if not spelling:
                raise LibraryError(f"{kind}: {name.id}: has an empty alias")
            if seen.setdefault(spelling, name.id) != name.id:
                raise LibraryError(f"{kind}: {spelling!r} stands for {seen[spelling]} and for {name.id}")


def check_library(sources: Mapping[str, Source], facts: Mapping[str, Fact], claims: Mapping[str, Claim], names: Mapping[str, Mapping[str, Name]]) -> None:
    """Check the rules that span entries: no orphans, no unknown reference, one default a thing.

    Raises:
        LibraryError: naming the entry.
    """
    records: list[Fact | Claim] = [*facts.values(), *claims.values()]
    for record in records:
        if record.source not in sources:
            raise LibraryError(f"{record.id}: source {record.source!r} is not in sources.yaml")
        for key, value in record.scope.items():
            kind = SCOPE_KINDS.get(key)
            if kind is not None and kind in names and value not in names[kind]:
                raise LibraryError(f"{record.id}: {key} {value!r} has no entry in names/{kind}.yaml")
    for claim in claims.values():
        if claim.primary and claim.primary.source and claim.primary.source not in sources:
            raise LibraryError(f"{claim.id}: primary source {claim.primary.source!r} is not in sources.yaml")
        if claim.id in facts:
            raise LibraryError(f"{claim.id}: is a fact and a claim")
    used = {record.source for record in records} | {claim.primary.source for claim in claims.values() if claim.primary and claim.primary.source}
    for source_id in sources:
        if source_id not in used and source_id != "ecologits-electricity":
            raise LibraryError(f"{source_id}: no fact or claim comes from this source")
    defaults = Counter((fact.subject, _main_scope(fact)) for fact in facts.values() if fact.default is not None)
    for (subject, scope), count in defaults.items():
        if count > 1:
            raise LibraryError(f"{subject} of {dict(scope)}: {count} facts are its default")
    for fact in facts.values():
        check_derivation(fact, facts)
    for service in names.get("services", {}).values():
        for fact_id in service.get("typical") or ():
            if fact_id not in facts:
                raise LibraryError(f"services: {service.id}: {fact_id!r} is no fact")
    for forecast in names.get("forecasts", {}).values():
        for fact_id in (forecast.get("end"), forecast.get("start"), *(forecast.get("cases") or ())):
            if (fact_id is not None or forecast.get("end") is None) and fact_id not in facts:
                raise LibraryError(f"forecasts: {forecast.id}: {fact_id!r} is no fact")
    for place in names.get("places", {}).values():
        if place.get("intensity") is not None and place.get("intensity") not in facts:
            raise LibraryError(f"places: {place.id}: intensity {place.get('intensity')!r} is no fact")
        if place.get("water_of") is not None and not any(fact.default and fact.subject == "water-intensity" and fact.scope.get("place") == place.get("water_of") for fact in facts.values()):
            raise LibraryError(f"places: {place.id}: no water-intensity of {place.get('water_of')!r} is a default")
        if place.get("country") is not None and place.get("country") not in electricity.zones():
            raise LibraryError(f"places: {place.id}: {place.get('country')!r} is no zone of the electricity series")


def _main_scope(fact: Fact) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((key, value) for key, value in fact.scope.items() if key not in ("statistic", "boundary")))


def country_names() -> dict[str, dict[str, Any]]:
    """Return, for every zone of the electricity series, its two-letter code and its names in our languages."""
    from babel import Locale
    from babel.core import get_global

    extra = read_yaml(HERE / "names" / "countries.yaml")
    alpha3 = {code: alias[0] for code, alias in get_global("territory_aliases").items() if len(code) == 3 and code.isalpha() and len(alias) == 1}
    locales = [Locale.parse(language) for language in LANGUAGES]
    countries: dict[str, dict[str, Any]] = {}
    for zone in electricity.zones():
        told = extra.get(zone, {})
        alpha2 = told.get("alpha2") or alpha3.get(zone)
        names = [locale.territories[alpha2] for locale in locales if alpha2 in locale.territories]
        name = told.get("name") or (names[0] if names else zone)
        spellings = dict.fromkeys([*names, *told.get("aliases", ())])
        countries[zone] = {"alpha2": alpha2, "name": name, "spellings": [spelling for spelling in spellings if spelling != name], "adjectives": list(told.get("adjectives", ()))}
    return countries


def build(folder: Path = HERE) -> dict[str, Any]:
    """Return the compiled library after checking every rule.

    Raises:
        LibraryError: at the first mistake, with file and entry.
    """
    sources = _unique(read_records(folder / "sources.yaml", Source), "sources")
    files = sorted(path for path in folder.glob("*.yaml") if path.name not in ("sources.yaml", "claims.yaml"))
    facts = _unique((fact for path in files for fact in read_records(path, Fact)), "facts")
    claims = _unique(read_records(folder / "claims.yaml", Claim), "claims")
    names = {kind: _unique(read_records(path, Name), "names") if (path := folder / "names" / f"{kind}.yaml").exists() else {} for kind in NAME_KINDS}
    for fact in facts.values():
        check_fact(fact)
    for claim in claims.values():
        check_claim(claim)
    for kind, known in names.items():
        check_names(kind, known)
    check_library(sources, facts, claims, names)
    content = {
        "sources": {key: source.model_dump(exclude_none=True) for key, source in sources.items()},
        "facts": {key: fact.model_dump(exclude_none=True) for key, fact in facts.items()},
        "claims": {key: claim.model_dump(exclude_none=True, by_alias=True) for key, claim in claims.items()},
        "names": {kind: {key: name.model_dump(exclude_none=True) for key, name in known.items()} for kind, known in names.items()},
        "countries": country_names(),
        "citing": read_yaml(HERE / "names" / "citing.yaml"),
    }
    newest = max(fact.checked.on for fact in facts.values())
    return {"version": f"{newest}+ecologits-{electricity.SERIES}"} | content | {"claim_index": index_of_claims(Library(content)), "title_index": index_of_titles(Library(content))}


def text(content: Mapping[str, Any]) -> str:
    """Return the compiled library as it is committed: one record a line, so that a change shows as one."""
    parts = []
    for key, value in content.items():
        if not isinstance(value, dict):
            parts.append(f"{json.dumps(key)}: {json.dumps(value)}")
            continue
        rows = ",\n".join(f"  {json.dumps(name)}: {json.dumps(record, ensure_ascii=False, separators=(',', ':'))}" for name, record in value.items())
        parts.append(f"{json.dumps(key)}: {{\n{rows}\n}}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def main(arguments: list[str] | None = None) -> int:
    """Check the library and write it, or with ``--check`` say whether the written one is current."""
    parser = argparse.ArgumentParser(description="Check the reference library and compile it.")
    parser.add_argument("--check", action="store_true", help="fail where library.json is not current")
    options = parser.parse_args(arguments)
    try:
        compiled = text(build())
    except LibraryError as error:
        print(error, file=sys.stderr)
        return 1
    if options.check:
        current = COMPILED.exists() and COMPILED.read_text("utf-8") == compiled
        print("library.json is current" if current else "library.json is not current: run python -m kilowhat.tools.core.compile")
        return 0 if current else 1
    COMPILED.write_text(compiled, "utf-8")
    print(f"wrote {COMPILED.name}: {len(json.loads(compiled)['facts'])} facts, {len(compiled) / 1e3:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
