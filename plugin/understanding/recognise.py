"""What stands in a question: numbers, quantities, units, names and words that carry a sense.

Every mention keeps its place in the text. Where two overlap, the longer one stands; a name
beats the number inside it (H100, GPT-4), a quantity beats its number.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

from kilowhat.plugin.understanding.normalise import detect_language, normalise
from kilowhat.plugin.understanding.numbers import plain_numbers, plain_words
from kilowhat.plugin.understanding.tokens import Token, fold, tokenise
from kilowhat.tools import Library
from kilowhat.tools.core.errors import BadQuantity
from kilowhat.tools.core.patterns import Late
from kilowhat.tools.core.units import MAGNITUDES, NUMBER, TIME, Quantity, Unit, parse_quantity, parse_unit

_LEXICON = Path(__file__).parent / "lexicon" / "lexicon.json"

NAMES = ("task", "model", "run", "service", "hardware", "comparator", "place")


@dataclass(frozen=True, slots=True)
class Mention:
    """A part of the text and what it may mean: ids by kind of name, senses, a number, a quantity or a unit."""

    start: int
    end: int
    names: Mapping[str, str] = field(default_factory=dict)
    senses: tuple[str, ...] = ()
    number: float | None = None
    quantity: Quantity | None = None
    unit: str | None = None
    size: tuple[float, float] | None = None

    @property
    def weight(self) -> tuple[int, int]:
        """Longer first; at equal length a name, then a quantity, then a number, then a sense, then a bare unit."""
        rank = 4 if self.names else 3 if self.quantity else 2 if self.number is not None else 1 if self.senses else 0
        return self.end - self.start, rank


@lru_cache(maxsize=1)
def lexicon() -> dict[str, Any]:
    """Return the compiled lexicon; read once a process."""
    content: dict[str, Any] = json.loads(_LEXICON.read_bytes())
    return content


def marks() -> dict[str, list[str]]:
    """Return, for each language, the words or characters that mark it."""
    return {language: told["marks"] for language, told in lexicon()["languages"].items()}


def read(question: str, before: str | None = None) -> tuple[str, str, list[Mention]]:
    """Return a question as plain text, its language (that of the turn before where nothing tells), and what stands in it."""
    text = normalise(question)
    letters = {name: frozenset(told["letters"]) for name, told in lexicon()["languages"].items()}
    language = detect_language(text, marks(), before, _knows, letters)
    told = lexicon()["languages"][language]
    text = plain_words(plain_numbers(text, told["decimal"]), told["after_digits"])
    return text, language, recognise(text, language)


_SHORTEST_OWN_WORD = 5


def _knows(language: str, word: str) -> bool:
    """Return whether a word, not a short one, is a phrase of a language's lexicon by itself."""
    phrases = lexicon()["languages"][language]["phrases"].get(fold(word))
    return len(word) >= _SHORTEST_OWN_WORD and bool(phrases) and len(phrases[-1][0]) == 1


def recognise(text: str, language: str) -> list[Mention]:
    """Return the mentions of a normalised question, in order, none overlapping another."""
    tokens = tokenise(text)
    found = [*_phrases(text, tokens, language), *_tag(text, language), *_money(text), *_sizes(text), *_clocks(text), *_quantities(text), *_spoken_numbers(text, language), *_units(text)]
    chosen: list[Mention] = []
    for mention in sorted(found, key=lambda mention: mention.weight, reverse=True):
        if all(mention.end <= other.start or mention.start >= other.end for other in chosen):
            chosen.append(mention)
    negatives = re.compile(rf"(?<![a-zß-ÿ])(?:{'|'.join(map(re.escape, lexicon()['languages'][language]['negatives']))})\s*$", re.IGNORECASE)
    signed = [replace(mention, number=-mention.number) if mention.number and negatives.search(text[: mention.start]) else mention for mention in chosen]
    return _numbered_devices(text, _dozens(text, sorted(signed, key=lambda mention: mention.start)))


def _dozens(text: str, mentions: list[Mention]) -> list[Mention]:
    """Return the mentions with a number right before a word for a larger one as their product: two dozen, zwei Dutzend."""
    read: list[Mention] = []
    for mention in mentions:
        last = read[-1] if read else None
        word = mention.number is not None and not text[mention.start].isdigit()
        if last is not None and last.number and word and mention.number and 0 < last.number < mention.number and mention.start - last.end <= 1 and last.quantity is None:
            read[-1] = replace(last, end=mention.end, number=last.number * mention.number)
        else:
            read.append(mention)
    return read


_DEVICES = frozenset({"noun.accelerator", "noun.server"})


