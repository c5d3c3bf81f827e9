"""Claims of the press found by words: a claim is only taken where a text shares its thing and its figure.

A text shares a claim's thing where it names what the claim is about (a service, a run, a place …, in any spelling), or most
of the words of its case; and it never does where it names another thing of the kind. It shares the figure where a
quantity in it lies within 2 % of the claim's value, or of an end of its range, in the same kind of unit.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Set
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from kilowhat.tools.core.arithmetic import quantities_in, written
from kilowhat.tools.core.errors import KilowhatError
from kilowhat.tools.core.patterns import Late
from kilowhat.tools.core.reading import Reading, read, sectors_of
from kilowhat.tools.core.reference import SCOPE_KINDS, Claim, Fact, Library, Recomputed, fold, words_of
from kilowhat.tools.core.units import EMISSIONS, ENERGY, MASS, NUMBER, TIME, VOLUME, Quantity, format_number, parse_unit

SAME = 0.02
COMMON_DIGITS = 3
"""How many digits a number must have to be told by them alone: 1287 and not 20."""
ENOUGH_WORDS, ENOUGH_TO_LOOK = 0.6, 0.15
_MEASURES = {ENERGY: "energy", EMISSIONS: "emissions", MASS: "emissions", VOLUME: "water"}
_ACTIVITIES = ("training", "request", "inference", "embodied")
EXCLUSIVE = ("service", "run", "model", "task", "provider", "hardware")
"""Kinds of things of which a text that names another one is about another claim."""

_WORDS_AS_DIGITS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "twice": 2, "twelve": 12, "hundred": 100,
    "a": 1, "一": 1, "两": 2, "兩": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10,
}  # fmt: skip
NUMBERS_IN_WORDS = {word: f"{number}" for word, number in _WORDS_AS_DIGITS.items() if word.isascii()}
_SPELLED = re.compile(
    rf"\b(?:{'|'.join(word for word in _WORDS_AS_DIGITS if word.isascii() and len(word) > 1)})\b(?=\s)|\ba(?= (?:hundred|thousand|million|billion|trillion)\b)|(?<![一-十百千万亿两兩])[一二两兩三四五六七八九十](?=[天年日张張个個次倍小幅])",
    re.IGNORECASE,
)
_PERIOD = re.compile(r"\s*(?:/|\bper\b|每|\ba\b)\s*(?:hour|day|month|year|h|d|yr|天|日|年|月)$", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")
FIGURE = "="
"""What stands before a key that says a claim's figure in words: a bottle, ten times."""


@dataclass(frozen=True, slots=True)
class Match:
    """A claim with how well a text fits it: the figures shared, how near they are, the things shared, and the share of the text's words."""

    claim: Claim
    figures: int
    apart: float
    things: int
    words: float

    @property
    def order(self) -> tuple[float, ...]:
        """The best match first."""
        return (-self.figures, -self.things, round(self.apart, 3), -self.words)


def find_claims(library: Library, text: str) -> tuple[list[Claim], list[Claim]]:
    """Return the claims that a text repeats, the best first, and those that are merely near it.

    >>> found, _ = find_claims(Library.load(), "Ten days of ChatGPT use 84 TWh")
    >>> found[0].id
    'claim-chatgpt-ten-days-84-twh'
    """
    reading = read(library, text)
    named, sectors = reading.things, sectors_of(library, reading)
    figures = _figures_told(text, reading)
    words = {word for word in words_of(text) if not word[:1].isdigit()}
    known, rarity, things_of, needed = _words_of_claims(library)
    reachable = sum(rarity.get(word, 0.0) for word in words) or 1.0
    matches, near = list[Match](), list[tuple[float, Claim]]()
    for claim_id in library.claims:
        shared = sum(rarity[word] for word in words & known[claim_id]) / reachable
        keys = needed[claim_id].keys or []
        by_keys = bool(keys) and _all_told(keys, reading)
        own = {(key, name) for key, names in things_of[claim_id].items() if key in (*EXCLUSIVE, "comparator") for name in names} & _meant(reading)
        if (shared < ENOUGH_TO_LOOK and not by_keys and not own) or needed[claim_id].of_others(sectors, reading) or _about_another(named, things_of[claim_id], none_is_another=not by_keys):
            continue
        claim = library.claim(claim_id)
        told = _claimed(claim)
        things = max(_things_shared(claim, named, words), len(own))
        met, apart = _figures_shared(claim, figures)
        if not keys and _states_another(claim, told, reading):
            continue
        small, in_words = _only_a_small_count(told), any(map(_is_of_figure, keys))
        if in_words and by_keys:
            by_keys = (bool(met) or _all_told(list(filter(_is_of_figure, keys)), reading, figure=True)) and not _another_figure(reading, told)
        if by_keys and (met or not told or in_words or (small and not _another_figure(reading, told))):
            matches.append(Match(claim, met, apart, max(things, 1), shared))
            continue
        whole = needed[claim_id].things <= _meant(reading) and not _of_another_activity(library, claim.subject, reading)
        if not claim.keys and small and shared < ENOUGH_WORDS:
            continue
        if not claim.keys and whole and (things or shared >= ENOUGH_WORDS) and (met if told else shared >= ENOUGH_WORDS and things):
            matches.append(Match(claim, met, apart, things, shared))
        elif shared >= ENOUGH_TO_LOOK and (things or shared >= ENOUGH_WORDS):
            near.append((-shared, claim))
    matches.sort(key=lambda match: match.order)
    near.sort(key=lambda pair: (pair[0], pair[1].id))
    return [match.claim for match in matches], [claim for _, claim in near]


