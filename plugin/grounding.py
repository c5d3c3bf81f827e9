"""Every figure of an answer comes from a tool, a cited fact or the question; every citation is one that a tool returned.

A figure agrees with what is known where it is that number rounded to the digits shown, in any unit of the same kind: 2.9 kWh,
2,900 Wh and 2.907 kWh all show 2.907 kWh; 2.9 Wh does not, and neither does 2.90 kWh. Known are the results, inputs, steps,
alternatives and verdicts of the tools that were run, the figures of the facts that they cite, and the figures of the
conversation. What a source says in words is material, not a figure: an amount in a statement counts only where the answer cites it.

A percentage or a ratio (93 % less, 14 times) may also be that of two amounts, where each is a headline result or stands
in the same line: of all pairs of numbers in a large result, some pair gives nearly any ratio. An amount of one thing (2.9 Wh per
image) is told apart from the total of a thousand, which has the same digits.

What this does not see: whether a true figure stands beside the right words.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations, product

from kilowhat.plugin.figures import Figure, decimals, language_of, make_plain, read_figures, without_period
from kilowhat.plugin.known import Amount, Known, close
from kilowhat.plugin.reply import NumberedCitation
from kilowhat.tools.core.estimate import Estimate, Result
from kilowhat.tools.core.units import EMISSIONS, MASS, TIME, Dimension, Quantity, parse_unit

LOOSEST = 0.25
"""However few digits a figure shows, it lies within this share of the number that it stands for."""

LOOSEST_ZEROS = 0.05
"""The same where a whole number ends in zeros, which may be digits or not: 1,000 does not stand for 1,129."""

MOST_FIGURES = 300
"""An answer with more numbers is none."""

_DIGITS = re.compile(r"\d+")
_PREFIXES = frozenset({1e3, 1e6, 1e9, 1e12, 1e15})
"""What turns one prefix into another in a derivation: Wh into TWh."""

_CALENDAR = tuple(hours * scale for hours in (1.0, 24.0, 168.0, 720.0, 730.0, 744.0, 8760.0) for scale in (1.0, 1 / 3600, 1 / 60))


def agrees(shown: float, half: float, true: float, *, zeros: bool = False) -> bool:
    """Return whether a figure shows a number, rounded to its digits.

    >>> agrees(2.9, 0.05, 2.907), agrees(2.90, 0.005, 2.907), agrees(3000, 500, 2907, zeros=True), agrees(1000, 500, 1129, zeros=True)
    (True, False, True, False)

    Args:
        shown: The figure.
        half: Half a unit of its last digit.
        true: What it should stand for.
        zeros: Whether the figure is a whole number that ends in zeros.
    """
    limit = min(half * (1 + 1e-9), (LOOSEST_ZEROS if zeros else LOOSEST) * abs(true))
    return abs(shown - true) <= max(limit, 1e-6 * abs(true))


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with an answer: figures without an origin, and citations that no tool returned."""

    figures: tuple[str, ...] = ()
    citations: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.figures or self.citations)

    def told(self) -> str:
        """Return it as the message that goes back to the model."""
        parts = ["Your answer can't be given as it stands."]
        if self.figures:
            parts.append(f"No tool result, cited fact or question holds: {'; '.join(self.figures[:12])}.")
            parts.append("Take the figure from a tool's result, rounded to the digits you show and in its unit; have calculate or compare work out what is not there; or leave it out.")
        if self.citations:
            parts.append(f"No tool returned: {'; '.join(told if told[0] in '[(' else f'“{told}”' for told in self.citations[:12])}.")
            parts.append("Cite only ids that tools printed, each as [fact-id], without numbers, links or sources of your own.")
        return " ".join([*parts, "Write the whole answer again."])