def _numbered_devices(text: str, mentions: list[Mention]) -> list[Mention]:
    """Return the mentions with numbers that name a device as that: eight 4090 cards, two 3090s."""
    read = list(mentions)
    for position, mention in enumerate(mentions):
        device = Library.load().spellings("hardware").get(text[mention.start : mention.end]) if mention.number is not None and mention.number >= 1000 else None
        if device is None:
            continue
        before, after = mentions[position - 1] if position else None, mentions[position + 1] if position + 1 < len(mentions) else None
        if before is not None and {"noun.thing", *_DEVICES} & set(before.senses) and mention.start - before.end <= 1:
            read[position] = Mention(mention.start, mention.end, {"hardware": device})
            continue
        counted = before is not None and before.number is not None and mention.start - before.end <= 2
        if counted or text[mention.end : mention.end + 2].rstrip() == "s" or (after is not None and _DEVICES & set(after.senses) and after.start - mention.end <= 1):
            read[position] = Mention(mention.start, mention.end, {"hardware": device})
    return read


def _tables(language: str) -> list[Mapping[str, list[list[Any]]]]:
    """Return the phrases that count in a language: names, its own words, and those of the languages whose words stand in it too."""
    languages = lexicon()["languages"]
    return [lexicon()["names"], *(languages[name]["phrases"] for name in (language, *languages[language]["also"]))]


def _phrases(text: str, tokens: list[Token], language: str) -> Iterator[Mention]:
    """Yield a mention for each phrase of the lexicon, with all that the same span may mean."""
    tables = _tables(language)
    skips, compounds = frozenset(lexicon()["languages"][language]["skips"]), lexicon()["languages"][language]["compounds"]
    for position, token in enumerate(tokens):
        spans: dict[int, tuple[dict[str, str], list[str], list[float], list[str]]] = {}
        for words, kind, value, *code in chain.from_iterable(table.get(token.folded, ()) for table in tables):
            last = _last(tokens, position, words, skips)
            if last is None:
                continue
            end = tokens[last].end
            if code and not _written_as_code(text, token.start, end, capitals=code[0] > 1):
                continue
            names, senses, numbers, units = spans.setdefault(end, ({}, [], [], []))
            if kind == "sense":
                if value not in senses:
                    senses.append(value)
            elif kind == "unit":
                units.append(value)
            elif kind == "number":
                numbers.append(float(value))
            else:
                names.setdefault(kind, value)
        for end, (names, senses, numbers, units) in spans.items():
            yield Mention(token.start, end, names, tuple(senses), numbers[0] if numbers else None, unit=units[0] if units else None)
        if compounds and not spans and (compound := _compound(token, tables)) is not None:
            yield compound


SHORTEST_HEAD = 6
"""Letters of the last part of a compound word that is taken for what the whole is: Textzusammenfassungen."""


def _compound(token: Token, tables: Sequence[Mapping[str, list[list[Any]]]]) -> Mention | None:
    """Return what a compound word is by its last part, the longest that is a phrase by itself; None where none is."""
    for start in range(2, len(token.folded) - SHORTEST_HEAD + 1):
        meanings = [(kind, value) for table in tables for words, kind, value, *code in table.get(token.folded[start:], ()) if len(words) == 1 and not code and kind not in ("number", "unit")]
        if meanings:
            return Mention(token.start, token.end, {kind: value for kind, value in meanings if kind != "sense"}, tuple(value for kind, value in meanings if kind == "sense"))
    return None


def _tag(text: str, language: str) -> Iterator[Mention]:
    """Yield a mention for the word at the end that makes of a statement a claim: "…, right?"."""
    words = "|".join(re.escape(tag) for tag in lexicon()["languages"][language]["tags"])
    apart = r"" if language in ("zh-Hans", "zh-Hant", "ja") else r"[,;.!–-]\s*"
    match = re.search(rf"{apart}(?P<tag>{words})\s*[?!.？！。]*$", text, re.IGNORECASE)
    if match is not None:
        yield Mention(match.start("tag"), match.end("tag"), senses=("shape.claim",))


_MONEY = Late(
    r"[$€£¥]\s?\d[\d.,]*(?:\s?(?:million|billion|trillion|k|m|bn))?(?![\w])|\d[\d.,]*\s?(?:円|元|塊錢|块钱|€|euros?|dollars?|USD|EUR|pesos?|cents?|ct)(?![a-z])(?:\s?/\s?kWh)?",
    re.IGNORECASE,
    needs=("$", "€", "£", "¥", "円", "元", "錢", "钱", "euro", "dollar", "usd", "eur", "peso", "cent", "ct"),
)


def _money(text: str) -> Iterator[Mention]:
    """Yield a mention for each sum of money, so that its number counts nothing."""
    for match in _MONEY.finditer(text):
        yield Mention(match.start(), match.end(), senses=("money",))


