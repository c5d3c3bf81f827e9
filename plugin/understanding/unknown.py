"""What a question names that nothing here knows, and numbers that can't be read: asked about or refused, never dropped."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kilowhat.plugin.understanding.mention import Mention
from kilowhat.tools.core.patterns import Late
from kilowhat.tools.core.units import EMISSIONS, ENERGY, VOLUME

_NO_NUMBER = Late(r"(?<![\w-])(?:NaN|-?inf|infinit\w*|infini|unendlich\w*)(?![\w-])|∞|无穷|無窮|无限|無限", re.IGNORECASE, needs=("nan", "inf", "unendlich", "∞", "无", "無"))
_ANY_NUMBER = Late(r"\d+(?:[.,]\d+)*(?:e[+-]?\d+)?", re.IGNORECASE)


def unreadable(text: str, mentions: Sequence[Mention]) -> str | None:
    """Return what is no number, or a number in the text that no mention covers, or None: it is asked about, not dropped."""
    if never := _NO_NUMBER.search(text):
        return never[0]
    for match in _ANY_NUMBER.finditer(text):
        attached = re.search(r"[^\W\d]-?$", text[: match.start()]) or re.match(r"[\s-]?bits?\b", text[match.end() :])
        if not attached and not any(mention.start < match.end() and match.start() < mention.end for mention in mentions):
            return match[0][:40]
    return None


_UNKNOWN = Late(r"\b[A-Z][\w.-]*(?:\s+[A-Z0-9][\w.-]*)*|\b[a-z]+[-.]?\d[\w.-]*")
_ASKED_THING = Late(r"\s+(?P<name>[^\W\d_]{3,}(?:\s[^\W\d_]{3,}s(?!\w))?)")
_EQUAL_TO = Late(
    r"(?:相当于|相當於|等于|等於)\s?(?:多少|几|幾)[座只隻头頭架艘栋棟匹](?P<name>[\u3400-\u9fff]{2,8})|(?P<first>[\u3400-\u9fff\u30a0-\u30ff]{2,10})何[基頭機隻匹棟]分",
    needs=("相当于", "相當於", "等于", "等於", "分"),
)
"""What an amount is to be told in, where words stand without blanks: 相当于多少座核反应堆, 原子炉何基分."""
_OF_WHAT = Late(r"\s*(?:of |的|von |de )\s*(?P<name>[^\W\d]{2,})")
_INTO = Late(r"\b(?:into|in|to|in die|en)\s+(?:[\w-]+\s+)?(?P<name>[^\W\d_]{3,})\s*[?.!]*$")
_AS_THINGS = Late(r"\b(?:in|as|into|to|en|als|como|comme)\s+(?P<name>(?:[a-zà-ÿ][\w'-]+\s+){1,2}[a-zà-ÿ][\w'-]{2,})\s*[?.!]*$")
"""What an amount is to be told in, at the end of a question: in nuclear reactors."""

_CITED = Late(r"(?:according to|by|from|laut|selon|según|says|in the)\s+(?:the\s+)?$", re.IGNORECASE)
"""Before a name that is a source, and no thing."""

_MEDIUM = Late(
    r"(?:X|Twitter|LinkedIn|TikTok|Reddit|Facebook|Instagram|YouTube|Bluesky|Mastodon|Threads|Medium|Substack|Weibo|WeChat|WhatsApp|Telegram|Hacker News|Quora|Discord|Wikipedia|Netflix)\b",
    re.IGNORECASE,
)
"""Where people read things, and where nothing runs."""
_HEARD = Late(r"\b(?:saw|seen|see|read|heard|hear|watched|found|posted|says|said|gelesen|gehört|gesehen|steht|lu|vu|entendu|leí|leído|visto|oí)\b[^,.;]{0,30}$", re.IGNORECASE)
"""What is told before a place where something was read: in the Guardian."""

_NEAR = 12
"""How many characters further something known may stand: litres of fresh water."""

_PRECISION = re.compile(r"(?:fp|bf|int|q)\d{1,2}", re.IGNORECASE)
"""How numbers are held, which is no place: in FP8."""
_USED = Late(r"(?:\b(?:with|by|using|via|mit|avec|con|par)|用)\s*$", re.IGNORECASE)
_AFTER_PREP = Late(r"\s*(?:the\s+)?(?P<name>[A-Za-zÀ-ÿ][\w'-]*(?:\s+[A-Z][\w'-]*)*)")


def unknown(text: str, mentions: Sequence[Mention], has_place: bool) -> dict[str, str]:
    """Return a name that nothing recognised: as a place where it stands after 'in', as what is asked after 'how many', else as a thing."""
    covered = [(mention.start, mention.end) for mention in mentions]

    def free(start: int, end: int) -> bool:
        return all(end <= left or start >= right for left, right in covered)

    found: dict[str, str] = {}
    for mention in mentions:
        if "prep" in mention.senses and not has_place:
            after = _AFTER_PREP.match(text, mention.end)
            ends_there = after is not None and after.end() >= len(text.rstrip("?.! ")) - 1 and text[mention.start : mention.end].casefold() in ("in", "region")
            read_there = after is not None and (_MEDIUM.match(after["name"]) or _HEARD.search(text[: mention.start]))
            if after and not read_there and not _PRECISION.fullmatch(after["name"]) and free(*after.span("name")) and (after["name"][0].isupper() or ends_there):
                found["unknown_place"] = after["name"]
        asked = _ASKED_THING.match(text, mention.end) if "ask.how_many" in mention.senses else None
        if asked and free(*asked.span("name")):
            found["unknown_wanted"] = asked["name"]
        of = _OF_WHAT.match(text, mention.end) if mention.unit is not None else None
        if of and not any(of.start("name") <= other.start <= of.start("name") + _NEAR or other.start <= of.start("name") < other.end for other in mentions):
            found["unknown_wanted"] = of["name"]
    if any("act.convert" in mention.senses for mention in mentions) and (into := _INTO.search(text)) is not None and free(*into.span("name")):
        found["unknown_wanted"] = into["name"]
    amount = any(mention.quantity is not None and mention.quantity.dimension in (ENERGY, EMISSIONS, VOLUME) for mention in mentions) or any("run" in mention.names for mention in mentions)
    if amount and (things := _AS_THINGS.search(text)) is not None and free(*things.span("name")):
        found["unknown_wanted"] = things["name"]
        found.pop("unknown_place", None)
    if amount and (equal := _EQUAL_TO.search(text)) is not None and free(*equal.span("name" if equal["name"] else "first")):
        found["unknown_wanted"] = equal["name"] or equal["first"]
    for match in _UNKNOWN.finditer(text):
        if match.start() == 0 and "-" not in match[0] and not re.search(r"\d", match[0]):
            continue
        if _CITED.search(text[: match.start()]) or _MEDIUM.match(match[0]) or _HEARD.search(text[: match.start()]):
            continue
        if free(*match.span()) and match[0] not in found.get("unknown_place", "") and len(match[0]) > 1:
            owner = next((mention for mention in mentions if "provider" in mention.names and re.fullmatch(r"(?:['’]s|s['’]|的)?\s*", text[mention.end : match.start()])), None)
            if owner is not None and owner.end <= match.start():
                found.setdefault("unknown_project", match[0])
            device = next((mention for mention in mentions if "noun.accelerator" in mention.senses and text[mention.start : mention.end].isupper() and 0 <= match.start() - mention.end <= 1), None)
            if device is not None:
                found.setdefault("unknown_device", text[device.start : match.end()])
            found.setdefault("unknown_model" if _USED.search(text[: match.start()]) else "unknown", match[0])
    return found
