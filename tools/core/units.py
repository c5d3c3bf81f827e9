"""Units, their dimensions, and quantities as text.

A unit is a product of factors, written as people and tables write it:
``kWh``, ``g CO2e/kWh``, ``kWh per 1000 images``, ``GPU-hours``, ``萬噸二氧化碳``. Things that
are counted (images, requests, homes) have no dimension. The mass of a
greenhouse gas is a dimension of its own, so that a kilogram of hardware is
never taken for a kilogram of CO2e; and the energy of a year is an energy over
a time, as in physics.

Written here rather than taken from a units library: pint takes longer to import
than a whole answer may take, knows neither CO2e nor 度, and would accept mass
for emissions.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from kilowhat.tools.core.errors import BadQuantity, UnitMismatch
from kilowhat.tools.core.patterns import Late

Dimension = tuple[tuple[str, int], ...]
"""Exponents of the base dimensions, sorted, zeros left out: power is (("energy", 1), ("time", -1))."""

ENERGY: Dimension = (("energy", 1),)
EMISSIONS: Dimension = (("emissions", 1),)
VOLUME: Dimension = (("volume", 1),)
TIME: Dimension = (("time", 1),)
LENGTH: Dimension = (("length", 1),)
MASS: Dimension = (("mass", 1),)
POWER: Dimension = (("energy", 1), ("time", -1))
NUMBER: Dimension = ()

HOURS_PER_YEAR = 8760.0
"""A year of 365 days, as the field counts it (6.5 kW all year is 56.94 MWh)."""

_PERCENT = ("%", "percent", "per cent", "pct", "百分之")

_SI = {"p": 1e-12, "n": 1e-9, "µ": 1e-6, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18, "Z": 1e21}
_SI_CHINESE = {"": 1.0, "毫": 1e-3, "千": 1e3, "兆": 1e6, "百万": 1e6, "百萬": 1e6, "吉": 1e9, "太": 1e12}
_SI_WORDS = {"": 1.0, "milli": 1e-3, "kilo": 1e3, "mega": 1e6, "giga": 1e9, "tera": 1e12, "peta": 1e15, "exa": 1e18}


def _symbols() -> dict[str, tuple[float, Dimension]]:
    """Return every unit symbol with its factor to the base unit of its dimension.

    Base units: kWh, kg CO2e, L, h, km, kg, byte, FLOP, US dollar, kelvin.
    """
    units: dict[str, tuple[float, Dimension]] = {}

    def add(factor: float, dimension: Dimension, *names: str) -> None:
        for name in names:
            units[name] = (factor, dimension)

    for prefix, scale in _SI.items():
        add(scale * 1e-3, ENERGY, f"{prefix}Wh", f"{prefix}W·h", f"{prefix}W*h", f"{prefix}W h", f"{prefix}W-h")
        add(scale / 3.6e6, ENERGY, f"{prefix}J")
        add(scale / 3.6e6, ENERGY, f"{prefix}Ws")
        add(scale * 1e-3, POWER, f"{prefix}W")
        add(scale * 1e-3, MASS, f"{prefix}g")
        add(scale, VOLUME, f"{prefix}L", f"{prefix}l")
        add(scale * 1e-3, LENGTH, *([f"{prefix}m"] if prefix in ("", "k", "m") else []))
        add(scale, (("compute", 1),), f"{prefix}FLOP", f"{prefix}FLOPs")
        add(scale * 3600, (("compute", 1), ("time", -1)), *([f"{prefix}FLOPS", f"{prefix}FLOP/s"] if prefix in "MGTPEZ" else []))
        add(scale, (("data", 1),), f"{prefix}B")
    for prefix, scale in _SI_WORDS.items():
        add(scale * 1e-3, ENERGY, f"{prefix}watt-hour", f"{prefix}watt hour", f"{prefix}watthour", f"{prefix}wattstunde", f"{prefix}wattheure", f"{prefix}vatio-hora")
        add(scale / 3.6e6, ENERGY, f"{prefix}joule")
        add(scale * 1e-3, POWER, f"{prefix}watt", f"{prefix}vatio")
        add(scale * 1e-3, MASS, f"{prefix}gram", f"{prefix}gramme", f"{prefix}gramm", f"{prefix}gramo")
        add(scale, VOLUME, f"{prefix}liter", f"{prefix}litre", f"{prefix}litro")
        add(scale * 1e-3, LENGTH, f"{prefix}meter", f"{prefix}metre", f"{prefix}metro")
        add(scale, (("data", 1),), f"{prefix}byte")
    for prefix, scale in _SI_CHINESE.items():
        add(scale * 1e-3, ENERGY, f"{prefix}瓦时", f"{prefix}瓦時", f"{prefix}瓦小时", f"{prefix}瓦小時")
        add(scale * 1e-3, POWER, f"{prefix}瓦", f"{prefix}瓦特")
        add(scale / 3.6e6, ENERGY, f"{prefix}焦耳", f"{prefix}焦")
        add(scale * 1e-3, MASS, f"{prefix}克")
        add(scale, VOLUME, f"{prefix}升")
    add(1.0, VOLUME, "公升")
    for prefix, scale in {"キロ": 1e3, "メガ": 1e6, "ギガ": 1e9, "テラ": 1e12, "": 1.0, "ミリ": 1e-3}.items():
        add(scale * 1e-3, ENERGY, f"{prefix}ワット時")
        add(scale * 1e-3, POWER, f"{prefix}ワット")
        add(scale * 1e-3, MASS, f"{prefix}グラム")
        add(scale, VOLUME, f"{prefix}リットル")
    add(1.0, ENERGY, "度", "度电", "度電", "kilowattstunden", "kilowattheures", "kilovatios-hora")
    add(1 / 3412.141633, ENERGY, "BTU")
    add(4184 / 3.6e6, ENERGY, "kcal", "kilocalorie", "千卡", "大卡")
    add(4.184 / 3.6e6, ENERGY, "cal")
    add(1e-3, POWER, "VA")
    add(745.69987e-3, POWER, "hp")
    add(1e3, MASS, "t", "ton", "tonne", "metric ton", "吨", "噸", "公吨", "公噸", "トン", "tonelada")
    add(1e6, MASS, "kt", "kiloton", "kilotonne", "千吨", "千噸")
    add(1e9, MASS, "Mt", "megaton", "megatonne")
    add(1e12, MASS, "Gt", "gigaton", "gigatonne")
    add(1e-3, MASS, "公克")
    add(1.0, MASS, "公斤", "千克", "kilo")
    add(0.5, MASS, "斤")
    add(0.45359237, MASS, "lb", "lbs", "pound", "磅")
    add(907.18474, MASS, "short ton", "US ton")
    add(1e3, VOLUME, "m3", "m³", "cubic meter", "cubic metre", "立方米", "立方公尺", "kubikmeter")
    add(1e-2, VOLUME, "cl", "centilitre", "centiliter", "Zentiliter", "centilitro")
    add(1e-3, VOLUME, "ml", "cc", "毫升", "cm3")
    add(1e-2, VOLUME, "cl", "cL")
    add(3.785411784, VOLUME, "gallon", "gal", "US gallon", "加仑", "加侖", "galón")
    add(0.0295735295625, VOLUME, "fl oz", "fluid ounce")
    add(5e-5, VOLUME, "drop", "Tropfen", "goutte", "gota", "滴")
    add(1e-3, LENGTH, "米", "公尺")
    add(1.0, LENGTH, "公里", "千米", "キロ")
    add(1.609344, LENGTH, "mile", "mi", "英里")
    add(1 / 3600, TIME, "s", "sec", "second", "秒", "seconde", "Sekunde", "segundo")
    add(1e-3 / 3600, TIME, "ms")
    add(1 / 60, TIME, "min", "minute", "分钟", "分鐘", "分")
    add(1.0, TIME, "h", "hr", "hour", "小时", "小時", "钟头", "鐘頭", "個鐘頭", "个钟头", "个小时", "個小時", "时", "時間", "Stunde", "heure", "hora")
    add(24.0, TIME, "d", "day", "天", "日", "Tag", "jour", "día")
    add(168.0, TIME, "week", "周", "週", "星期", "礼拜", "禮拜", "个星期", "個星期", "个礼拜", "個禮拜")
    add(HOURS_PER_YEAR / 12, TIME, "month", "mo", "个月", "個月", "月")
    add(HOURS_PER_YEAR, TIME, "yr", "year", "a", "年")
    add(1.0, (("money", 1),), "USD", "$", "US$", "dollar", "美元")
    add(1.0, (("temperature", 1),), "K")
    add(0.01, NUMBER, *_PERCENT)
    add(1.0, NUMBER, "", "1", "x", "×", "times", "ratio", "share", "倍", "fold")
    for noun in COUNT_NOUNS:
        add(1.0, NUMBER, noun)
    return units


COUNT_NOUNS = (
    "inference", "image", "video", "clip", "frame", "request", "query", "prompt", "message", "token", "word", "page", "sample", "document", "text",
    "parameter", "user", "home", "household", "person", "people", "capita", "passenger", "employee", "customer", "GPU", "TPU", "chip", "accelerator", "server", "device",
    "rack", "board", "node", "machine", "model", "item", "unit", "run", "task", "step", "charge", "tree", "flight", "car", "vehicle", "search", "session",
    "response", "answer", "question", "reply", "batch", "core", "pixel", "pair", "experiment", "action", "call", "conversation", "bottle", "pool", "American",
    "个", "個", "家庭", "个家庭", "個家庭", "户", "戶", "人", "个人", "個人", "次", "张", "張", "台", "臺", "颗", "顆", "颗芯片", "枚", "块", "塊", "字", "单词", "單詞", "个单词", "個單詞",
    "用户", "用戶", "個用戶", "个用户", "请求", "請求", "个请求", "個請求", "模型", "个模型", "個模型", "棵", "棵树", "棵樹", "頁", "页", "个参数", "個參數", "参数", "參數", "台服务器",
)  # fmt: skip
"""Things that are counted and have no dimension; plurals are understood."""

_GAS = re.compile(
    r"^(?P<mass>.*?)\s*[-_]?\s*(?:of\s+|de\s+|d['’])?\(?(?:co2[\s-]?(?:eq?|äq|eqv)?\.?|carbon(?: dioxide)?(?: equivalent)?|二氧化碳(?:当量|當量)?|碳)\)?(?:-?eq(?:uivalents?)?)?$",
    re.IGNORECASE,
)
_LEADING_NUMBER = re.compile(r"^(?P<number>(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:e[+-]?\d+)?)\s*(?P<rest>.*)$", re.IGNORECASE)
_SPLIT = re.compile(r"\s*(/|÷|\bper\b|\bpro\b|\bpar\b|每)\s*")
_PRODUCT = re.compile(r"\s*[·⋅]\s*")

MAGNITUDES = {
    "hundred": 1e2, "thousand": 1e3, "k": 1e3, "million": 1e6, "millions": 1e6, "mn": 1e6, "mio": 1e6, "billion": 1e9, "billions": 1e9, "bn": 1e9, "trillion": 1e12, "trillions": 1e12, "tn": 1e12,
    "百": 1e2, "千": 1e3, "万": 1e4, "萬": 1e4, "十万": 1e5, "十萬": 1e5, "百万": 1e6, "百萬": 1e6, "千万": 1e7, "千萬": 1e7, "亿": 1e8, "億": 1e8, "十亿": 1e9, "十億": 1e9, "百亿": 1e10, "百億": 1e10, "千亿": 1e11, "千億": 1e11, "万亿": 1e12, "萬億": 1e12,
}  # fmt: skip
"""Words that multiply the number before them."""

_MAGNITUDES_LONGEST_FIRST = sorted(MAGNITUDES, key=len, reverse=True)
_CLASSIFIERS = "个個张張台臺颗顆枚块塊户戶棵頁页次位名"
_CLASSIFIER = Late(rf"^[{_CLASSIFIERS}][\u3400-\u9fff]{{1,8}}$", needs=tuple(_CLASSIFIERS))
_DESCRIBING = re.compile(r"^\d*[^\W\d_][\w.'’+-]+$")
"""A word that may stand before a thing that is counted: US homes, H100 GPUs, 40GB GPUs; no number, no single letter."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as written, with its factor to the base units and its dimension."""

    symbol: str
    factor: float
    dimension: Dimension


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with a unit and, where known, the interval it lies in."""

    value: float
    unit: str
    low: float | None = None
    high: float | None = None

    @property
    def dimension(self) -> Dimension:
        """The exponents of the base dimensions."""
        return parse_unit(self.unit).dimension

    def to(self, unit: str) -> Quantity:
        """Return the same quantity in another unit.

        Raises:
            UnitMismatch: where the two units measure different things.
        """
        if unit == self.unit:
            return self
        scale = conversion_factor(self.unit, unit)
        return Quantity(self.value * scale, unit, None if self.low is None else self.low * scale, None if self.high is None else self.high * scale)


def combine(left: Dimension, right: Dimension, sign: int = 1) -> Dimension:
    """Return the dimension of a product (sign 1) or a quotient (sign -1)."""
    exponents = dict(left)
    for base, exponent in right:
        exponents[base] = exponents.get(base, 0) + sign * exponent
    return tuple(sorted((base, exponent) for base, exponent in exponents.items() if exponent))


@lru_cache(maxsize=1)
def _tables() -> tuple[dict[str, tuple[float, Dimension]], dict[str, tuple[float, Dimension]]]:
    exact = _symbols()
    folded: dict[str, tuple[float, Dimension]] = {}
    for name, meaning in sorted(exact.items(), key=lambda item: (item[0][:1] in "mpµ", len(item[0]))):
        folded.setdefault(name.casefold(), meaning)
    return exact, folded


def _simple(text: str) -> tuple[float, Dimension] | None:
    """Return factor and dimension of one symbol or word, or None."""
    exact, folded = _tables()
    for candidate in (text, text.rstrip(".")):
        if candidate in exact:
            return exact[candidate]
    word = text.casefold()
    if word in folded and text not in ("A", "G", "M"):
        return folded[word]
    for ending, singular, shortest in (("s", "", 2), ("es", "", 2), ("n", "", 4), ("ies", "y", 3)):
        stem = word.removesuffix(ending) + singular
        if word.endswith(ending) and len(stem) >= shortest and stem in folded:
            return folded[stem]
    return None


def _counted(text: str) -> tuple[float, Dimension] | None:
    """Return the meaning of a counted thing with words before it, such as ``US homes`` or 个家庭, or None."""
    *describing, noun = text.split() or [""]
    found = _simple(noun) if describing else None
    if found and found[1] == NUMBER and all(_DESCRIBING.match(word) and (_simple(word) or found)[1] == NUMBER for word in describing):
        return found
    if text[:1] in ("个", "個") and (measured := _simple(text[1:])):
        return measured
    return (1.0, NUMBER) if _CLASSIFIER.match(text) else None


def _factor(text: str) -> tuple[float, Dimension]:
    """Return factor and dimension of one factor of a unit, such as ``1000 images``."""
    text = text.strip()
    scale = 1.0
    while text and (match := _LEADING_NUMBER.match(text)):
        scale *= float(match["number"].replace(",", ""))
        text = match["rest"].strip()
    magnitude, text = _split_magnitude(text)
    scale *= magnitude
    found = _simple(text)
    if found is None and (gas := _GAS.match(text)):
        mass = _simple(gas["mass"]) if gas["mass"] else None
        if mass and mass[1] == MASS:
            found = (mass[0], EMISSIONS)
    if found is None and "-" in text:
        counted, _, measured = text.partition("-")
        head, tail = _simple(counted), _simple(measured)
        if head and tail and head[1] == NUMBER:
            found = (head[0] * tail[0], tail[1])
    found = found or _counted(text)
    if found is None:
        raise BadQuantity(f"{text[:60]!r} is no unit that is known here; use for example Wh, kWh, J, W, g CO2e, t CO2e, L, h or km.")
    if not 1e-30 <= scale <= 1e30:
        raise BadQuantity(f"{scale:g} {text[:60]} is no unit: it is zero or beyond anything physical.")
    return scale * found[0], found[1]


@lru_cache(maxsize=4096)
def parse_unit(text: str) -> Unit:
    """Return the unit that a text names.

    Args:
        text: Such as ``kWh``, ``g CO2e/kWh``, ``kWh per 1000 images``; case matters only where it changes the meaning.

    Raises:
        BadQuantity: where a factor is no known unit.
    """
    if len(text) > 80:
        raise BadQuantity("A unit has at most 80 characters, such as kWh or g CO2e/kWh.")
    normal = " ".join(unicodedata.normalize("NFKC", text).split())
    if (known := _simple(normal)) is not None:
        return Unit(text, *known)
    factor, dimension, sign = 1.0, NUMBER, 1
    for part in _SPLIT.split(normal):
        if part in ("/", "÷", "per", "pro", "par", "每"):
            sign = -1
            continue
        for piece in _PRODUCT.split(part):
            size, exponents = _factor(piece)
            factor *= size**sign
            dimension = combine(dimension, exponents, sign)
    if not (math.isfinite(factor) and factor > 0):
        raise BadQuantity(f"{text!r} is no unit: its size is not a positive number.")
    return Unit(text, factor, dimension)


@lru_cache(maxsize=4096)
def conversion_factor(source: str, target: str) -> float:
    """Return the number that turns a value in one unit into a value in another.

    Raises:
        UnitMismatch: where the two units measure different things.
    """
    start, end = parse_unit(source), parse_unit(target)
    if start.dimension != end.dimension:
        raise UnitMismatch(f"{source or 'a plain number'} is {name_dimension(start.dimension)}, and {name_dimension(end.dimension)} is wanted here (such as {target or 'a plain number'}).")
    return start.factor / end.factor


_DIMENSION_NAMES: dict[Dimension, str] = {
    ENERGY: "an energy", EMISSIONS: "a mass of greenhouse gas", VOLUME: "a volume", TIME: "a time", LENGTH: "a length", MASS: "a mass", POWER: "a power", NUMBER: "a plain number",
    combine(EMISSIONS, ENERGY, -1): "a carbon intensity", combine(VOLUME, ENERGY, -1): "a water intensity",
}  # fmt: skip


def spelled(unit: str) -> str:
    """Return a unit as results spell it: a percentage has one spelling, whatever its source writes.

    >>> spelled("percent"), spelled("kWh")
    ('%', 'kWh')
    """
    return "%" if unit in _PERCENT else unit


def name_dimension(dimension: Dimension) -> str:
    """Return the dimension in words, such as ``an energy``."""
    return _DIMENSION_NAMES.get(dimension) or "·".join(base if exponent == 1 else f"{base}^{exponent}" for base, exponent in dimension)


_CANONICAL: dict[Dimension, str] = {ENERGY: "kWh", EMISSIONS: "kg CO2e", VOLUME: "L", POWER: "W", TIME: "h", LENGTH: "km", MASS: "kg", NUMBER: "ratio"}


def canonical_unit(dimension: Dimension) -> str | None:
    """Return the unit in which results of this dimension are given, or None where there is none."""
    return _CANONICAL.get(dimension)


_POWER_OF_TEN = r"10\s*(?:\^|\*\*)\s*[-−+]?\d{1,3}(?!\d)"
_DIGITS = re.compile(rf"{_POWER_OF_TEN}|(?:\d{{1,3}}(?:[, \u2009\u202f]\d{{3}})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)(?:e[+-]?\d{{1,3}}(?!\d)|\s*[x×*]\s*{_POWER_OF_TEN})?", re.IGNORECASE)
_RAISED = re.compile(r"(?<=\d)[⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+")
"""Superscripts after a digit, which Unicode's compatibility form would join to it: 10⁵ is not 105."""
_RANGE = re.compile(r"\s*(?:-|–|—|~|至|到|\bto\b|\bbis\b|\bà)\s*(?=[\d.])", re.IGNORECASE)