def _last(tokens: list[Token], position: int, words: list[str], skips: frozenset[str]) -> int | None:
    """Return the last token of a phrase that starts at a position, or None: articles and the like may stand inside it, or be left out."""
    here = position
    for number, word in enumerate(words):
        while here < len(tokens) and tokens[here].folded != word and number and tokens[here].folded in skips:
            here += 1
        if here < len(tokens) and tokens[here].folded == word:
            here += 1
        elif not (word in skips and 0 < number < len(words) - 1):
            return None
    return here - 1


_BEFORE_CODE = Late(r"(?:\b(?:in|at|region|zone|for|from|vs\.?|and|or|to|between)|[,(/:])\s*$", re.IGNORECASE)


def _written_as_code(text: str, start: int, end: int, *, capitals: bool) -> bool:
    """Return whether a span is written as a code: with its hyphens, or in capitals where a place may stand, or where these alone tell it."""
    span = text[start:end]
    if capitals and span.isupper() and not text.isupper():
        return True
    if "-" in span:
        return True
    rest = text[end : end + 1]
    return span.isupper() and span.isalpha() and not rest.isdigit() and (len(text) < 6 or bool(_BEFORE_CODE.search(text[:start])))


_DIGITS = Late(r"(?<![\d.])(?<!\d,)[-−]?\$?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:e[+-]?\d{1,3}(?!\d))?", re.IGNORECASE)
_PLAIN_STOP = re.compile(r"[A-Za-z\d]+|[%/$-]")
_ANY_STOP = r"[\u3400-\u9fff]|[\u3040-\u30ff]+|[^\W_\u3040-\u30ff\u3400-\u9fff]+|[%°³/$-]"
_BREAK = Late(r"[,;:!?()，。；：！？、（）]\s*\D|\.\s|(?<=[^\x00-\xff])\s(?=每)")


def _stops(window: str) -> Iterator[re.Match[str]]:
    """Yield each place where a unit may end; the pattern for all scripts is compiled where a text needs it, for that takes a millisecond."""
    return re.finditer(_PLAIN_STOP if window.isascii() else _ANY_STOP, window)


def _quantities(text: str) -> Iterator[Mention]:
    """Yield a mention for each number in digits, with its magnitude word and its unit where one follows."""
    for match in _DIGITS.finditer(text):
        start = match.start()
        before = text[start - 1 : start]
        signed = match[0][0] in "-−$"
        if before.isascii() and before.isalpha() and not _FACTOR_BEFORE.search(text[: match.start()]):
            continue
        if signed and before.isalnum():
            start += 1
        mention = _longest_quantity(text, start, match.end())
        if mention is not None:
            yield mention
            if mention.quantity is not None and mention.quantity.low is None:
                yield Mention(start, match.end(), number=parse_quantity(text[start : match.end()]).value)


_FACTOR_BEFORE = Late(r"(?<![^\W\d])(?:PUE|WUE|MFU)$", re.IGNORECASE, needs=("pue", "wue", "mfu"))
"""What a number may be written to: PUE1.2."""

_SIZE = Late(r"(?<![\w.])(\d{2,5})\s?[x×*]\s?(\d{2,5})(?![\w.])", re.IGNORECASE, needs=("x", "×", "*"))
_SMALLEST_SIDE = 64
_RATE = (("time", -1),)


def _sizes(text: str) -> Iterator[Mention]:
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


def _clocks(text: str) -> Iterator[Mention]:
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


def _longest_quantity(text: str, start: int, end: int) -> Mention | None:
    """Return the longest reading of a number and what follows it: a range, a unit, a magnitude, or the number alone."""
    window = text[start : start + 60]
    if (year := _YEAR.match(text, start)) is not None and year.end("digits") == end:
        return Mention(start, year.end(), number=float(year["digits"]))
    stops = sorted({end - start, *(stop.end() for stop in _stops(window) if stop.end() > end - start)}, reverse=True)
    for stop in stops:
        if _BREAK.search(window[end - start : stop]):
            continue
        try:
            quantity = parse_quantity(window[:stop])
        except BadQuantity:
            continue
        if quantity.unit and (_is_thing(quantity.unit) or quantity.dimension == _RATE):
            continue
        if quantity.low is not None and _runs_on(window, stop, quantity):
            continue
        if quantity.unit in ("", "x", "×"):
            return Mention(start, start + stop, number=quantity.value, quantity=quantity if quantity.low is not None else None)
        return Mention(start, start + stop, quantity=quantity)
    return None


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
        return quantity.dimension not in (read.dimension, NUMBER)
    return False


def _is_thing(unit: str) -> bool:
    """Return whether a unit is a counted thing, which the lexicon and the names recognise by themselves."""
    return parse_unit(unit).dimension == NUMBER and unit not in ("%", "percent", "x", "×", "倍")


