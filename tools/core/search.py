"""The records that fit a text, the best first: by figure, by name, by subject, by year, and what is said of a whole before its parts.

**Score** = what a text tells of a record, less what the record holds that the text did not ask for. A figure, a name and a
topic that fit weigh most; words that name nothing known weigh by how rare they are. Then come defaults before special
cases, the world before a place, the whole before a part, the asked year before others, the newest before the older, and
last the order in which the library holds them. A thing that nothing was asked of counts the less against a record the
more the library knows of it: who asks for the water of training asks for the best-known run.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from heapq import nlargest
from typing import Any

from kilowhat.tools.core.claims import related_facts
from kilowhat.tools.core.errors import KilowhatError
from kilowhat.tools.core.patterns import Late
from kilowhat.tools.core.reading import Reading, read
from kilowhat.tools.core.reference import SCOPE_KINDS, Claim, Fact, Library, words_of
from kilowhat.tools.core.units import EMISSIONS, ENERGY, MASS, NUMBER, POWER, TIME, VOLUME, Dimension, combine, parse_unit

NAME, PLACE, SUBJECT, ALONE, MEASURE, TOPIC, SCOPE, LESS, FIGURE, BARE, WORD, YEAR = 6.0, 5.0, 3.0, 3.5, 2.5, 4.0, 3.0, 1.0, 9.0, 4.0, 2.5, 3.0
"""What it weighs that a text names a thing, a place, a subject, one that has no unit of its own, its unit, both, a part of the scope, a unit that may be meant,
a figure with its unit, a bare number, a word that only one record holds, and the year."""

DEFAULT, PRESS = 1.2, 2.5
UNASKED_THING, KNOWN_BETTER, UNASKED_WHERE, OTHER_YEAR, NEWER = 2.0, 0.4, 1.5, 1.0, 0.03
SPECIAL = {"case": 1.0, "part": 0.8, "scenario": 0.6, "generation": 1.0, "cooling": 0.6}
"""What a special case that was not asked for weighs against a record that is no default."""
ASKED_CASE = 2.0
"""What speaks for a special case all of whose words were told."""
WHOLE = {"place": "WOR", "provider": "industry", "sector": "company", "part": "final"}
"""What stands for all of a kind; "total" does too."""
LESS_USUAL = {("statistic", "min"): 0.6, ("statistic", "max"): 0.6, ("statistic", "range"): 0.4, ("basis", "market"): 0.5, ("basis", "marginal"): 1.0}
FIRST = {ENERGY: 0.3, POWER: 0.25, combine(EMISSIONS, ENERGY, -1): 0.25, EMISSIONS: 0.2, VOLUME: 0.1, NUMBER: -1.3}
"""Which quantity comes first where none is asked for; shares and counts come last."""

LOOKED_AT = 120
"""Records that are weighed in full."""
ENOUGH = 0.55
"""What a record must share with a text, as a share of what the best one does."""
MAY_BE = 0.25
"""The same where claims alone are looked for, of which few hold all that a text names."""
WIDEST, NARROWEST = 0.01, 0.0008
"""How far a record's figure may lie from one that is told, whatever its digits."""
_THINGS = frozenset(SCOPE_KINDS) - {"provider"}
_YEARLY = combine(ENERGY, TIME, -1)
_HEAD = re.compile(r"\s*(?:/| per ).*")


@dataclass(frozen=True, slots=True)
class Told:
    """What a record tells to a search."""

    id: str
    subject: str
    dimension: Dimension | None
    scope: Mapping[str, str]
    default: bool
    claim: bool
    year: int | None
    special: frozenset[str]
    """The words of its special cases."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A record with how well it fits."""

    told: Told
    shared: float
    score: float