def _split_magnitude(text: str) -> tuple[float, str]:
    """Return the magnitude word that a text starts with, as a factor, and what follows; 千瓦时 is a unit, 千台 is not."""
    text = text.strip()
    if _simple(_SPLIT.split(text)[0]) is not None and text.casefold() != "k":
        return 1.0, text
    folded = text.casefold()
    for word in _MAGNITUDES_LONGEST_FIRST:
        if folded.startswith(word) and not (word.isascii() and folded[len(word) : len(word) + 1].isalpha()):
            return MAGNITUDES[word], text[len(word) :].strip()
    return 1.0, text


def plain(text: str) -> str:
    """Return a text in Unicode's compatibility form, with superscripts behind a digit as powers: 10⁵ is 10^5."""
    return unicodedata.normalize("NFKC", _RAISED.sub(r"^\g<0>", text))


def parse_number(text: str) -> float:
    """Return the number that digits with separators, an exponent or a magnitude word write.

    >>> parse_number("1,287"), parse_number("1.7萬"), parse_number("1.5 million")
    (1287.0, 17000.0, 1500000.0)

    Raises:
        BadQuantity: where the text is no number, or not a finite one.
    """
    quantity = parse_quantity(text)
    if quantity.unit or quantity.low is not None:
        raise BadQuantity(f"{text[:60]!r} is no plain number.")
    return quantity.value


