"""Numbers as people write them, made plain: 1.000.000 · 1,5 · 2'000'000 · ½ · 1/2 million · 1万5千 · 12 thousand 5 hundred."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from kilowhat.tools.core.patterns import Late
from kilowhat.tools.core.units import MAGNITUDES

_GROUPED = Late(r"(?<![\w.,'’-])(?P<whole>\d{1,3}(?P<mark>[.,'’ \u202f])\d{3}(?:(?P=mark)\d{3})*)(?P<rest>[.,]\d+)?(?![.,'’]?\d|[^\W\d_]*\d)")
_COMMA = Late(r"(?<![\w.,])(\d+),(\d+)(?![\d,])")
_FRACTION = Late(r"(?<![\d/.])([1-9])/([2-9])(?=\s+(?:a\s+)?[^\W\d])(?!/)", needs=("/",))
_MIXED = Late(r"(\d+(?:\.\d+)?)\s?([万萬亿億千])\s?(\d+(?:\.\d+)?)\s?([千百])(?![瓦克米])", needs=("千", "百"))
_STACKED = Late(r"(\d+(?:\.\d+)?)\s(thousand|million|billion)\s(?:and\s)?(\d+(?:\.\d+)?)\s(hundred|thousand|million)\b", re.IGNORECASE, needs=("thousand", "million", "billion"))
_HALF = Late(r"(\d+)\s+and\s+a\s+half\b", re.IGNORECASE, needs=("and a half",))
_HALF_A = Late(
    r"\bhalf\s+an?\s+(?=(?:hour|day|week|month)\b)|\b(?:eine[nrm]?|ein)\s+halbe[nrs]?\s+(?=(?:Stunde|Tag|Woche)\b)|\bune\s+demi-(?=(?:heure|journée)\b)|\bmedi[ao]\s+(?=(?:hora|día)\b)|(?<![个個])半个?個?(?=[天日小時时月])",
    re.IGNORECASE,
    needs=("half", "halb", "demi", "medi", "半"),
)
_ONE_AND_A_HALF = Late(r"\b(?:an?|one)\s+(hour|day|week|month|year)\s+and\s+a\s+half\b", re.IGNORECASE, needs=("and a half",))
_MILLIONS = Late(r"(?<=\d)\s?M(?![\w²³])", needs=("m",))
_GROUP = 3
CARDS_OF_A_SERVER = 8
_SIZE = re.compile(r"[bB]\b")
"""What makes of a number the size of a model: Llama 3 405B is no 3405."""


_HYPHENED = Late(r"(?<=\d)-(?=(?:hundred|thousand|million|billion|trillion)\b)|(?<=(?:million|billion))-(?=parameter|token)", re.IGNORECASE, needs=("-",))
_PARTS_OF = Late(
    r"\b(?P<part>a quarter|one quarter|three quarters|half|one half|a third|one third|two thirds)\s+(?:of\s+)?an?\s+(?P<whole>million|billion|thousand|trillion)\b",
    re.IGNORECASE,
    needs=("quarter", "half", "third"),
)
_OF_WHOLE = {"a quarter": 0.25, "one quarter": 0.25, "three quarters": 0.75, "half": 0.5, "one half": 0.5, "a third": 1 / 3, "one third": 1 / 3, "two thirds": 2 / 3}
_AND_HALF = Late(r"\b(?:an?|one)\s+(million|billion|thousand|trillion|hundred)\s+and\s+a\s+half\b", re.IGNORECASE, needs=("and a half",))
_FOLD = Late(r"\b(two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|fifty|hundred)[\s-]?fold\b", re.IGNORECASE, needs=("fold",))
_FOLDS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "twelve": 12, "twenty": 20, "fifty": 50, "hundred": 100}
_FACTOR_OF = Late(r"\b(?:by )?a factor of (two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|fifty|\d+(?:\.\d+)?)\b", re.IGNORECASE, needs=("factor of",))

_IN_AND_OUT = Late(r"(?<![\w.])(\d+(?:\.\d+)?k?)\s+(?:tokens?\s+)?in(?:put)?\b\s*[,/+&]?\s*(?:and\s+)?(\d+(?:\.\d+)?k?)\s+(?:tokens?\s+)?out(?:put)?\b(?!\s*tok)", re.IGNORECASE, needs=(" out",))
_ENTERS_AND_LEAVES = Late(r"(\d+(?:\.\d+)?k?)\s*(?:token)?\s*(?:进|進|入)\s*[、,，/]?\s*(\d+(?:\.\d+)?k?)\s*(?:token)?\s*出", re.IGNORECASE, needs=("出",))
_BETWEEN = Late(r"\b(?:between|entre|zwischen)\s+(\d[\d.]*)\s+(?:and|et|y|und)\s+(\d[\d.]*)(?=\s*[^\W\d])", re.IGNORECASE, needs=("between", "entre", "zwischen"))
_ODD = Late(r"(?<=[\d十百千万亿萬億])[多余餘來几幾](?=[万亿萬億千百]?[个個張张度次条條篇块塊台瓦公吨噸升]|[万亿萬億千百])", needs=("多", "余", "餘", "来", "來", "几", "幾"))
"""The "odd" of fifty-odd thousand, which leaves the number about as it is."""

_HALF_UNIT = Late(r"(?<![一二两兩三四五六七八九十百千万亿萬億\d個个])半(?=[度公吨噸升斤瓦千兆])", needs=("半",))
_HAN = "〇零一二三四五六七八九十百千万两兩半"
_AND_HALF_OF = Late(r"([一二两兩三四五六七八九十\d]{1,3})[个個]半(?=[小钟鐘月星禮礼])", needs=("半",))
_PARTS = Late(rf"([\d{_HAN}]+)分之([\d{_HAN}.点點]+)(?:(?:到|至)([\d{_HAN}.]+))?", needs=("分之",))
_TENTHS = Late(rf"(?<![\d{_HAN}])([一二三四五六七八九两兩\d])成([一二三四五六七八九半])?(?![立本为為功熟长長员員分交语語都绩績果品])", needs=("成",))
_RESOLUTION = Late(r"(?<![\w])(480p|540p|720p|1080p|1440p|2160p)(?![\w])", re.IGNORECASE, needs=("80p", "40p", "20p", "60p"))
_SIZES = {"480p": "854x480", "540p": "960x540", "720p": "1280x720", "1080p": "1920x1080", "1440p": "2560x1440", "2160p": "3840x2160"}
_LISTED = Late(
    r"(?P<numbers>\d+(?:\.\d+)?(?:\s?[,、;/]\s?(?:and |und |et |y )?\d+(?:\.\d+)?)+(?:,? (?:and|und|et|y|then) \d+(?:\.\d+)?)?)\s?(?P<unit>k?g(?:\s?CO2e?q?)?\s?(?:/|per )\s?kWh|[克公]斤?(?:/|每)(?:度|kWh|千瓦时|千瓦時))",
    re.IGNORECASE,
    needs=("kwh", "度", "千瓦"),
)
_PER_KWH = Late(r"每(?:度|千瓦[时時]|kWh)(?:电|電)?\s*(?:约|約|是|排|为|為)?\s*(\d+(?:\.\d+)?)\s*(公斤|千克|克|kg|g)(?![\w/])", needs=("每",))
_CARDS = Late(r"([一二两兩三四五六七八九十]|\d+)\s?([台部])\s?([一二两兩三四五六七八九十]|\d+)\s?卡(?P<server>[\s\w-]{0,16}(?:服务器|伺服器|服務器))?", needs=("卡",))
_BARE_LIST = Late(r"(?P<numbers>\d+(?:\.\d+)?(?:\s?[,、;/]\s?\d+(?:\.\d+)?){2,})\s?(?:克|g|grams)(?![\w/])", re.IGNORECASE, needs=("g", "克"))
_GRID = Late(r"碳强度|碳強度|intensity|forecast|预报|預報|Intensität|intensité|intensidad|炭素強度", re.IGNORECASE, needs=("碳", "intens", "forecast", "预报", "預報", "炭素"))
_ALONE = r"\d+(?:\.\d+)?(?![\d.%]|\s?[^\W\d_])"
_INTENSITIES = Late(
    rf"(?P<word>intensit\w+|Intensität\w*|碳强度|碳強度|炭素強度)(?P<between>\D{{0,20}}?)(?P<numbers>{_ALONE}(?:\s?[,、/]\s?{_ALONE}){{2,}})", re.IGNORECASE, needs=("intensi", "强度", "強度")
)
"""Three numbers or more behind the word for intensities, without a unit: they are grams a kWh, as everybody gives them."""
_UNIT_FIRST = Late(
    r"(?P<unit>k?g(?:\s?CO2e?q?)?\s?(?:/|per )\s?kWh)\)?\s?[:：]\s?(?P<numbers>\d+(?:\.\d+)?(?:\s?[,、;/]\s?(?:and |und |et |y )?\d+(?:\.\d+)?)+)(?!\s?[A-Za-z])", re.IGNORECASE, needs=("kwh",)
)
"""Numbers whose unit is told before them: g/kWh: 300, 280, 150."""

"""Numbers one after another of which the last has the unit: 300, 280 and 150 g/kWh."""


def _han(text: str) -> float:
    """Return a number in digits or Chinese numerals."""
    import cn2an

    return float(text) if text[0].isdigit() else float(cn2an.cn2an(text.replace("兩", "两").replace("點", "点"), "smart"))


def _share(match: re.Match[str]) -> str:
    """Return 五分之一 as a number, and hundredths as a percentage."""
    try:
        whole, part = _han(match[1] if match[1] not in "百千万萬" else f"一{match[1]}"), _han(match[2])
        if whole == _HUNDRED:
            return f"{part:g} to {_han(match[3]):g}%" if match[3] else f"{part:g}%"
        return f"{part / whole:.6g}" if whole else match[0]
    except ValueError:
        return match[0]


def _tenths(match: re.Match[str]) -> str:
    """Return 两成五 as a percentage."""
    try:
        tail = 5.0 if match[2] == "半" else _han(match[2]) if match[2] else 0.0
        return f"{_han(match[1]) * 10 + tail:g}%"
    except ValueError:
        return match[0]


def _each_with_unit(match: re.Match[str]) -> str:
    """Return a list of numbers with the unit of the last behind each."""
    return ", ".join(f"{number} {match['unit']}" for number in re.findall(r"\d+(?:\.\d+)?", match["numbers"]))


_GLUED = Late(r"(?<![\w.,])(\d{1,6}[xX×*])(?=[A-Z]|[a-z]+-?\d)|(?<![\w.,])(\d{1,2}[xX×*])(?=\d{4}(?!\d))", needs=("x", "×", "*"))
_BEHIND = Late(r"(?<!\w)([A-Za-z]+[ -]?\d{2,4}[A-Za-z]{0,3})\s?[x×*]\s?(\d{1,5})(?![\w.,]\d|\w)", re.IGNORECASE, needs=("x", "×", "*"))
"""A number of devices written onto their name, in front or behind: 8xH100, 2x4090, H100 ×8."""

_HUNDRED = 100.0

_FROM_TO = Late(r"(\d+(?:\.\d+)?)\s*(?:→|->|=>)\s*(\d+(?:\.\d+)?)\s*(g\w*(?:\s?CO2e?)?/kWh)", re.IGNORECASE, needs=("→", "->", "=>"))


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
    text = _GLUED.sub(lambda match: f"{match[1] or match[2]} ", text)
    text = _BEHIND.sub(r"\2 \1", text)
    text = _COMMA.sub(lambda match: match[0] if len(match[2]) == _GROUP and decimal == "." else f"{match[1]}.{match[2]}", text)
    text = _FRACTION.sub(lambda match: f"{int(match[1]) / int(match[2]):.6g}", text)
    text = _HALF.sub(lambda match: f"{match[1]}.5", text)
    text = _HALF_A.sub("0.5 ", text)
    text = _ONE_AND_A_HALF.sub(r"1.5 \1s", text)
    text = _MIXED.sub(_stacked, text)
    text = _HYPHENED.sub(" ", text)
    text = _PARTS_OF.sub(lambda match: f"{_OF_WHOLE[match['part'].casefold()]:.6g} {match['whole']}", text)
    text = _AND_HALF.sub(r"1.5 \1", text)
    text = _FOLD.sub(lambda match: f"{_FOLDS[match[1].casefold()]}-fold", text)
    text = _FACTOR_OF.sub(lambda match: f"{_FOLDS.get(match[1].casefold(), match[1])}-fold", text)
    for pattern in (_IN_AND_OUT, _ENTERS_AND_LEAVES):
        text = pattern.sub(r"\1 input tokens, \2 output tokens", text)
    text = _BETWEEN.sub(r"\1 to \2", text)
    text = _ODD.sub("", text)
    text = _AND_HALF_OF.sub(lambda match: f"{_han(match[1]) + 0.5:g}", text)
    text = _HALF_UNIT.sub("0.5", text)
    text = _PARTS.sub(_share, text)
    text = _TENTHS.sub(_tenths, text)
    text = _RESOLUTION.sub(lambda match: " " + _SIZES[match[1].casefold()] + " ", text)
    text = _PER_KWH.sub(r"\1 \2/kWh", text)
    text = _CARDS.sub(_cards, text)
    text = _BARE_LIST.sub(lambda match: f"{match['numbers']} g/kWh", text) if _GRID.search(text) else text
    text = _INTENSITIES.sub(lambda match: f"{match['word']}{match['between']}{match['numbers']} g/kWh", text)
    text = _UNIT_FIRST.sub(lambda match: f"{match['numbers']} {match['unit']}", text)
    text = _LISTED.sub(_each_with_unit, text)
    text = _STACKED.sub(_stacked, text)
    text = _FROM_TO.sub(r"\1 \3 and \2 \3", text)
    text = re.sub(r"(?<=\d)\s?([TB])(?=\s?tokens?\b)", lambda match: " trillion" if match[1] == "T" else " billion", text)
    return " ".join(_MILLIONS.sub(" million ", text).split())


def plain_words(text: str, after_digits: Mapping[str, str]) -> str:
    """Return a text with the words that stand behind digits in a language as those that units know: 3 Mio. is 3 million.

    Args:
        text: The question with plain numbers.
        after_digits: The known word for each word of the language.
    """
    for word in sorted(after_digits, key=len, reverse=True):
        end = "" if word[-1] >= "\u3040" else r"(?![^\W\d_\u3040-\u9fff])"
        text = re.sub(rf"(?<=\d)\s*{re.escape(word)}{end}", f" {after_digits[word]} ", text, flags=re.IGNORECASE)
    return " ".join(text.split()) if after_digits else text


def _cards(match: re.Match[str]) -> str:
    """Return servers of so many cards as their cards; servers of eight, which have a name of their own, as servers."""
    servers, cards = _han(match[1]), _han(match[3])
    if match["server"] and cards == CARDS_OF_A_SERVER:
        return f"{servers:g} {match[2]}{match['server']}"
    return f"{servers * cards:g} 卡{match['server'] or ''}"


def _grouped(match: re.Match[str], decimal: str) -> str:
    mark, groups = match["mark"], len(re.findall(r"\D", match["whole"]))
    ambiguous = groups == 1 and mark in ".,"
    if (ambiguous and mark == decimal) or (mark == " " and _SIZE.match(match.string, match.end())):
        return match[0]
    return re.sub(r"\D", "", match["whole"]) + (match["rest"] or "").replace(",", ".")


def _stacked(match: re.Match[str]) -> str:
    first, second = MAGNITUDES[match[2].casefold()], MAGNITUDES[match[4].casefold()]
    if second >= first:
        return match[0]
    return f"{float(match[1]) * first + float(match[3]) * second:.15g}"
