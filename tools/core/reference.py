"""The reference library: every number we calculate with, and where it is printed.

A ``Fact`` is one published figure with its source, the place in the source and the
figure as printed. A ``Claim`` is a figure of the press with our verdict; no tool
calculates from it. A ``Name`` is a thing that people name (a task, a training
run, a chip, a place) with its other spellings. ``Library`` looks all of them up.

People write YAML (``tools/reference``); what runs is ``library.json``, compiled from
it by ``python -m kilowhat.tools.core.compile``.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from kilowhat.tools.core.errors import NotPublished, UnknownName
from kilowhat.tools.core.units import Quantity, conversion_factor

MAXIMUM_REMEMBERED = 4096
"""How many answers to one kind of look-up are kept; there are fewer facts than that."""

COMPILED = Path(__file__).parent.parent / "reference" / "library.json"

Kind = Literal["measured", "reported", "modelled", "derived", "assumed"]
Against = Literal["primary text", "data file", "quotation", "two copies", "secondary copy", "arithmetic", "unverified"]


class Record(BaseModel):
    """Base of all records: unknown keys are an error, and nothing changes after loading."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)


class Source(Record):
    """A publication, card, page or data set."""

    id: str
    title: str
    authors: str | None = None
    producer: str | None = None
    published: str | None = None
    url: str | None = None
    licence: str | None = None
    note: str | None = None


class Checked(Record):
    """When a figure was compared with its source, and with which text."""

    on: str
    against: Against


MEASURES = {"emissions": ("emission", "co2"), "water": ("water",), "energy": ("electricity", "energy", "power")}
"""The words by which the statement of a share tells what it is one of."""


class Derivation(Record):
    """How a derived fact follows from others: an expression over their values in their own units."""

    expression: str
    inputs: dict[str, str]


class Fact(Record):
    """One published figure.

    ``low`` and ``high`` are the range that the source publishes; the statement says
    what it is. ``default`` says why a tool takes this figure where rivals exist.
    """

    id: str
    subject: str
    statement: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    unit: str
    scope: dict[str, str] = {}
    as_of: str | None = None
    kind: Kind
    source: str
    locator: str | None = None
    printed: str | None = None
    checked: Checked
    default: str | None = None
    derivation: Derivation | None = None
    note: str | None = None

    @cached_property
    def quantity(self) -> Quantity:
        """The figure with its range; a range alone has its geometric mean as value."""
        value = self.value
        if value is None:
            low, high = self.low or 0.0, self.high or 0.0
            value = math.sqrt(low * high) if low > 0 else high / 2
        return Quantity(value, self.unit, self.low, self.high)

    @property
    def share_of(self) -> str | None:
        """What a share is one of, emissions, water or energy; None for any other figure, and where the statement tells none of them."""
        words = self.statement.casefold() if self.unit in ("percent", "%") else ""
        return next((quantity for quantity, told in MEASURES.items() if any(word in words for word in told)), None)

    def in_unit(self, unit: str) -> Quantity:
        """Return the figure in another unit of its dimension."""
        found = self.quantities.get(unit)
        return found or self.quantities.setdefault(unit, self.quantity.to(unit))

    @cached_property
    def quantities(self) -> dict[str, Quantity]:
        """The figure in each unit that it was asked in so far."""
        return {}