def _digits(text: str) -> float:
    body = re.sub(r"[,\s\u2009\u202f]", "", text).replace("−", "-").lower()
    value = float(re.sub(r"(?:^|[x×*])10(?:\^|\*\*)([-+]?\d+)$", lambda power: f"{'' if power.start() else '1'}e{power[1]}", body))
    if not math.isfinite(value):
        raise BadQuantity(f"{text[:60]!r} is not a finite number.")
    return value


def parse_quantity(text: str) -> Quantity:
    """Return the quantity that a text writes: a number or a range, and a unit.

    >>> parse_quantity("1.7 MWh").to("kWh").value
    1700.0
    >>> parse_quantity("85.4–134 TWh").low
    85.4

    A range has the geometric mean of its ends as value.

    Raises:
        BadQuantity: where there is no number first, or the unit is unknown.
    """
    if len(text) > 200:
        raise BadQuantity("A quantity is a short text such as '3 kWh'; this one has more than 200 characters.")
    body = plain(text).strip().lstrip("~≈").strip()
    sign = -1.0 if body[:1] in ("-", "−") else 1.0
    body = body[1:].strip() if body[:1] in ("+", "-", "−") else body
    money, body = ("USD", body[1:].strip()) if body.startswith("$") else ("", body)
    match = _DIGITS.match(body)
    if match is None:
        raise BadQuantity(f"{text[:60]!r} is no quantity; write a number and a unit, such as '3 kWh'.")
    value, rest = sign * _digits(match[0]), body[match.end() :]
    if separator := _RANGE.search(rest):
        second = _DIGITS.match(rest, separator.end())
        if second is not None:
            first_scale, first_unit = _split_magnitude(rest[: separator.start()])
            scale, unit = _split_magnitude(rest[second.end() :])
            unit = f"{money} {unit or first_unit}".strip()
            low, high = value * first_scale, _digits(second[0]) * scale
            if first_scale == 1.0 and not first_unit:
                low *= scale
            if first_unit and parse_unit(first_unit).dimension != parse_unit(unit).dimension:
                raise BadQuantity(f"{text[:60]!r} is no range: its ends measure different things.")
            low *= conversion_factor(first_unit or unit, unit)
            if not (0 < low <= high and 0 < low * high < math.inf):
                raise BadQuantity(f"{text[:60]!r} is no range: its ends must be positive and in order.")
            return Quantity(math.sqrt(low * high), unit, low, high)
    scale, unit = _split_magnitude(rest)
    unit = f"{money} {unit}".strip()
    parse_unit(unit)
    if not math.isfinite(value * scale):
        raise BadQuantity(f"{text[:60]!r} is not a finite number.")
    return Quantity(value * scale, unit)