_HAN_NUMBER = Late(r"[〇零一二三四五六七八九十百千万亿两半壹贰叁肆伍陆柒捌玖拾佰仟萬億兩]+")
_COUNTER = Late(r"[个個](?=[小时小時月星期钟鐘])", needs=("个", "個"))
_ALONE = frozenset("一半百千万亿萬億两兩十零")


def _spoken_numbers(text: str, language: str) -> Iterator[Mention]:
    """Yield a mention for each number in words."""
    if language.startswith("zh") or language == "ja":
        for match in _HAN_NUMBER.finditer(text):
            value = _chinese_number(match[0])
            if value is None:
                continue
            counter = _COUNTER.match(text, match.end())
            measured = _with_unit(text, match.start(), counter.end() if counter else match.end(), value)
            stands = measured.quantity is not None and (match[0] != "一" or measured.quantity.dimension != TIME)
            yield measured if stands else Mention(match.start(), match.end(), number=value)
        return
    spoken = lexicon()["languages"].get(language, {}).get("spoken")
    if spoken is None:
        return
    yield from _number_words(text, spoken)


def _chinese_number(digits: str) -> float | None:
    if digits == "一":
        return 1.0
    if digits in ("两", "兩"):
        return 2.0
    if digits == "十":
        return 10.0
    if digits in _ALONE or "半" in digits:
        return None
    plain = digits.replace("萬", "万").replace("億", "亿").replace("兩", "两")
    if (usual := lexicon()["numerals"].get(plain)) is not None:
        return float(usual)
    import cn2an

    try:
        return float(cn2an.cn2an(plain, "smart"))
    except (ValueError, OverflowError, KeyError):
        return None


def _number_words(text: str, language: str) -> Iterator[Mention]:
    """Yield numbers that English and its neighbours write in words, as the library text2num reads them."""
    from text_to_num import text2num

    words = list(re.finditer(r"[^\W\d_]+(?:-[^\W\d_]+)*", text))
    position = 0
    while position < len(words):
        for last in range(min(len(words), position + 7), position, -1):
            piece = text[words[position].start() : words[last - 1].end()]
            try:
                value = text2num(piece.casefold(), language)
            except ValueError:
                continue
            if piece.casefold() in _VAGUE:
                break
            if len(piece) > 2 or last - position > 1:
                yield _with_unit(text, words[position].start(), words[last - 1].end(), float(value), language)
            position = last - 1
            break
        position += 1


_VAGUE = frozenset({"tens", "dozens", "hundreds", "thousands", "millions", "billions"})
"""Numbers of no number: tens of millions."""

_AND_A_HALF = Late(r"\s+and\s+a\s+half\b", re.IGNORECASE, needs=("and a half",))
_MAGNITUDE_WORD = Late(r"[\s-]+(hundred|thousand|million|billion|trillion)\b", re.IGNORECASE)


def _with_unit(text: str, start: int, end: int, value: float, language: str | None = None) -> Mention:
    """Return the mention of a number in words with what follows it: and a half, a magnitude, a unit (two and a half million, one hour)."""
    if half := _AND_A_HALF.match(text, end):
        value, end = value + 0.5, half.end()
    if scale := _MAGNITUDE_WORD.match(text, end):
        value, end = value * MAGNITUDES[scale[1].casefold()], scale.end()
    shown = f"{value:.15g}"
    follows = _longest_quantity(f"{shown}{text[end : end + 40]}", 0, len(shown))
    if follows is not None and follows.quantity is not None and follows.end > len(shown):
        return Mention(start, end + follows.end - len(shown), quantity=follows.quantity)
    for word, known in lexicon()["languages"].get(language or "", {}).get("after_digits", {}).items():
        if behind := re.compile(rf"\s*{re.escape(word)}(?![^\W\d_])", re.IGNORECASE).match(text, end):
            try:
                quantity = parse_quantity(f"{shown} {known}")
            except BadQuantity:
                continue
            return Mention(start, behind.end(), quantity=quantity) if quantity.unit else Mention(start, behind.end(), number=quantity.value)
    return Mention(start, end, number=value)


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


def _units(text: str) -> Iterator[Mention]:
    """Yield a mention for each unit that stands without a number: the one in which an answer is wanted."""
    for match in _UNIT_WORD.finditer(text):
        unit = _unit_of(match["unit"])
        if unit is None:
            continue
        asked = next((known for known in _ASKED if (parse_unit(known).factor, parse_unit(known).dimension) == (unit.factor, unit.dimension)), None)
        if asked is not None:
            per = match["per"]
            yield Mention(match.start(), match.end(), unit=asked, senses=(f"per.{_PER.get(per, per)}",) if per else ())