def check(text: str, known: Known, language: str = "en") -> Finding:
    """Return what is wrong with an answer.

    Args:
        text: The answer, with citations as ``[fact-id]``.
        known: What it may take figures from.
        language: The language of the question, taken where the answer's own can't be told.
    """
    prose, cited, wrong = _without_citations(make_plain(text), known)
    if len(_DIGITS.findall(prose)) > MOST_FIGURES:
        return Finding((f"more than {MOST_FIGURES} numbers; show those that answer the question",))
    language = language_of(prose, language)
    known_here = _with_quotes(known, cited)
    missing: dict[int, list[Figure]] | None = None
    for decimal in decimals(language):
        found = unmatched(read_figures(prose, language, decimal), known_here)
        lines = {line: [figure for figure in found if figure.line == line] for line in {figure.line for figure in found}}
        missing = lines if missing is None else {line: figures for line, figures in missing.items() if line in lines}
    return Finding(tuple(dict.fromkeys(f"'{figure.text}'" for line in sorted(missing or {}) for figure in (missing or {})[line])), tuple(dict.fromkeys(wrong)))


def _with_quotes(known: Known, cited: set[str]) -> Known:
    """Return what is known, with the amounts in the words of the facts that an answer cites."""
    told = [figure for fact_id in cited for figure in known.quoted.get(fact_id, ())]
    if not told:
        return known
    wider = Known(
        amounts={dimension: list(amounts) for dimension, amounts in known.amounts.items()},
        numbers=list(known.numbers),
        ratios=list(known.ratios),
        shown=list(known.shown),
        headlines=known.headlines,
        spreads=known.spreads,
        years=known.years,
    )
    for figure in told:
        wider.add_quantity(Quantity(figure.value, figure.unit))
    return wider


def unmatched(figures: Sequence[Figure], known: Known) -> list[Figure]:
    """Return the figures that stand for nothing known; ratios last, since they may rest on the others of their line."""
    missing: list[Figure] = []
    matched: dict[int, list[tuple[Dimension, float]]] = {}
    for figure in figures:
        if figure.kind in ("percent", "times"):
            continue
        if not is_known(figure, known):
            missing.append(figure)
        elif figure.kind == "amount" and not any(other is not figure and other.line == figure.line and other.text == figure.text for other in figures):
            matched.setdefault(figure.line, []).append((EMISSIONS if figure.dimension == MASS else figure.dimension, figure.value * parse_unit(figure.unit).factor))
    for figure in figures:
        if figure.kind in ("percent", "times") and not is_ratio(figure, known, matched.get(figure.line, [])):
            missing.append(figure)
    return sorted(missing, key=lambda figure: figure.line)


def is_known(figure: Figure, known: Known) -> bool:
    """Return whether a figure stands for an amount, a count or a year that is known."""
    if figure.words and figure.value == 1:
        return True
    if figure.kind == "year":
        return f"{figure.value:.0f}" in known.years or figure.value in known.numbers
    if figure.kind in ("bare", "count"):
        beside = () if figure.kind == "count" else (*known.shown, *known.ratios)
        return figure.value == 1 or (figure.rate == "either" and figure.value in _PREFIXES) or any(_shows(figure, true) for true in (*known.numbers, *beside))
    return any(is_amount(figure, unit, known, of_period=shorter) for unit, shorter in ((figure.unit, False), (without_period(figure.unit), True)) if unit is not None)


def _shows(figure: Figure, true: float, factor: float = 1.0) -> bool:
    return agrees(figure.value * factor, figure.half * factor, true, zeros=figure.zeros)


def is_amount(figure: Figure, unit: str, known: Known, *, of_period: bool) -> bool:
    """Return whether an amount is known, in a unit that is its own or that without the period."""
    measured = parse_unit(unit)
    candidates = list(known.amounts.get(measured.dimension, ()))
    if ("mass", 1) in measured.dimension:
        candidates += known.amounts.get(tuple(sorted(("emissions", size) if base == "mass" else (base, size) for base, size in measured.dimension)), ())
    if measured.dimension == TIME and any(close(figure.value * measured.factor, hours) for hours in _CALENDAR):
        return True
    totals = [amount.value for amount in candidates if amount.side == "total"]
    fitting = [amount for amount in candidates if _shows(figure, amount.value, measured.factor) and not (of_period and amount.of_period)]
    return any(of_period or figure.rate == "either" or _is_of(figure, amount, totals) for amount in fitting)