class Recomputed(Record):
    """What a claim's own stated inputs give."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    unit: str
    from_: str | None = Field(default=None, alias="from")

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True, defer_build=True)


class Primary(Record):
    """The primary source of a claimed figure, and what it says."""

    source: str | None = None
    locator: str | None = None
    figure: str | None = None


class Claim(Record):
    """A figure of the press, with what is right and wrong about it; never an input of a tool."""

    id: str
    subject: str
    statement: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    unit: str | None = None
    scope: dict[str, str] = {}
    as_of: str | None = None
    source: str
    locator: str | None = None
    printed: str | None = None
    attributed_to: str | None = None
    verdict: Literal["true", "mostly true", "misleading", "outdated", "false", "unsupported"]
    failure: Literal["unit", "factor", "source", "pairing", "arithmetic", "assumption", "not-recomputable"] | None = None
    slip: str | None = None
    factor: float | None = None
    recomputed: Recomputed | None = None
    right: Recomputed | None = None
    primary: Primary | None = None
    why: str
    keys: list[list[str]] = Field(default_factory=list)
    """Groups of words of which each group must be told for words to be this claim: words in any language, or ``place:NLD``, ``topic:ai`` … for all names of one."""
    checked: Checked


class Name(Record):
    """A thing that people name, with its other spellings; extra keys depend on the kind."""

    model_config = ConfigDict(frozen=True, extra="allow", defer_build=True)

    id: str
    name: str
    aliases: list[str] = []
    note: str | None = None

    def get(self, key: str) -> Any:
        """Return an extra key of this kind of name, or None."""
        return (self.model_extra or {}).get(key)


def fold(text: str) -> str:
    """Return a name without what spelling leaves free: case, width, accents, spaces, hyphens, dots.

    >>> fold("Llama-3.1 405B") == fold("llama 3.1 405b") == fold("ＬＬＡＭＡ３．１－４０５Ｂ")
    True
    """
    if text.isascii():
        return _FREE.sub("", text.lower())
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text)).casefold()
    return _FREE.sub("", "".join(c for c in plain if not unicodedata.combining(c)))


_FREE = re.compile(r"[^\w+]|_")


class Library:
    """Facts, claims, sources and names, each looked up by id, by scope, by name or by words."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self._content = content
        self._facts: dict[str, Mapping[str, Any]] = content["facts"]
        self._by_subject: dict[str, list[str]] = {}
        for fact_id, fact in self._facts.items():
            self._by_subject.setdefault(fact["subject"], []).append(fact_id)
        self._seen: dict[str, Fact] = {}
        self._found: dict[tuple[Any, ...], list[Fact]] = {}
        self._named: dict[tuple[str, str], Name] = {}
        self._sources: dict[str, Source] = {}
        self._claims: dict[str, Claim] = {}
        self.citations: dict[tuple[str, bool, int], Any] = {}
        """Citations made so far, by fact, whether the source is told for the first time, and how briefly; they are the same in every estimate."""
        self.inputs: dict[tuple[str, str, str, str], Any] = {}
        """Facts as inputs of a formula, by the input's name, fact, unit and origin; they too are the same in every estimate."""
        self.citation_sizes: dict[int, int] = {}
        """Bytes of those citations as JSON, by their identity."""

    @classmethod
    def load(cls) -> Library:
        """Return the library that ships with the package; read once a process."""
        return _load()

    @property
    def version(self) -> str:
        """The version of the data, which names the electricity series too."""
        return str(self._content["version"])

    def __len__(self) -> int:
        """Return the number of facts written here, without those that packages bring."""
        return len(self._facts)

    def __iter__(self) -> Iterator[Fact]:
        """Yield every fact written here."""
        return (self.fact(fact_id) for fact_id in self._facts)

    def fact(self, fact_id: str, *, field: str | None = None) -> Fact:
        """Return the fact with an id.

        Raises:
            UnknownName: with the nearest ids, where there is none.
        """
        if (fact := self._seen.get(fact_id)) is not None:
            return fact
        raw = self._facts.get(fact_id) or self._electricity.get(fact_id)
        if raw is None and fact_id.endswith("-parameters"):
            from kilowhat.tools.core import catalogue

            if (fact := catalogue.parameter_fact(fact_id)) is not None:
                return self._seen.setdefault(fact_id, fact)
        if raw is None:
            raise UnknownName(f"There is no fact {fact_id[:80]!r}; search with look_up_references.", field=field, nearest=_nearest(fact_id, self._facts))
        return self._seen.setdefault(fact_id, Fact.model_validate(raw))

    @cached_property
    def _electricity(self) -> Mapping[str, Mapping[str, Any]]:
        from kilowhat.tools.core import electricity

        return electricity.country_facts(self.countries)

    def source(self, source_id: str) -> Source:
        """Return the source with an id."""
        known = self._sources.get(source_id)
        return known or self._sources.setdefault(source_id, Source.model_validate(self._content["sources"][source_id]))

    @property
    def sources(self) -> list[str]:
        """The ids of all sources."""
        return list(self._content["sources"])

    def claim(self, claim_id: str, *, field: str | None = None) -> Claim:
        """Return the claim with an id.

        Raises:
            UnknownName: with the nearest ids, where there is none.
        """
        claims = self._content["claims"]
        if claim_id not in claims:
            raise UnknownName(f"There is no claim {claim_id[:80]!r}; give its words and its figure.", field=field, nearest=_nearest(claim_id, claims))
        known = self._claims.get(claim_id)
        return known or self._claims.setdefault(claim_id, Claim.model_validate(claims[claim_id]))

    @property
    def claims(self) -> list[str]:
        """The ids of all claims."""
        return list(self._content["claims"])

    @property
    def countries(self) -> Mapping[str, Mapping[str, Any]]:
        """By ISO 3166-1 alpha-3 code: the two-letter code and the names of the country in the languages we know."""
        countries: Mapping[str, Mapping[str, Any]] = self._content["countries"]
        return countries

    def find(self, subject: str, **scope: str) -> list[Fact]:
        """Return the facts on a subject whose scope holds all of the given pairs, defaults first."""
        asked = (subject, *scope.items())
        found = self._found.get(asked)
        if found is None:
            ids = [fact_id for fact_id in self._by_subject.get(subject, ()) if all(self._facts[fact_id].get("scope", {}).get(key) == value for key, value in scope.items())]
            ids.sort(key=lambda fact_id: not self._facts[fact_id].get("default"))
            found = [self.fact(fact_id) for fact_id in ids]
            if len(self._found) < MAXIMUM_REMEMBERED:
                self._found[asked] = found
        return list(found)

    def from_source(self, source_id: str) -> list[Fact]:
        """Return the facts of a source."""
        return [self.fact(fact_id) for fact_id, raw in self._facts.items() if raw["source"] == source_id]

    def default(self, subject: str, *, field: str | None = None, **scope: str) -> Fact:
        """Return the fact that a tool takes by default for a subject and scope.

        Raises:
            NotPublished: where no published figure is good enough to be a default.
        """
        found = self.find(subject, **scope)
        if not found or found[0].default is None:
            what = ", ".join(scope.values())
            rivals = [fact.id for fact in found[:5]]
            raise NotPublished(f"No published figure for {subject.replace('-', ' ')} of {what} is sound enough to calculate with.", field=field, nearest=rivals)
        return found[0]

    def names(self, kind: str) -> list[str]:
        """Return the ids of all names of a kind (tasks, runs, hardware, services, providers, places, models, comparators, forecasts)."""
        return list(self._content["names"][kind])

    def name(self, kind: str, text: str, *, field: str | None = None) -> Name:
        """Return the thing that a text names, however it is spelled.

        Raises:
            UnknownName: with the nearest known names, where nothing has that name.
        """
        index = self._index(kind)
        key = fold(text)
        if key not in index:
            known = self._content["names"][kind]
            nearest = [known[index[near]]["name"] for near in _nearest(key, index)]
            what = {
                "tasks": "task",
                "runs": "training run",
                "hardware": "device",
                "services": "service",
                "places": "place",
                "comparators": "comparison",
                "forecasts": "forecast",
                "providers": "provider",
                "models": "model",
            }.get(kind, kind)
            hint = f"Near it: {', '.join(dict.fromkeys(nearest))}." if nearest else "Nothing we know is near it."
            raise UnknownName(f"{text[:60]!r} is no {what} that is known here. {hint}", field=field, nearest=list(dict.fromkeys(nearest)))
        return self.named(kind, index[key])

    def named(self, kind: str, name_id: str) -> Name:
        """Return the name with an id."""
        known = self._named.get((kind, name_id))
        return known or self._named.setdefault((kind, name_id), Name.model_validate(self._content["names"][kind][name_id]))

    @lru_cache(maxsize=16)  # noqa: B019  (a library lives as long as the process)
    def _index(self, kind: str) -> dict[str, str]:
        index: dict[str, str] = {}
        for name_id, raw in self._content["names"][kind].items():
            for spelling in (name_id, raw["name"], *raw.get("aliases", ()), *raw.get("unit_name", {}).values()):
                index.setdefault(fold(spelling), name_id)
        return index

    def spellings(self, kind: str) -> Mapping[str, str]:
        """Return every folded spelling of a kind of names with the id it stands for."""
        return self._index(kind)

    @cached_property
    def place_codes(self) -> Mapping[str, str]:
        """Codes of places exactly as written, hyphens included: us-west1 is another cloud's region than us-west-1."""
        places = self._content["names"]["places"]
        return {place_id: place_id for place_id in places} | {raw["exact"]: place_id for place_id, raw in places.items() if "exact" in raw}

    def search(self, query: str, *, subject: str | None = None, limit: int = 5) -> list[Fact | Claim]:
        """Return the facts and claims that fit a text, the best first; see ``tools.core.search``."""
        from kilowhat.tools.core.search import search

        return search(self, query, subject=subject, limit=limit)

    def raw(self, kind: str) -> Mapping[str, Mapping[str, Any]]:
        """Return the records of a kind by id as they are compiled: facts, electricity, claims, sources, or a kind of names."""
        found: Mapping[str, Mapping[str, Any]] = self._electricity if kind == "electricity" else self._content[kind] if kind in self._content else self._content["names"].get(kind, {})
        return found

    def spelled(self, key: str, value: str) -> list[str]:
        """Return every spelling of what a scope names: a thing of ours, or a country."""
        if key == "place" and value in self.countries:
            return [str(self.countries[value]["name"]), *self.countries[value]["spellings"]]
        named = self._content["names"].get(SCOPE_KINDS.get(key, ""), {}).get(value)
        return [named["name"], *named.get("aliases", ())] if named else []