def figure_apart(claim: Claim, text: str, reading: Reading | None = None) -> float:
    """Return how far the nearest figure of a text lies from one that a claim states, as a logarithm; 0 where the claim states none."""
    return _figures_shared(claim, _figures_told(text, reading))[1]


def names_one_of_several(library: Library, claim: Claim, reading: Reading) -> bool:
    """Return whether a text names but one of several runs, services … of which a claim is told: a model such as this one or that."""
    own: dict[str, list[str]] = library.raw("claim_index")[claim.id]["things"]
    return any(len(own.get(kind, ())) > 1 and len(reading.things.get(kind, set()) & set(own[kind])) == 1 for kind in EXCLUSIVE)


def _meant(reading: Reading) -> set[tuple[str, str]]:
    return {meaning for span in reading.spans for meaning in span}


def _is_of_figure(group: list[str]) -> bool:
    """Return whether a group of keys says a claim's figure in words."""
    return all(key.startswith(FIGURE) for key in group)


def _all_told(keys: list[list[str]], reading: Reading, *, figure: bool = False) -> bool:
    """Return whether a text tells a word, or names a thing, of every group; of those that say the figure in words only where these are asked for."""
    spaced = f" {' '.join(fold(word) for word in _WORD.findall(reading.text))}"
    folded = fold(reading.text)

    def told(key: str) -> bool:
        kind, separator, name = key.partition(":")
        if separator:
            return name in reading.topics | reading.within if kind == "topic" else name in reading.things.get(kind, ())
        return f" {' '.join(fold(word) for word in _WORD.findall(key))}" in spaced if not any("\u3041" <= sign <= "\u9fff" for sign in key) else fold(key) in folded

    return bool(keys) and all(any(told(key.removeprefix(FIGURE)) for key in group) for group in keys if figure or not _is_of_figure(group))


def _of_another_activity(library: Library, subject: str, reading: Reading) -> bool:
    """Return whether a text is of requests, training or manufacture, and a claim of another one of these."""
    told = [set(library.raw("topics")[topic]["subjects"]) for topic in _ACTIVITIES if topic in reading.topics]
    ours = any(subject in library.raw("topics")[topic]["subjects"] for topic in _ACTIVITIES)
    return ours and bool(told) and not any(subject in subjects for subjects in told)


def _another_figure(reading: Reading, told: list[Quantity]) -> bool:
    """Return whether a text states a figure with a unit, or a count, that a claim does not."""
    return any(all(_apart(figure, own) is None or (_apart(figure, own) or 0.0) > SAME for own in told) for figure in reading.figures if figure.value > 1 or figure.unit)


def _states_another(claim: Claim, told: list[Quantity], reading: Reading) -> bool:
    """Return whether a text states an amount where a claim only counts or tells a time, and the claim's own words hold no such amount."""
    if any(parse_unit(figure.unit).dimension not in (NUMBER, TIME) for figure in told):
        return False
    right = right_figure(claim)
    held = [*told, *quantities_in(claim.statement), *([as_quantity_of(right)] if right is not None else [])]
    amounts = [figure for figure in reading.figures if parse_unit(figure.unit).dimension not in (NUMBER, TIME)]
    return any(all((distance := _apart(figure, own)) is None or distance > SAME for own in held) for figure in amounts)


