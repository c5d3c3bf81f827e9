"""Numbers in words, in Latin and in Chinese script, with the unit that follows them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kilowhat.plugin.understanding.mention import Mention
from kilowhat.plugin.understanding.tables import lexicon
from kilowhat.plugin.understanding.written import longest_quantity
from kilowhat.tools.core.errors import BadQuantity
from kilowhat.tools.core.patterns import Late
from kilowhat.tools.core.units import MAGNITUDES, TIME, parse_quantity

_HAN_NUMBER = Late(r"[〇零一二三四五六七八九十百千万亿两半壹贰叁肆伍陆柒捌玖拾佰仟萬億兩]+")


_COUNTER = Late(r"[个個](?=[小时小時月星期钟鐘])", needs=("个", "個"))


_ALONE = frozenset("一半百千万亿萬億两兩十零")


def spoken_numbers(text: str, language: str) -> Iterator[Mention]:
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
    follows = longest_quantity(f"{shown}{text[end : end + 40]}", 0, len(shown))
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