class Index:
    """Where things, subjects, units, figures and words stand in a library; built at the first search, in a twentieth of a second."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.records: list[Told] = []
        self.by_scope: dict[tuple[str, str], list[int]] = {}
        self.by_subject: dict[str, list[int]] = {}
        self.by_dimension: dict[Dimension, list[int]] = {}
        self.by_figure: dict[tuple[Dimension | None, int], list[tuple[int, float]]] = {}
        self.by_word: dict[str, list[int]] = {}
        self.whole: set[tuple[str, str]] = set()
        sources = {source_id: words_of(" ".join(str(raw[key]) for key in ("title", "authors", "producer") if raw.get(key))) for source_id, raw in library.raw("sources").items()}
        for kind in ("facts", "electricity", "claims"):
            for record_id, raw in library.raw(kind).items():
                self._add(record_id, raw, sources.get(raw["source"], set()), claim=kind == "claims")
        self.measuring = {topic for topic, told in library.raw("topics").items() if told.get("unit") or len(self._dimensions(told.get("subjects") or ())) == 1}
        """Topics that say which quantity is asked for."""
        self.unasked = [self._unasked(record, frozenset(), frozenset(), ()) for record in self.records]

    def _add(self, record_id: str, raw: Mapping[str, Any], source_words: set[str], *, claim: bool) -> None:
        number, scope = len(self.records), raw.get("scope", {})
        year = int(raw["as_of"][:4]) if str(raw.get("as_of") or "")[:4].isdigit() else None
        dimension = _measured(raw.get("unit"))
        special = frozenset(word for key, value in scope.items() if key not in ("place", "boundary", "gas", "period") and key not in SCOPE_KINDS for word in value.split("-"))
        self.records.append(Told(record_id, raw["subject"], dimension, scope, raw.get("default") is not None, claim, year, special))
        for pair in scope.items():
            self.by_scope.setdefault(pair, []).append(number)
            if WHOLE.get(pair[0]) == pair[1]:
                self.whole.add((raw["subject"], pair[0]))
        self.by_subject.setdefault(raw["subject"], []).append(number)
        if dimension is not None:
            self.by_dimension.setdefault(dimension, []).append(number)
        for key, size in _figures_of(raw):
            if size > 0:
                self.by_figure.setdefault((key, _bucket(size)), []).append((number, size))
        keys = [key.removeprefix("=") for group in raw.get("keys") or () for key in group if ":" not in key]
        words = words_of(" ".join([record_id.replace("-", " "), raw["statement"], raw.get("printed") or "", " ".join(scope.values()).replace("-", " "), *keys])) | source_words
        for word in words:
            self.by_word.setdefault(word, []).append(number)

    def _dimensions(self, subjects: Iterable[str]) -> set[Dimension | None]:
        return {self.records[number].dimension for subject in subjects for number in self.by_subject.get(subject, ())}

    def find(self, reading: Reading, *, subject: str | None = None, claims: bool = False) -> list[Hit]:
        """Return the records that fit what a text names, the best first."""
        shared: dict[int, float] = {}
        self._by_names(reading, shared)
        self._by_topics(reading, shared)
        figures = self._by_figures(reading, shared)
        self._by_words(reading, shared)
        if not shared:
            return []
        if subject is not None:
            kept = set(self.by_subject.get(subject, ()))
            shared = {number: size for number, size in shared.items() if number in kept}
        if claims:
            shared = {number: size for number, size in shared.items() if self.records[number].claim}
        best = nlargest(LOOKED_AT, shared, key=lambda number: shared[number] - self.unasked[number])
        named = frozenset(("place" if key == "within" else key, name) for span in reading.spans for key, name in span) | frozenset(self._scopes(reading))
        words, measured = frozenset(words_of(reading.text)), any(topic in self.measuring for topic in reading.topics) or bool(reading.figures)
        hits = []
        for number in best:
            record = self.records[number]
            score = shared[number] - self._unasked(record, named, words, reading.years)
            if not measured and record.dimension is not None:
                score += FIRST.get(record.dimension, 0.0)
            told = shared[number] + (YEAR if record.year in reading.years else 0.0)
            hits.append((score, told, -number, number))
        hits.sort(reverse=True)
        enough = (MAY_BE if claims else ENOUGH) * max((told for _, told, _, _ in hits), default=0.0)
        exact = max((figures.get(number, 0.0) for _, _, _, number in hits), default=0.0)
        return [Hit(self.records[number], told, score) for score, told, _, number in hits if told >= enough or (exact and figures.get(number, 0.0) >= exact)]

    def _by_names(self, reading: Reading, shared: dict[int, float]) -> None:
        for span in reading.spans:
            held = {number for key, name in span for number in self.by_scope.get(("place" if key == "within" else key, name), ())}
            weight = PLACE if all(key in ("place", "within") for key, _ in span) else NAME
            if not held:
                continue
            for number in held:
                shared[number] = shared.get(number, 0.0) + weight

    def _by_topics(self, reading: Reading, shared: dict[int, float]) -> None:
        for topic in reading.topics:
            told = self._topic(topic)
            weights: dict[int, float] = {}
            for unit, weight in ((told.get("less"), LESS), (told.get("unit"), MEASURE)):
                for number in self.by_dimension.get(_measured(unit) or (), ()) if unit and _measured(unit) != NUMBER else ():
                    weights[number] = weight
            for subject in told.get("subjects") or ():
                for number in self.by_subject.get(subject, ()):
                    weights[number] = TOPIC if weights.get(number) == MEASURE else ALONE if told.get("unit") is None else SUBJECT
            for pair in (told.get("scope") or {}).items():
                for number in self.by_scope.get(pair, ()):
                    weights[number] = SCOPE
            for number, weight in weights.items():
                shared[number] = shared.get(number, 0.0) + weight

    def _by_figures(self, reading: Reading, shared: dict[int, float]) -> dict[int, float]:
        """Add the records that hold a figure of the text; return how well each holds one with its unit."""
        exact: dict[int, float] = {}
        for figure in reading.figures:
            ends = [figure.value] if figure.low is None or figure.high is None else [figure.low, figure.high]
            key, factor = _key(figure.unit) if figure.unit else (None, 1.0)
            for end in ends:
                size = end * factor
                if size <= 0:
                    continue
                weights: dict[int, float] = {}
                for bucket in range(_bucket(size) - 1, _bucket(size) + 2):
                    for number, held in self.by_figure.get((key, bucket), ()):
                        apart, allowed = abs(math.log(held / size)), _allowed(end)
                        if apart <= allowed:
                            weights[number] = max(weights.get(number, 0.0), (FIGURE if key is not None else BARE) * (1 - 0.3 * apart / allowed))
                for number, weight in weights.items():
                    shared[number] = shared.get(number, 0.0) + weight / len(ends)
                    if key is not None:
                        exact[number] = exact.get(number, 0.0) + weight
            if key is not None and not any(self._topic(topic).get("unit") for topic in reading.topics):
                for number in self.by_dimension.get(key, ()):
                    if number in shared:
                        shared[number] += MEASURE
        return exact

    def _by_words(self, reading: Reading, shared: dict[int, float]) -> None:
        most = math.log(1 + len(self.records))
        for word in words_of(" ".join(reading.rest)):
            held = self.by_word.get(word, ())
            weight = WORD * math.log(1 + len(self.records) / len(held)) / most if held else 0.0
            for number in held:
                shared[number] = shared.get(number, 0.0) + weight

    def _scopes(self, reading: Reading) -> Iterable[tuple[str, str]]:
        return [pair for topic in reading.topics for pair in (self._topic(topic).get("scope") or {}).items()]

    def _topic(self, topic: str) -> Mapping[str, Any]:
        told: Mapping[str, Any] = self.library.raw("topics")[topic]
        return told

    def _unasked(self, record: Told, named: frozenset[tuple[str, str]], words: frozenset[str], years: Iterable[int]) -> float:
        """Return what weighs against a record: what it holds that was not asked for, less what speaks for it anyway."""
        against = -DEFAULT if record.default else 0.0
        things = [pair for pair in record.scope.items() if pair[0] in _THINGS]
        one_named = any(pair in named for pair in things)
        for pair in things:
            if pair not in named and not one_named:
                against += max(0.0, UNASKED_THING - KNOWN_BETTER * math.log(len(self.by_scope[pair])))
            elif pair not in named and not record.default:
                against += 0.2
        for key, value in record.scope.items():
            if (key, value) in named or key in _THINGS:
                continue
            if key in ("place", "provider", "sector"):
                usual = record.default and key == "place" and (record.subject, key) not in self.whole
                lone = key == "sector" and not any(kind == "provider" for kind, _ in named)
                against += UNASKED_WHERE if lone or not (value == WHOLE[key] or usual) else 0.0
            elif told := set(value.split("-")) & words:
                against -= ASKED_CASE * len(told) / len(set(value.split("-"))) if key in SPECIAL else 0.0
            elif key in SPECIAL and not record.default and value not in ("final", "total"):
                against += SPECIAL[key]
            elif not record.default or key == "basis":
                against += LESS_USUAL.get((key, value), 0.0)
        if record.claim:
            against += PRESS
        asked = set(years)
        if asked and record.year is not None:
            against += -YEAR if record.year in asked else OTHER_YEAR
        elif record.year is not None and not record.default:
            against -= NEWER * (record.year - 2026)
        return against


@lru_cache(maxsize=4)
def index_of(library: Library) -> Index:
    """Return the index of a library."""
    return Index(library)


def search(library: Library, query: str, *, subject: str | None = None, limit: int = 5) -> list[Fact | Claim]:
    """Return the facts and claims that fit a text, the best first.

    >>> [record.id for record in search(Library.load(), "BLOOM 24.7 tonnes", limit=1)]
    ['bloom-176b-training-emissions']
    """
    index, reading = index_of(library), read(library, _FOR_CLAIMS.sub(" ", query))
    if _FOR_CLAIMS.search(query):
        named = reading.spans or reading.topics or reading.figures or reading.rest
        hits = [hit.told.id for hit in index.find(reading, claims=True)] if named else list(library.claims)
        return [library.claim(claim_id) for claim_id in hits[:limit]]
    if subject is None and not reading.figures and (repeated := _repeated(index, query)):
        behind = {fact.id: fact for claim_id in repeated for fact in related_facts(library, library.claim(claim_id))}
        records: list[Fact | Claim] = [*list(behind.values())[: max(0, limit - len(repeated))]]
        return [*records, *map(library.claim, repeated)][:limit]
    found = index.find(reading, subject=subject)[:limit]
    return [library.claim(hit.told.id) if hit.told.claim else library.fact(hit.told.id) for hit in found]


_FOR_CLAIMS = Late(
    r"\b(?:claims?|myths?|rumou?rs?|Behauptung(?:en)?|Mythos|Mythen|affirmations?|mythes?|rumeurs?|afirmaci(?:ón|ones)|mitos?|bulos?)\b|说法|說法|谣言|謠言|传言|傳言|传闻|傳聞|主張|うわさ|噂",
    re.IGNORECASE,
)
"""What asks for claims of the press, and for no facts."""
FEW = 3
"""The most claims that words alone are taken for."""


def _repeated(index: Index, query: str) -> list[str]:
    """Return the claims that hold all the words of a text, where no fact does: five cars."""
    words = words_of(query)
    if len(words) < 2:
        return []
    held = [set(index.by_word.get(word, ())) for word in words]
    both = set.intersection(*held)
    claims = [index.records[number].id for number in sorted(both) if index.records[number].claim]
    return claims if claims and len(claims) == len(both) and len(claims) <= FEW else []


@lru_cache(maxsize=1024)
def _measured(unit: str | None) -> Dimension | None:
    """Return what a unit measures, whatever it is counted for: the energy of a year is one, a mass one of gas."""
    if unit is None:
        return None
    dimension = parse_unit(unit).dimension
    return ENERGY if dimension == _YEARLY and "/" in unit else EMISSIONS if dimension == MASS else dimension


@lru_cache(maxsize=1024)
def _key(unit: str) -> tuple[Dimension | None, float]:
    """Return what the first part of a unit measures, and its factor: 24.7 t, 2.907 kWh per 1000 images; a count is a bare number."""
    head = _HEAD.sub("", unit)
    try:
        found = parse_unit(unit if unit.endswith("/kWh") else head)
    except KilowhatError:
        return None, 1.0
    if found.dimension == NUMBER:
        return (("percent", 1),) if head in ("percent", "%") else None, 1.0
    return EMISSIONS if found.dimension == MASS else found.dimension, found.factor


def _figures_of(raw: Mapping[str, Any]) -> Iterable[tuple[Dimension | None, float]]:
    """Yield the figures of a record in the base unit of their dimension, and bare as they are written."""
    told = {end for end in (raw.get("value"), raw.get("low"), raw.get("high")) if end}
    key, factor = _key(raw.get("unit") or "")
    for end in told:
        yield None, end
        if key is not None:
            yield key, end * factor


def _bucket(size: float) -> int:
    return math.floor(math.log(size) / WIDEST)


def _allowed(figure: float) -> float:
    """Return how far a figure may lie from the one meant, as a logarithm: half of its last digit."""
    digits = f"{figure:.6e}".partition("e")[0].rstrip("0").rstrip(".")
    half = 0.5 * 10.0 ** -len(digits.partition(".")[2]) / float(digits)
    return min(WIDEST, max(NARROWEST, half))