def _about_another(named: dict[str, set[str]], own: dict[str, set[str]], *, none_is_another: bool = True) -> bool:
    """Return whether a text names another service, run, device … than a claim, or none of those that the claim names."""
    pairs = [(named.get(kind, set[str]()), own.get(kind, set[str]())) for kind in EXCLUSIVE]
    clash = any(here and there and not here & there for here, there in pairs)
    return clash or (none_is_another and any(there for _, there in pairs) and not any(here & there for here, there in pairs))


def _things_shared(claim: Claim, named: dict[str, set[str]], words: set[str]) -> int:
    """Return how many of the things of a claim's scope a text names."""
    shared = 0
    for key, value in claim.scope.items():
        parts = [part for part in value.split("-") if len(part) > 1]
        acronyms = {"".join(part[0] for part in parts[start : start + length]) for length in (3, 4) for start in range(len(parts) - length + 1)}
        in_words = len([part for part in parts if words & words_of(part)]) >= max(1, math.ceil(len(parts) / 2))
        if value in named.get(key, ()) or (key not in SCOPE_KINDS and key != "period" and (in_words or words & acronyms)):
            shared += 1
    return shared


def _only_a_small_count(told: list[Quantity]) -> bool:
    """Return whether a claim states nothing but a count of a few (one, twice), or that one thing is as much as another. Almost any text holds such a number."""
    return bool(told) and all((is_count(figure.unit) and figure.value <= 10) or (figure.unit, figure.value) == ("ratio", 1.0) for figure in told)


def _claimed(claim: Claim) -> list[Quantity]:
    """Return the figures that a claim states: its value, or the ends of its range."""
    ends = [claim.value] if claim.value is not None else [claim.low, claim.high]
    return [Quantity(end, claim.unit or "") for end in ends if end is not None]


_TIMES = Late(r"(\d)[\s-]*(?:(?:mal|fach|veces|fois|x)\b|倍)", re.IGNORECASE, needs=("mal", "fach", "veces", "fois", "x", "倍"))
"""A ratio as other languages write it."""


def _figures_told(text: str, reading: Reading | None) -> list[Quantity]:
    """Return the figures of a text; a number that has a unit in one place has it in all."""
    figures = _figures_in(text) + (reading.figures if reading else [])
    with_unit = {figure.value for figure in figures if figure.unit}
    return [figure for figure in figures if figure.unit or figure.value not in with_unit]


def _figures_in(text: str) -> list[Quantity]:
    """Return the quantities of a text, with numbers in words as digits, and each also without the period it is told for."""
    digits = _SPELLED.sub(lambda match: str(_WORDS_AS_DIGITS[match[0].casefold()]), text)
    found = quantities_in(_TIMES.sub(r"\1 times", digits))
    for quantity in list(found):
        shorter = _PERIOD.sub("", quantity.unit)
        if shorter != quantity.unit:
            found.append(Quantity(quantity.value, shorter, quantity.low, quantity.high))
    return found + [Quantity(end, quantity.unit) for quantity in found if quantity.low is not None for end in (quantity.low, quantity.high) if end is not None]


def _figures_shared(claim: Claim, figures: list[Quantity]) -> tuple[int, float]:
    """Return how many of a claim's figures a text holds, and how far apart the nearest ones are, as a logarithm."""
    apart = [min((distance for figure in figures if (distance := _apart(figure, told)) is not None), default=math.inf) for told in _claimed(claim)]
    if claim.keys and any(_within(claim, figure) for figure in figures):
        return 1, 0.0
    met = [distance for distance in apart if distance <= SAME]
    return len(met), min(met, default=0.0)


def _within(claim: Claim, figure: Quantity) -> bool:
    """Return whether a number lies inside the range that a claim counts: 20 of 10 to 50 questions."""
    counted = claim.low is not None and claim.high is not None and is_count(claim.unit or "") and figure.unit not in ("percent", "%")
    return counted and parse_unit(figure.unit).dimension == NUMBER and (claim.low or 0.0) <= figure.value <= (claim.high or 0.0)


