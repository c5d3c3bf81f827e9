"""Numbers in digits and what is written with them: quantities, ranges, sizes, times of day, sums of money, and units alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kilowhat.plugin.understanding.mention import Mention
from kilowhat.plugin.understanding.tables import lexicon
from kilowhat.tools.core.errors import BadQuantity
from kilowhat.tools.core.patterns import Late
from kilowhat.tools.core.units import NUMBER, Quantity, Unit, parse_quantity, parse_unit

_MONEY = Late(
    r"[$€£¥]\s?\d[\d.,]*(?:\s?(?:million|billion|trillion|k|m|bn))?(?![\w])|\d[\d.,]*\s?(?:円|元|塊錢|块钱|€|euros?|dollars?|USD|EUR|pesos?|cents?|ct)(?![a-z])(?:\s?/\s?kWh)?",
    re.IGNORECASE,
    needs=("$", "€", "£", "¥", "円", "元", "錢", "钱", "euro", "dollar", "usd", "eur", "peso", "cent", "ct"),
)


def money(text: str) -> Iterator[Mention]:
    """Yield a mention for each sum of money, so that its number counts nothing."""
    for match in _MONEY.finditer(text):
        yield Mention(match.start(), match.end(), senses=("money",))


_DIGITS = Late(r"(?<![\d.])(?<!\d,)[-−]?\$?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:e[+-]?\d{1,3}(?!\d))?", re.IGNORECASE)


_PLAIN_STOP = re.compile(r"[A-Za-z\d]+|[%/$-]")


_ANY_STOP = r"[\u3400-\u9fff]|[\u3040-\u30ff]+|[^\W_\u3040-\u30ff\u3400-\u9fff]+|[%°³/$-]"


_BREAK = Late(r"[,;:!?()，。；：！？、（）]\s*\D|\.\s|\s(?=每)|^\s+\d")


_QUOTIENT = Late(r"(?:[/÷]|\s(?:per|pro|par))\s*[\d.,]*$", needs=("/", "÷", "per", "pro", "par"))
"""What ends in no unit, but in a number by which an amount is divided: 10 kWh / 5."""


def _stops(window: str) -> Iterator[re.Match[str]]:
    """Yield each place where a unit may end; the pattern for all scripts is compiled where a text needs it, for that takes a millisecond."""
    return re.finditer(_PLAIN_STOP if window.isascii() else _ANY_STOP, window)


def quantities(text: str) -> Iterator[Mention]:
    """Yield a mention for each number in digits, with its magnitude word and its unit where one follows."""
    for match in _DIGITS.finditer(text):
        start = match.start()
        before = text[start - 1 : start]
        signed = match[0][0] in "-−$"
        if before.isascii() and before.isalpha() and not _FACTOR_BEFORE.search(text[: match.start()]):
            continue
        if signed and before.isalnum():
            start += 1
        mention = longest_quantity(text, start, match.end())
        if mention is not None:
            yield mention
            if mention.quantity is not None and mention.quantity.low is None:
                yield Mention(start, match.end(), number=parse_quantity(text[start : match.end()]).value)


_FACTOR_BEFORE = Late(r"(?<![^\W\d])(?:PUE|WUE|MFU)$", re.IGNORECASE, needs=("pue", "wue", "mfu"))
"""What a number may be written to: PUE1.2."""


_SIZE = Late(r"(?<![\w.])(\d{2,5})\s?[x×*]\s?(\d{2,5})(?![\w.])", re.IGNORECASE, needs=("x", "×", "*"))


_SMALLEST_SIDE = 64


_RATE = (("time", -1),)


def sizes(text: str) -> Iterator[Mention]:
    """Yield a mention for each size in pixels, such as 1024x1024."""
    for match in _SIZE.finditer(text):
        if min(float(match[1]), float(match[2])) < _SMALLEST_SIDE:
            continue
        yield Mention(match.start(), match.end(), number=0.0, size=(float(match[1]), float(match[2])))


_YEAR = Late(r"(?P<digits>(?:19|20)\d\d)\s?年", needs=("年",))


_CLOCK = Late(r"\b\d{1,2}(?::\d\d)?\s?(?:am|pm|a\.m\.|p\.m\.)(?![\w])", re.IGNORECASE, needs=("m",))


_HOUR = r"(?P<{0}>\d{{1,2}})(?::(?P<{0}_minute>\d\d))?\s?(?P<{0}_half>am|pm|a\.m\.|p\.m\.|h\b|Uhr|点|點|時)?"


_FROM_TO = Late(
    rf"(?<![\w.,$])(?:上午|早上?|朝)?{_HOUR.format('start')}\s?(?:-|–|to|till|until|through|bis|à|a|hasta las|到|至|から|~|〜)\s?(?:下午|晚上?|夜|las )?{_HOUR.format('end')}(?![\w.,%])", re.IGNORECASE
)


def clocks(text: str) -> Iterator[Mention]:
    """Yield a mention for each time of day, so that its number counts nothing; from one to another is so many hours a day."""
    for match in _FROM_TO.finditer(text):
        start, end = (float(match[side]) + float(match[f"{side}_minute"] or 0) / 60 for side in ("start", "end"))
        halves = match["start_half"], match["end_half"]
        marked = any(halves) or any(match[f"{side}_minute"] for side in ("start", "end")) or bool(_WORKING.search(text))
        if not marked or max(start, end) > 24:
            continue
        start += 12 if (halves[0] or "").lower().startswith("p") and start < 12 else 0
        end += 12 if end < 12 and ((halves[1] or "").lower().startswith("p") or end <= start) else 0
        if end > start:
            yield Mention(match.start(), match.end(), quantity=Quantity(end - start, "h"), senses=("clock",))
    for match in _CLOCK.finditer(text):
        yield Mention(match.start(), match.end(), senses=("clock",))


_WORKING = Late(r"\bhours\b|week|\bmon\b|office|\bwork|上班|工作|周一|週一|heures|Uhr|Werktag|horario|lunes|lundi|平日|営業", re.IGNORECASE)
"""Words beside which 9 to 5 is a time of day."""


def longest_quantity(text: str, start: int, end: int) -> Mention | None:
    """Return the longest reading of a number and what follows it: a range, a unit, a magnitude, or the number alone."""
    window = text[start : start + 60]
    if (year := _YEAR.match(text, start)) is not None and year.end("digits") == end:
        return Mention(start, year.end(), number=float(year["digits"]))
    stops = sorted({end - start, *(stop.end() for stop in _stops(window) if stop.end() > end - start)}, reverse=True)
    for stop in stops:
        if _BREAK.search(window[end - start : stop]) or _QUOTIENT.search(window, 0, stop):
            continue
        try:
            quantity = parse_quantity(window[:stop])
        except BadQuantity:
            continue
        if quantity.unit and (_is_thing(quantity.unit) or quantity.dimension == _RATE or (quantity.unit == "a" and _ARTICLE.match(window, stop))):
            continue
        if quantity.low is not None and _runs_on(window, stop, quantity):
            continue
        if quantity.unit in ("", "x", "×"):
            return Mention(start, start + stop, number=quantity.value, quantity=quantity if quantity.low is not None else None)
        return Mention(start, start + stop, quantity=quantity)
    return None


_ARTICLE = Late(r"\s+[a-z]", re.IGNORECASE)
"""What stands behind an a that is no year: 2 billion a day."""


def _runs_on(window: str, stop: int, read: Quantity) -> bool:
    """Return whether the second end of a range has a unit of its own, which measures something else: 30 days à 300 W is no range."""
    last = re.search(r"\d+(?:\.\d+)?$", window[:stop])
    if last is None:
        return False
    for further in (other.end() for other in _stops(window) if other.end() > stop):
        try:
            quantity = parse_quantity(window[last.start() : further])
        except BadQuantity:
            continue
        return quantity.dimension not in (read.dimension, NUMBER) or (quantity.unit in _PERCENT and read.unit not in _PERCENT)
    return False


_PERCENT = ("%", "percent")


def _is_thing(unit: str) -> bool:
    """Return whether a unit is a counted thing, which the lexicon and the names recognise by themselves."""
    return parse_unit(unit).dimension == NUMBER and unit not in (*_PERCENT, "x", "×", "倍")


_UNIT_WORD = Late(r"(?<![\w'’.])(?P<unit>m[3³](?![\w])|(?:cubic )?[A-Za-z]{2,12}(?:[ -]?hours?\b)?(?:\s?CO2e?q?)?(?:/kWh)?)(?:\s?/\s?(?P<per>day|d|week|month|year|yr|y|a))?(?![\w'’])")


_PER = {"d": "day", "yr": "year", "y": "year", "a": "year"}


_ASKED = (
    "Wh",
    "kWh",
    "MWh",
    "GWh",
    "TWh",
    "J",
    "kJ",
    "MJ",
    "GJ",
    "BTU",
    "kcal",
    "cal",
    "W",
    "kW",
    "MW",
    "GW",
    "mL",
    "L",
    "m³",
    "gallon",
    "g CO2e",
    "kg CO2e",
    "t CO2e",
    "kt CO2e",
    "Mt CO2e",
    "lb CO2e",
    "kg",
    "g",
    "t",
    "lb",
    "km",
    "mile",
)


def _unit_of(word: str) -> Unit | None:
    """Return the unit that a word means, with its hour joined or apart; None where it means none."""
    for spelling in dict.fromkeys((word, word.replace("-", " "), word.replace("-", "").replace(" ", ""), re.split(r"[ -]", word)[0])):
        try:
            return parse_unit(spelling)
        except BadQuantity:
            continue
    return None


def units(text: str, language: str) -> Iterator[Mention]:
    """Yield a mention for each unit that stands without a number: the one in which an answer is wanted."""
    articles = lexicon()["languages"][language]["skips"]
    for match in _UNIT_WORD.finditer(text):
        unit = _unit_of(match["unit"]) if match["unit"].casefold() not in articles else None
        if unit is None:
            continue
        asked = next((known for known in _ASKED if (parse_unit(known).factor, parse_unit(known).dimension) == (unit.factor, unit.dimension)), None)
        if asked is not None:
            per = match["per"]
            yield Mention(match.start(), match.end(), unit=asked, senses=(f"per.{_PER.get(per, per)}",) if per else ())