_SCALES: dict[Dimension, tuple[str, ...]] = {
    ENERGY: ("Wh", "kWh", "MWh", "GWh", "TWh"),
    EMISSIONS: ("g CO2e", "kg CO2e", "t CO2e", "kt CO2e", "Mt CO2e"),
    VOLUME: ("mL", "L", "m³"),
    POWER: ("W", "kW", "MW", "GW"),
}


def readable(quantity: Quantity) -> Quantity:
    """Return the quantity in the unit of its dimension that a person reads most easily."""
    factors = _readable_factors(quantity.unit)
    if not factors or quantity.value == 0:
        return quantity
    size = abs(quantity.value)
    fitting, factor = factors[0]
    for unit, scale in factors:
        if size * scale >= 1:
            fitting, factor = unit, scale
    return Quantity(quantity.value * factor, fitting, None if quantity.low is None else quantity.low * factor, None if quantity.high is None else quantity.high * factor)


@lru_cache(maxsize=256)
def _readable_factors(unit: str) -> tuple[tuple[str, float], ...]:
    """Return the units that a quantity in a unit may be shown in, smallest first, each with its factor; none where its own is kept."""
    scale = _SCALES.get(parse_unit(unit).dimension)
    if scale is None or (unit not in scale and _SPLIT.search(unit)):
        return ()
    return tuple((other, conversion_factor(unit, other)) for other in scale)