def _is_of(figure: Figure, amount: Amount, totals: Sequence[float]) -> bool:
    """Return whether a figure is said of what an amount is of: one thing, or all of them.

    A rate may stand without the word each, but not where it has the digits of a total: 2.9 Wh of one image for 2.9 kWh of a thousand.
    """
    if figure.rate:
        return amount.side != "total"
    if amount.side == "rate":
        return not any(0 < amount.value < total and _is_power_of_ten(total / amount.value) for total in totals)
    return amount.side != "one"


def _is_power_of_ten(ratio: float) -> bool:
    return abs(math.log10(ratio) - round(math.log10(ratio))) < 1e-6


def is_ratio(figure: Figure, known: Known, beside: Sequence[tuple[Dimension, float]]) -> bool:
    """Return whether a percentage or a ratio is known, or is that of two headline results or of two amounts in its line."""
    percent = figure.kind == "percent"
    factor = 0.01 if percent else 1.0
    if percent and figure.value == 100:
        return True
    ratios = [ratio for ratio in known.ratios if ratio > 0]
    if any(_shows(figure, true, factor) for true in (*known.numbers, *ratios)):
        return True
    amounts = [*permutations(known.headlines, 2), *permutations(beside, 2), *product(known.headlines, beside), *product(beside, known.headlines)]
    pairs = [one / other for (kind, one), (same, other) in amounts if kind == same and one > 0 and other > 0]
    if not percent:
        return any(_shows(figure, true) for true in (*(1 / ratio for ratio in ratios), *known.spreads, *pairs))
    return any(_shows(figure, true, factor) for ratio in ratios for true in (abs(ratio - 1), abs(1 - 1 / ratio))) or any(
        _shows(figure, true, factor) for pair in pairs for true in (pair, abs(pair - 1))
    )


_BRACKETS = re.compile(r"[\[【]([^\[\]【】\n]{1,300})[\]】](?!\()")
_ID = re.compile(r"[a-z0-9]+(?:[.#_-]+[a-z0-9]+)+|\^?\d{1,3}|[A-Za-z.-]+[-_ ]?(?:19|20)\d\d[a-z]?")
_LINK = re.compile(r"\[([^\[\]\n]*)\]\((https?://[^\s)]+)[^)]*\)")
_ADDRESS = re.compile(r"(?:https?://|www\.)[^\s<>\"'）)\]】，。]+|\b(?:arXiv:\s?|doi:\s?|10\.\d{4,9}/)[^\s<>\"'）)\]】，。]+", re.IGNORECASE)
_AUTHOR = re.compile(
    r"\b([A-ZÀ-Þ][\w'’-]+)\s?(?:et al\b\.?|and (?:others|colleagues|co-?workers)\b|und andere\b|等人?(?=[\s,，（(的在]))|\(([A-ZÀ-Þ][\w'’-]+)(?:[\s&]+(?:and |und |et )?[A-ZÀ-Þ][\w'’.-]+)*,?\s(?:19|20)\d\d[a-z]?\)|\b([A-ZÀ-Þ][\w'’-]+)(?:\s(?:and|&|und|et)\s[A-ZÀ-Þ][\w'’-]+)?\s\((?:19|20)\d\d[a-z]?\)"
)
_AUTHOR_HAN = re.compile(r"([\u4e00-\u9fff]{2,3})等人")
_TITLE = re.compile(r"《([^《》\n]{4,200})》|[“\"„]([^“”\"„\n]{20,200})[”\"“]")
_WORD = re.compile(r"[\u3400-\u9fff]|[^\W_\u3400-\u9fff]{3,}")
_LOCATED = re.compile(
    r"\b(?:table|figure|fig\.|section|sec\.|appendix|chapter|page|p\.|pp\.|row|tabelle|abbildung|seite|tableau|tabla|cuadro|página)\s?[A-Z]?\d+(?:\.\d+)*[a-z]?|(?:(?<![\u4e00-\u9fff])|(?<=[见見如]))[表图圖]\s?\d+(?![\d.,])|第\s?\d+\s?[页頁章]",
    re.IGNORECASE,
)