def _apart(figure: Quantity, told: Quantity) -> float | None:
    """Return how far two figures of one kind lie apart, or None; a bare number fits a count if it is the same, and any other unit but percent if its digits are not common."""
    if told.value <= 0 or figure.value <= 0:
        return 0.0 if told.value == figure.value else None
    if figure.unit == "" and figure.value == told.value:
        digits = len(f"{told.value:g}".partition("e")[0].replace(".", "").strip("0"))
        return 0.0 if told.unit not in ("percent", "%") and (parse_unit(told.unit).dimension == NUMBER or digits >= COMMON_DIGITS) else None
    here, there = parse_unit(figure.unit), parse_unit(told.unit)
    if here.dimension != there.dimension and {here.dimension, there.dimension} != {MASS, EMISSIONS}:
        return None
    return abs(math.log(figure.value) + math.log(here.factor) - math.log(told.value) - math.log(there.factor))


@dataclass(frozen=True, slots=True)
class Needed:
    """What a text must name to repeat a claim: the things of its scope that its statement names, a word of each group of its keys, and no other quantity, place, sector or year."""

    things: frozenset[tuple[str, str]]
    keys: list[list[str]] | None
    sectors: frozenset[str]
    years: frozenset[int]
    measures: frozenset[str]
    places: frozenset[str]

    def of_others(self, sectors: frozenset[str], reading: Reading) -> bool:
        """Return whether a text names other years than a claim, other sectors (AI and not data centres), another quantity (emissions and not electricity) or other places."""
        pairs: list[tuple[Set[object], Set[object]]] = [(sectors, self.sectors), (reading.years, self.years), (_measures(reading), self.measures), (_places(reading), self.places)]
        return any(told and own and not told & own for told, own in pairs)


def _measures(reading: Reading) -> frozenset[str]:
    """Return the quantities that a text names, by a word or by a unit."""
    topics = reading.topics | (reading.within if _of_a_whole(reading) else set())
    by_unit = {_MEASURES[dimension] for figure in reading.figures if (dimension := parse_unit(figure.unit).dimension) in _MEASURES}
    return frozenset((topics & set(_MEASURES.values())) | by_unit)


def _places(reading: Reading) -> frozenset[str]:
    """Return the places of which a text tells the whole: a share of the electricity of one."""
    return frozenset(reading.things.get("place", ())) if _of_a_whole(reading) else frozenset()


def _of_a_whole(reading: Reading) -> bool:
    """Return whether a text tells a share."""
    return any(figure.unit in ("percent", "%") for figure in reading.figures)


def index_of_claims(library: Library) -> dict[str, dict[str, Any]]:
    """Return by claim the words of it, with every spelling of its things, and the things that its statement names; the library ships with it."""
    index = dict[str, dict[str, Any]]()
    for claim_id in library.claims:
        claim = library.claim(claim_id)
        spelled = [spelling for key, value in claim.scope.items() for spelling in library.spelled(key, value)]
        words = words_of(" ".join([claim_id.replace("-", " "), claim.statement, claim.printed or "", *claim.scope.values(), *spelled]))
        reading = read(library, claim.statement)
        years = sorted({*reading.years, *([int(claim.as_of[:4])] if claim.subject == "forecast" and claim.as_of else [])})
        things = {kind: sorted(names) for kind, names in sorted(reading.things.items())}
        own = {"sectors": sectors_of(library, reading), "measures": _measures(reading), "places": _places(reading)}
        index[claim_id] = {"words": sorted(words), "things": things, "years": years, **{name: sorted(found) for name, found in own.items()}}
    return index


@lru_cache(maxsize=4)
def _words_of_claims(library: Library) -> tuple[dict[str, set[str]], dict[str, float], dict[str, dict[str, set[str]]], dict[str, Needed]]:
    """Return the words of each claim; how rare each word is; the things that its statement names; and what a text must name.

    A thing of the scope that the statement doesn't name (the run behind a ratio) needs no mention.
    """
    index = library.raw("claim_index")
    known = {claim_id: set(told["words"]) for claim_id, told in index.items()}
    things = {claim_id: {kind: set(names) for kind, names in told["things"].items()} for claim_id, told in index.items()}
    needed: dict[str, Needed] = {}
    for claim_id, raw in library.raw("claims").items():
        own = frozenset(pair for pair in raw.get("scope", {}).items() if pair[1] in things[claim_id].get(pair[0], ()))
        sets = (frozenset(index[claim_id][name]) for name in ("sectors", "years", "measures", "places"))
        needed[claim_id] = Needed(own, raw.get("keys") or None, *sets)
    holders = Counter(word for words in known.values() for word in words)
    return known, {word: math.log(1 + len(known) / count) for word, count in holders.items()}, things, needed


