"""Claims of the press found by words: a claim is only taken where a text shares its thing and its figure.

A text shares a claim's thing where it names what the claim is about (a service, a run, a place …, in any spelling), or most
of the words of its case; and it never does where it names another thing of the kind. It shares the figure where a
quantity in it lies within 2 % of the claim's value, or of an end of its range, in the same kind of unit.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from kilowhat.tools.core.arithmetic import quantities_in
from kilowhat.tools.core.errors import KilowhatError
from kilowhat.tools.core.reference import SCOPE_KINDS, Claim, Fact, Library, Recomputed, fold, words_of
from kilowhat.tools.core.units import EMISSIONS, MASS, NUMBER, Quantity, parse_unit

SAME = 0.02
ENOUGH_WORDS = 0.6
LONGEST_NAME = 8
EXCLUSIVE = ("service", "run", "model", "task", "provider", "hardware")
"""Kinds of things of which a text that names another one is about another claim."""

_WORDS_AS_DIGITS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "twice": 2, "twelve": 12, "hundred": 100,
    "a": 1, "一": 1, "两": 2, "兩": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10,
}  # fmt: skip
_SPELLED = re.compile(
    rf"\b(?:{'|'.join(word for word in _WORDS_AS_DIGITS if word.isascii() and len(word) > 1)})\b(?=\s)|\ba(?= (?:hundred|thousand|million|billion|trillion)\b)|(?<![一-十百千万亿两兩])[一二两兩三四五六七八九十](?=[天年日张張个個次倍小幅])",
    re.IGNORECASE,
)
_PERIOD = re.compile(r"\s*(?:/|\bper\b|每|\ba\b)\s*(?:hour|day|month|year|h|d|yr|天|日|年|月)$", re.IGNORECASE)
_TOKEN = re.compile(r"[\u3400-\u9fff]|[^\W_\u3400-\u9fff]+")


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
    named = things_in(library, text)
    figures = _figures_in(text)
    words = words_of(text)
    known, rarity, things_of = _words_of_claims(library)
    reachable = sum(rarity.get(word, 0.0) for word in words) or 1.0
    matches, near = list[Match](), list[tuple[float, Claim]]()
    for claim_id in library.claims:
        shared = sum(rarity[word] for word in words & known[claim_id]) / reachable
        if shared < 0.15:
            continue
        claim = library.claim(claim_id)
        if _about_another(named, things_of[claim_id]):
            continue
        things = _things_shared(claim, named, words)
        met, apart = _figures_shared(claim, figures)
        told = _claimed(claim)
        if _only_a_small_count(told) and shared < ENOUGH_WORDS:
            continue
        if (things or shared >= ENOUGH_WORDS) and (met if told else shared >= ENOUGH_WORDS and things):
            matches.append(Match(claim, met, apart, things, shared))
        elif things or shared >= ENOUGH_WORDS:
            near.append((-shared, claim))
    matches.sort(key=lambda match: match.order)
    near.sort(key=lambda pair: (pair[0], pair[1].id))
    return [match.claim for match in matches], [claim for _, claim in near]


def things_in(library: Library, text: str) -> dict[str, set[str]]:
    """Return the things that a text names, by scope key: the longest name stands, in any spelling that the library knows."""
    tokens = [fold(token) for token in _TOKEN.findall(unicodedata.normalize("NFKC", text))]
    found: dict[str, set[str]] = {}
    for key, kind in SCOPE_KINDS.items():
        spellings, position = library.spellings(kind), 0
        while position < len(tokens):
            for length in range(min(LONGEST_NAME, len(tokens) - position), 0, -1):
                name = spellings.get("".join(tokens[position : position + length]))
                if name is not None:
                    found.setdefault(key, set()).add(name)
                    position += length - 1
                    break
            position += 1
    return found


def _about_another(named: dict[str, set[str]], own: dict[str, set[str]]) -> bool:
    """Return whether a text names another service, run, device … than a claim, or none of those that the claim names."""
    pairs = [(named.get(kind, set[str]()), own.get(kind, set[str]())) for kind in EXCLUSIVE]
    clash = any(here and there and not here & there for here, there in pairs)
    return clash or (any(there for _, there in pairs) and not any(here & there for here, there in pairs))


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
    """Return whether a claim states nothing but a count of a few: one, twice. Almost any text holds such a number."""
    return bool(told) and all(is_count(figure.unit) and figure.value <= 10 for figure in told)


def _claimed(claim: Claim) -> list[Quantity]:
    """Return the figures that a claim states: its value, or the ends of its range."""
    ends = [claim.value] if claim.value is not None else [claim.low, claim.high]
    return [Quantity(end, claim.unit or "") for end in ends if end is not None]


_TIMES = re.compile(r"(\d)[\s-]*(?:(?:mal|fach|veces|fois|x)\b|倍)", re.IGNORECASE)
"""A ratio as other languages write it."""


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
    met = [distance for distance in apart if distance <= SAME]
    return len(met), min(met, default=0.0)


def _apart(figure: Quantity, told: Quantity) -> float | None:
    """Return how far two figures of one kind lie apart, or None; a bare number fits any unit but percent if it is the same."""
    if told.value <= 0 or figure.value <= 0:
        return 0.0 if told.value == figure.value else None
    if figure.unit == "" and figure.value == told.value:
        return 0.0 if told.unit not in ("percent", "%") else None
    here, there = parse_unit(figure.unit), parse_unit(told.unit)
    if here.dimension != there.dimension and {here.dimension, there.dimension} != {MASS, EMISSIONS}:
        return None
    return abs(math.log(figure.value * here.factor / (told.value * there.factor)))


@lru_cache(maxsize=4)
def _words_of_claims(library: Library) -> tuple[dict[str, set[str]], dict[str, float], dict[str, dict[str, set[str]]]]:
    """Return the words of each claim, with every spelling of its things; how rare each word is; and the things that its statement names.

    A thing of the scope that the statement doesn't name (the run behind a ratio) needs no mention.
    """
    known: dict[str, set[str]] = {}
    things: dict[str, dict[str, set[str]]] = {}
    holders: dict[str, int] = {}
    for claim_id in library.claims:
        claim = library.claim(claim_id)
        spelled = [spelling for key, value in claim.scope.items() for spelling in library.spelled(key, value)]
        known[claim_id] = words_of(" ".join([claim_id.replace("-", " "), claim.statement, claim.printed or "", *claim.scope.values(), *spelled]))
        things[claim_id] = things_in(library, claim.statement)
        for word in known[claim_id]:
            holders[word] = holders.get(word, 0) + 1
    return known, {word: math.log(1 + len(known) / count) for word, count in holders.items()}, things


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
    return f"{unit}s" if re.fullmatch(r"[A-Za-z]*[A-Za-rt-z]", unit) else unit


def is_count(unit: str) -> bool:
    """Return whether a unit only counts things: homes, requests, pages."""
    return parse_unit(unit).dimension == NUMBER and unit not in ("", "ratio", "percent", "%", "x", "times")