def _parts(bracket: str) -> list[str]:
    """Return what stands in a pair of brackets, cut at commas."""
    return [part for part in re.split(r"\s*[,;，；、]\s*", bracket.strip()) if part]


def _without_citations(text: str, known: Known) -> tuple[str, set[str], list[str]]:
    """Return an answer without its citations, the ids that it cites, and the citations that no tool returned."""
    cited: set[str] = set()
    wrong: list[str] = []
    folded = "\n".join(known.words).casefold()
    addresses = "\n".join(known.addresses).casefold()

    def address(told: str) -> str:
        key = re.sub(r"^(?:https?://)?(?:www\.)?|^(?:arxiv|doi):\s?", "", told.rstrip(".,;:!?*_").casefold()).rstrip("/")
        if key not in addresses:
            wrong.append(told)
        return " "

    def bracket(match: re.Match[str]) -> str:
        parts = _parts(match[1])
        if not parts or not all(part in known.citations or _ID.fullmatch(part) for part in parts):
            return match[0]
        for part in parts:
            if part in known.citations:
                cited.add(part)
            else:
                wrong.append(f"[{part}]")
        return " "

    text = _LINK.sub(lambda match: f"{match[1]} {address(match[2])}", text)
    text = _ADDRESS.sub(lambda match: address(match[0]), text)
    text = _BRACKETS.sub(bracket, text)
    for citation in known.citations.values():
        for part in (citation.source.title, citation.locator, citation.source.authors):
            if part and len(part) > 5 and part in text:
                text = text.replace(part, " ")
    wrong += [match[0] for match in _AUTHOR.finditer(text) if (match[1] or match[2] or match[3]).casefold() not in folded]
    wrong += [f"{match[1][-2:]}等人" for match in _AUTHOR_HAN.finditer(text) if match[1][-2:] not in folded]
    for match in _TITLE.finditer(text):
        title = set(_WORD.findall((match[1] or match[2]).casefold()))
        if title and not any(len(title & set(_WORD.findall(words.casefold()))) >= 0.6 * len(title) for words in known.words):
            wrong.append(match[0])
    wrong += [match[0] for match in _LOCATED.finditer(text) if match[0].casefold() not in folded]
    return _LOCATED.sub(" ", text), cited, wrong


def numbered(text: str, citations: Sequence[NumberedCitation]) -> tuple[str, list[NumberedCitation]]:
    """Return an answer whose [fact-id] are numbers in the order in which it names them, and the citations with these numbers."""
    named = [part for match in _BRACKETS.finditer(text) for part in _parts(match[1])]
    ranked = sorted(citations, key=lambda citation: named.index(citation.fact_id) if citation.fact_id in named else len(named) + citation.number)
    numbers = {citation.fact_id: number for number, citation in enumerate(ranked, 1)}

    def bracket(match: re.Match[str]) -> str:
        parts = _parts(match[1])
        return "".join(f"[{numbers[part]}]" for part in dict.fromkeys(parts)) if parts and all(part in numbers for part in parts) else match[0]

    return _BRACKETS.sub(bracket, text), [citation.model_copy(update={"number": numbers[citation.fact_id]}) for citation in ranked]


def shown_first(text: str, estimates: Sequence[Estimate], language: str) -> list[Result]:
    """Return the results of the estimate that an answer leads with, the one it shows first in front; of the last estimate where it shows none."""
    for figure in read_figures(text, language_of(text, language)):
        for estimate in reversed(estimates):
            for result in estimate.results:
                unit = parse_unit("" if result.quantity == "count" else result.unit)
                if unit.dimension == figure.dimension and figure.kind != "year" and _shows(figure, result.value * unit.factor, parse_unit(figure.unit).factor):
                    return [result, *(other for other in estimate.results if other is not result)]
    return list(estimates[-1].results) if estimates else []