def right_figure(claim: Claim) -> Recomputed | None:
    """Return the figure that stands in a claim's place: what its source says, else what its own inputs give, else the claim's, if it holds."""
    if claim.right is not None and claim.right != Recomputed(unit=claim.right.unit):
        return claim.right
    if claim.recomputed is not None:
        return claim.recomputed
    if claim.verdict in ("true", "mostly true") and claim.unit is not None and _claimed(claim):
        return Recomputed(value=claim.value, low=claim.low, high=claim.high, unit=claim.unit)
    return None


def as_quantity_of(figure: Recomputed) -> Quantity:
    """Return a figure of a claim with its range; a range alone has its geometric mean as value."""
    value = figure.value
    if value is None:
        value = math.sqrt((figure.low or 0.0) * (figure.high or 0.0))
    return Quantity(value, figure.unit, figure.low, figure.high)


def as_quantity_of_claim(claim: Claim) -> Quantity | None:
    """Return the figure that a claim states, a range with its geometric mean, or None where it states none."""
    if claim.unit is None or (claim.value is None and claim.low is None):
        return None
    value = claim.value if claim.value is not None else math.sqrt((claim.low or 0.0) * (claim.high or 0.0))
    return Quantity(value, claim.unit, claim.low, claim.high)


def as_told(quantity: Quantity) -> str:
    """Return a figure in its own unit, a range by its ends: as it was told, in one way of writing."""
    things = things_of(quantity.unit) if is_count(quantity.unit) else None
    if quantity.low is not None and quantity.high is not None:
        return f"{format_number(quantity.low, 6)} to {format_number(quantity.high, 6)} {things or ('' if quantity.unit == 'ratio' else quantity.unit)}".strip()
    return f"{format_number(quantity.value, 10)} {things}" if things else written(quantity, quantity.unit or "ratio")


def claimed_in_words(claim: Claim) -> str | None:
    """Return the figure that a claim states, in one way of writing whatever the script of its article; as printed where it states none."""
    claimed = as_quantity_of_claim(claim)
    return as_told(claimed) if claimed is not None else claim.printed


def related_facts(library: Library, claim: Claim, limit: int = 3) -> list[Fact]:
    """Return the facts on what a claim is about, those of its primary source and near its right figure first."""
    primary = claim.primary.source if claim.primary else None
    figure = right_figure(claim)
    right = as_quantity_of(figure) if figure else None
    pool = {fact.id: fact for key, value in claim.scope.items() if key in SCOPE_KINDS for fact in library.find(claim.subject, **{key: value})}
    pool |= {fact.id: fact for fact in (library.from_source(primary) if primary else ())}
    scored = [(_relation(fact, claim, primary, right), fact) for fact in pool.values()]
    scored.sort(key=lambda pair: (-pair[0], pair[1].default is None, pair[1].id))
    return [fact for score, fact in scored if score >= 5][:limit]


def _relation(fact: Fact, claim: Claim, primary: str | None, right: Quantity | None) -> int:
    """Return how closely a fact belongs to a claim: by source, subject, things, and figure."""
    score = 2 * (fact.source == primary) + 2 * (fact.subject == claim.subject)
    score += 2 * any(fact.scope.get(key) == value for key, value in claim.scope.items() if key in SCOPE_KINDS)
    if right is None or right.value <= 0:
        return score
    try:
        near = abs(math.log(fact.in_unit(right.unit).value / right.value)) if fact.quantity.value > 0 else math.inf
    except KilowhatError:
        return min(score, 4)
    return score + 3 * (near <= SAME)


def things_of(unit: str) -> str:
    """Return a unit that counts things as a plural: homes, people.

    >>> things_of("home"), things_of("GPU per user")
    ('homes', 'GPU per user')
    """
    if unit == "person":
        return "people"
    if not re.fullmatch(r"[A-Za-z]*[A-Za-rt-z]", unit):
        return unit
    return f"{unit}{'es' if unit.endswith(('ch', 'sh', 'x')) else 's'}"


def is_count(unit: str) -> bool:
    """Return whether a unit only counts things: homes, requests, pages."""
    return parse_unit(unit).dimension == NUMBER and unit not in ("", "ratio", "percent", "%", "x", "times")
