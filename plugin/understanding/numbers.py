"""Numbers as people write them, made plain: 1.000.000 · 1,5 · 2'000'000 · ½ · 1/2 million · 1万5千 · 12 thousand 5 hundred."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from kilowhat.tools.core.units import MAGNITUDES

_GROUPED = re.compile(r"(?<![\w.,'’-])(?P<whole>\d{1,3}(?P<mark>[.,'’ \u202f])\d{3}(?:(?P=mark)\d{3})*)(?P<rest>[.,]\d+)?(?![.,'’]?\d|[^\W\d_]*\d)")
_COMMA = re.compile(r"(?<![\w.,])(\d+),(\d+)(?![\d,])")
_FRACTION = re.compile(r"(?<![\d/.])([1-9])/([2-9])(?=\s+(?:a\s+)?[^\W\d])(?!/)")
_MIXED = re.compile(r"(\d+(?:\.\d+)?)\s?([万萬亿億千])\s?(\d+(?:\.\d+)?)\s?([千百])(?![瓦克米])")
_STACKED = re.compile(r"(\d+(?:\.\d+)?)\s(thousand|million|billion)\s(?:and\s)?(\d+(?:\.\d+)?)\s(hundred|thousand|million)\b", re.IGNORECASE)
_HALF = re.compile(r"(\d+)\s+and\s+a\s+half\b", re.IGNORECASE)
_HALF_A = re.compile(
    r"\bhalf\s+an?\s+(?=(?:hour|day|week|month)\b)|\b(?:eine[nrm]?|ein)\s+halbe[nrs]?\s+(?=(?:Stunde|Tag|Woche)\b)|\bune\s+demi-(?=(?:heure|journée)\b)|\bmedi[ao]\s+(?=(?:hora|día)\b)|半个?個?(?=[天日小時时月])",
    re.IGNORECASE,
)
_ONE_AND_A_HALF = re.compile(r"\b(?:an?|one)\s+(hour|day|week|month|year)\s+and\s+a\s+half\b", re.IGNORECASE)
_MILLIONS = re.compile(r"(?<=\d)\s?M(?![\w²³])")
_GROUP = 3


_FROM_TO = re.compile(r"(\d+(?:\.\d+)?)\s*(?:→|->|=>)\s*(\d+(?:\.\d+)?)\s*(g\w*(?:\s?CO2e?)?/kWh)", re.IGNORECASE)


def spell_fractions(text: str) -> str:
    """Return a text with ½ and its like as decimals; done before the text is normalised, which would make 2½ 21⁄2."""
    return re.sub(r"(?<!\d)(\d{0,15})\s?([¼½¾⅐-⅞])", lambda match: f"{float(match[1] or 0) + unicodedata.numeric(match[2]):g}", text)


def plain_numbers(text: str, decimal: str = ".") -> str:
    """Return a text with its numbers written with a decimal point, without groups, fractions or stacked magnitudes.

    >>> plain_numbers("1.000.000 images at 1,5 Wh")
    '1000000 images at 1.5 Wh'
    >>> plain_numbers("1.000 Bilder, 2,5 kWh", ",")
    '1000 Bilder, 2.5 kWh'

    Args:
        text: The normalised question.
        decimal: The decimal mark of its language; it decides what 1.000 and 1,000 are.
    """
    text = _GROUPED.sub(lambda match: _grouped(match, decimal), text)
    text = _COMMA.sub(lambda match: match[0] if len(match[2]) == _GROUP and decimal == "." else f"{match[1]}.{match[2]}", text)
    text = _FRACTION.sub(lambda match: f"{int(match[1]) / int(match[2]):.6g}", text)
    text = _HALF.sub(lambda match: f"{match[1]}.5", text)
    text = _HALF_A.sub("0.5 ", text)
    text = _ONE_AND_A_HALF.sub(r"1.5 \1s", text)
    text = _MIXED.sub(_stacked, text)
    text = _STACKED.sub(_stacked, text)
    text = _FROM_TO.sub(r"\1 \3 and \2 \3", text)
    text = re.sub(r"(?<=\d)\s?T(?=\s?tokens?\b)", " trillion", text)
    return " ".join(_MILLIONS.sub(" million ", text).split())


def plain_words(text: str, after_digits: Mapping[str, str]) -> str:
    """Return a text with the words that stand behind digits in a language as those that units know: 3 Mio. is 3 million.

    Args:
        text: The question with plain numbers.
        after_digits: The known word for each word of the language.
    """
    for word in sorted(after_digits, key=len, reverse=True):
        text = re.sub(rf"(?<=\d)\s*{re.escape(word)}(?![^\W\d_\u3040-\u9fff])", f" {after_digits[word]} ", text, flags=re.IGNORECASE)
    return " ".join(text.split()) if after_digits else text


def _grouped(match: re.Match[str], decimal: str) -> str:
    mark, groups = match["mark"], len(re.findall(r"\D", match["whole"]))
    ambiguous = groups == 1 and mark in ".,"
    if ambiguous and mark == decimal:
        return match[0]
    return re.sub(r"\D", "", match["whole"]) + (match["rest"] or "").replace(",", ".")


def _stacked(match: re.Match[str]) -> str:
    first, second = MAGNITUDES[match[2].casefold()], MAGNITUDES[match[4].casefold()]
    if second >= first:
        return match[0]
    return f"{float(match[1]) * first + float(match[3]) * second:.15g}"