SCOPE_KINDS = {"task": "tasks", "run": "runs", "hardware": "hardware", "service": "services", "provider": "providers", "model": "models", "comparator": "comparators"}
"""Scope keys whose values must be names of a kind."""

_STOP = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "by",
        "does",
        "do",
        "each",
        "for",
        "from",
        "how",
        "in",
        "is",
        "it",
        "its",
        "many",
        "much",
        "of",
        "on",
        "one",
        "or",
        "per",
        "that",
        "the",
        "their",
        "this",
        "to",
        "was",
        "what",
        "which",
        "with",
    ]
)


def words_of(text: str) -> set[str]:
    """Return the words of a text for searching: folded, without stop words; Chinese as pairs of characters."""
    folded = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", unicodedata.normalize("NFKC", text).casefold())
    words = {word.removesuffix("s") for word in re.findall(r"[a-zà-ÿ]+(?:\d+[a-zà-ÿ\d]*)?|\d+(?:[.,]\d+)*[a-zà-ÿ]*", folded) if word not in _STOP}
    for run in [] if folded.isascii() else re.findall(r"[\u3400-\u9fff\u3040-\u30ff]+", folded):
        words.update(run[start : start + 2] for start in range(max(1, len(run) - 1)))
    return words


def _nearest(text: str, known: Mapping[str, Any], limit: int = 3) -> list[str]:
    """Return the known keys most like a text."""
    from difflib import get_close_matches

    return get_close_matches(text[:80], list(known), n=limit, cutoff=0.5)


def intensity(fact: Fact) -> float:
    """Return a grid intensity in kg CO2e per kWh."""
    return fact.quantity.value * conversion_factor(fact.unit, "kg CO2e/kWh")


@lru_cache(maxsize=1)
def _load() -> Library:
    return Library(json.loads(COMPILED.read_bytes()))
