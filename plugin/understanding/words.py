"""Phrases of the lexicon in a text: names, and words that carry a sense."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from kilowhat.plugin.understanding.mention import Mention
from kilowhat.plugin.understanding.tables import lexicon, tables_of
from kilowhat.plugin.understanding.tokens import Token
from kilowhat.tools.core.patterns import Late
from kilowhat.tools.core.tongues import is_tongue


def phrases(text: str, tokens: list[Token], language: str) -> Iterator[Mention]:
    """Yield a mention for each phrase of the lexicon, with all that the same span may mean."""
    tables = tables_of(language)
    skips, compounds = frozenset(lexicon()["languages"][language]["skips"]), lexicon()["languages"][language]["compounds"]
    for position, token in enumerate(tokens):
        spans: dict[int, tuple[dict[str, str], list[str], list[float], list[str]]] = {}
        for words, kind, value, *code in chain.from_iterable(table.get(token.folded, ()) for table in tables):
            last = _last(tokens, position, words, skips)
            if last is None:
                continue
            end = tokens[last].end
            if code and (is_tongue(text, token.start, end) if code[0] == _ADJECTIVE else not _written_as_code(text, token.start, end, capitals=code[0] > 1)):
                continue
            if kind not in ("sense", "unit", "number") and _ARTICLE.match(text, token.start):
                continue
            if kind == "sense" and _COUNTRY.search(text, token.start, end) and not text.isupper():
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
            if senses and end - token.start <= SHORTEST_NAME and text[token.start : end].islower():
                names.pop("place", None)
            yield Mention(token.start, end, names, tuple(senses), numbers[0] if numbers else None, unit=units[0] if units else None)
        if compounds and not spans and (compound := _compound(token, tables)) is not None:
            yield compound


_ARTICLE = Late(r"an?[\s-]+\d")
"""An article before a number, which is no name: a 100-word email is not an A100."""


SHORTEST_NAME = 3
"""Letters of a place that is a word too, and stands for the place only in capitals: usa."""

SHORTEST_HEAD = 6
"""Letters of the last part of a compound word that is taken for what the whole is: Textzusammenfassungen."""


PLURALS = ("en", "n", "e")
"""Endings of a compound's plural."""


def _compound(token: Token, tables: Sequence[Mapping[str, list[list[Any]]]]) -> Mention | None:
    """Return what a compound word is by its last part, the longest that is a phrase by itself; None where none is."""
    for start in range(2, len(token.folded) - SHORTEST_HEAD + 1):
        heads = {tail.removesuffix(ending) for tail in (token.folded[start:],) for ending in ("", *PLURALS)}
        meanings = [(kind, value) for table in tables for head in heads for words, kind, value, *code in table.get(head, ()) if len(words) == 1 and not code and kind not in ("number", "unit")]
        if meanings:
            return Mention(token.start, token.end, {kind: value for kind, value in meanings if kind != "sense"}, tuple(value for kind, value in meanings if kind == "sense"))
    return None


def tag(text: str, language: str) -> Iterator[Mention]:
    """Yield a mention for the word at the end that makes of a statement a claim: "…, right?"."""
    words = "|".join(re.escape(tag) for tag in lexicon()["languages"][language]["tags"])
    apart = r"" if language in ("zh-Hans", "zh-Hant", "ja") else r"[,;.!–-]\s*"
    match = re.search(rf"{apart}(?P<tag>{words})\s*[?!.？！。]*$", text, re.IGNORECASE)
    if match is not None:
        yield Mention(match.start("tag"), match.end("tag"), senses=("shape.claim",))


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


_COUNTRY = Late(r"\bUS\b", needs=("us",))
"""What is a country and not us, unless all is in capitals."""
_ADJECTIVE = 3
"""The code of a spelling that is an adjective of a country, and its language."""


def _written_as_code(text: str, start: int, end: int, *, capitals: bool) -> bool:
    """Return whether a span is written as a code: with its hyphens, or in capitals where a place may stand, or where these alone tell it."""
    span = text[start:end]
    if capitals and span.isupper() and not text.isupper():
        return True
    if "-" in span:
        return True
    rest = text[end : end + 1]
    return span.isupper() and span.isalpha() and not rest.isdigit() and (len(text) < 6 or bool(_BEFORE_CODE.search(text[:start])))