MOST_DIGITS = 4
"""More digits than an estimate can be sure of are not shown."""


def significant_digits(quantity: Quantity) -> int:
    """Return how many digits the interval allows: two, up to four where it is narrow or absent."""
    if quantity.low is None or quantity.high is None or quantity.low == quantity.high or quantity.value == 0:
        return MOST_DIGITS
    width = quantity.high / quantity.low if quantity.low > 0 else math.inf
    return 2 if width > 1.2 else 3 if width > 1.02 else MOST_DIGITS


def shown_digits(quantity: Quantity, ends: int = 2) -> tuple[int, int]:
    """Return how many digits the value and the ends of its range are shown with: as few as keep the value between them, and them apart.

    A share just below 100 % is not shown as all.

    >>> shown_digits(Quantity(1257.0, "m3", 1256.0, 1390.0)), shown_digits(Quantity(99.75, "%", 93.0, 99.9)), shown_digits(Quantity(430.0, "TWh", 325.0, 580.0), 3)
    ((3, 3), (3, 2), (2, 3))

    Args:
        quantity: The value with its range, in the unit in which it is shown.
        ends: Digits that the ends have at least: those of the source, where a range is published.
    """
    low, high = quantity.low, quantity.high
    ranged = low is not None and high is not None and low < high
    start = 2 if ranged and quantity.dimension == NUMBER else significant_digits(quantity)
    percent = quantity.unit in ("%", "percent") and quantity.value < WHOLE_PERCENT
    if not ranged and not percent:
        return start, ends
    for of_value, of_ends in _digits_to_try(start, ends):
        value = _rounded(quantity.value, of_value)
        if percent and value >= WHOLE_PERCENT:
            continue
        if not ranged:
            return of_value, of_ends
        below, above = _rounded(low or 0.0, of_ends), _rounded(high or 0.0, of_ends)
        if below <= value <= above != below:
            return of_value, of_ends
    return MOST_DIGITS, MOST_DIGITS


