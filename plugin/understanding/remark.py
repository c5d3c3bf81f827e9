"""A short turn about the last answers, or about us, which asks for no other figure: why, how sure, is that a lot, which of the two, in German, thanks.

A turn is one only where nothing stands in it but such phrases and words around them, in one language: so that no question is taken for one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from kilowhat.plugin.understanding.normalise import normalise
from kilowhat.plugin.understanding.tables import lexicon
from kilowhat.plugin.understanding.tokens import tokenise

MOST_TOKENS = 24
TONGUE = "tongue."
ABOUT_US = ("thanks", "help")
"""What needs no answer before it."""

RANKED = ("money", "why", "sure", "which", "much", "help", "thanks")
"""Which remark counts where a turn holds several: thanks, but why?"""

Phrases = Mapping[str, Sequence[tuple[tuple[str, ...], str]]]


class Remark(NamedTuple):
    """What a turn says, the language it is in, and the language that it asks for."""

    kind: str
    language: str
    tongue: str | None = None


def read_remark(turn: str, before: str | None = None) -> Remark | None:
    """Return the remark that a turn is, or None.

    >>> read_remark("Why so much?"), read_remark("why is the sky blue?")
    (Remark(kind='why', language='en', tongue=None), None)
    >>> read_remark("und auf Chinesisch?", "en")
    Remark(kind='tongue', language='de', tongue='zh-Hans')

    Args:
        turn: What was said.
        before: The language of the turn before, which is tried first.
    """
    tokens = [token.folded for token in tokenise(normalise(turn))]
    if not 0 < len(tokens) <= MOST_TOKENS:
        return None
    languages = list(lexicon()["languages"])
    for language in sorted(languages, key=lambda language: (language != before, language != "en")):
        kinds = _kinds(tokens, _phrases(language))
        tongue = next((kind.removeprefix(TONGUE) for kind in kinds if kind.startswith(TONGUE)), None)
        if tongue is not None:
            return Remark("tongue", language, tongue)
        if (kind := next((kind for kind in RANKED if kind in kinds), None)) is not None:
            return Remark(kind, language)
    return None


def _kinds(tokens: Sequence[str], phrases: Phrases) -> set[str]:
    """Return the kinds of the phrases that cover all tokens, the longest first; nothing where a token is in none."""
    found: set[str] = set()
    position = 0
    while position < len(tokens):
        fitting = [(words, kind) for words, kind in phrases.get(tokens[position], ()) if tuple(tokens[position : position + len(words)]) == words]
        if not fitting:
            return set()
        longest = max(len(words) for words, _ in fitting)
        found |= {kind for words, kind in fitting if len(words) == longest}
        position += longest
    return found - {"filler"}


@lru_cache(maxsize=16)
def _phrases(language: str) -> Phrases:
    """Return the phrases of a language by their first token, each with its kind."""
    table: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for kind, phrases in lexicon()["languages"][language]["remarks"].items():
        for words in phrases:
            table.setdefault(words[0], []).append((tuple(words), kind))
    return table