WHOLE_PERCENT = 100.0


@lru_cache(maxsize=16)
def _digits_to_try(start: int, ends: int) -> list[tuple[int, int]]:
    """Return numbers of digits of a value and of the ends of its range, the fewest first."""
    return sorted(product(range(start, MOST_DIGITS + 1), range(ends, MOST_DIGITS + 1)), key=sum)


def _rounded(value: float, digits: int) -> float:
    return float(f"{value:.{digits - 1}e}")


def format_number(value: float, digits: int = 4) -> str:
    """Return a number with so many significant digits and thousands separators.

    >>> format_number(1287.4, 4), format_number(0.00012345, 2), format_number(2754000, 2)
    ('1,287', '0.00012', '2,800,000')
    """
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "unknown"
    exponent = math.floor(math.log10(abs(value)))
    if exponent >= 15 or exponent < -9:
        return f"{value:.{digits - 1}e}"
    decimals = digits - 1 - exponent
    if decimals <= 0:
        return f"{round(value, decimals):,.0f}"
    return f"{value:,.{decimals}f}".rstrip("0").rstrip(".")


def format_quantity(quantity: Quantity) -> str:
    """Return the value in a readable unit, with as many digits as its interval allows."""
    return show_quantity(readable(quantity))


def show_quantity(shown: Quantity) -> str:
    """Return the value in its own unit, with as many digits as its interval allows."""
    return f"{format_number(shown.value, shown_digits(shown)[0])} {shown.unit}".strip()


def format_range(quantity: Quantity) -> str | None:
    """Return the interval in the unit that ``format_quantity`` chooses, or None where there is none."""
    return show_range(readable(quantity))


def show_range(shown: Quantity) -> str | None:
    """Return the interval in its own unit, or None where there is none."""
    if shown.low is None or shown.high is None or shown.low == shown.high:
        return None
    digits = shown_digits(shown)[1]
    return f"{format_number(shown.low, digits)} to {format_number(shown.high, digits)} {shown.unit}".strip()
