"""What stands in a question: numbers, quantities, units, names and words that carry a sense.

Every mention keeps its place in the text. Where two overlap, the longer one stands; a name
beats the number inside it (H100, GPT-4), a quantity beats its number.
"""

from __future__ import annotations

import re
from dataclasses import replace

from kilowhat.plugin.understanding.counting import counts_nothing
from kilowhat.plugin.understanding.everyday import everyday
from kilowhat.plugin.understanding.families import sized
from kilowhat.plugin.understanding.mention import Mention
from kilowhat.plugin.understanding.normalise import detect_language, normalise
from kilowhat.plugin.understanding.numbers import plain_numbers, plain_words
from kilowhat.plugin.understanding.spoken import spoken_numbers
from kilowhat.plugin.understanding.tables import lexicon, marks
from kilowhat.plugin.understanding.tokens import fold, tokenise
from kilowhat.plugin.understanding.words import phrases, tag
from kilowhat.plugin.understanding.written import clocks, money, quantities, sizes, units
from kilowhat.tools import Library
from kilowhat.tools.core.halves import with_halves
from kilowhat.tools.core.patterns import Late
from kilowhat.tools.core.units import ENERGY


def read(question: str, before: str | None = None) -> tuple[str, str, list[Mention]]:
    """Return a question as plain text, its language (that of the turn before where nothing tells), and what stands in it."""
    text = normalise(question)
    letters = {name: frozenset(told["letters"]) for name, told in lexicon()["languages"].items()}
    language = detect_language(text, marks(), before, _knows, letters)
    told = lexicon()["languages"][language]
    text = with_halves(plain_words(plain_numbers(text, told["decimal"]), told["after_digits"]))
    return text, language, recognise(text, language)


_SHORTEST_OWN_WORD = 5


def _knows(language: str, word: str) -> bool:
    """Return whether a word, not a short one, is a phrase of a language's lexicon by itself."""
    known = lexicon()["languages"][language]["phrases"].get(fold(word))
    return len(word) >= _SHORTEST_OWN_WORD and bool(known) and len(known[-1][0]) == 1


def recognise(text: str, language: str) -> list[Mention]:
    """Return the mentions of a normalised question, in order, none overlapping another."""
    tokens = tokenise(text)
    found = [*tag(text, language), *phrases(text, tokens, language), *money(text), *sizes(text), *clocks(text), *quantities(text), *spoken_numbers(text, language), *units(text, language)]
    chosen: list[Mention] = []
    for mention in sorted(found, key=lambda mention: mention.weight, reverse=True):
        if all(mention.end <= other.start or mention.start >= other.end for other in chosen):
            chosen.append(mention)
    negatives = re.compile(rf"(?<![a-zß-ÿ])(?:{'|'.join(map(re.escape, lexicon()['languages'][language]['negatives']))})\s*$", re.IGNORECASE)
    signed = [replace(mention, number=-mention.number) if mention.number and negatives.search(text[: mention.start]) else mention for mention in chosen]
    ordered = _figures(text, sorted(signed, key=lambda mention: mention.start))
    return everyday(text, sized(_of_servers(text, _numbered_devices(text, _dozens(text, ordered)))))


def _figures(text: str, mentions: list[Mention]) -> list[Mention]:
    """Return the mentions with a forecast that is named by its figure alone as that figure, where it stands beside another or grows: from 415 TWh to 945 TWh."""
    grows = any("act.grow" in mention.senses or (mention.quantity is not None and mention.quantity.dimension == ENERGY) for mention in mentions)
    named = [mention for mention in mentions if "forecast" in mention.names] if grows else []
    spans = {(mention.start, mention.end) for mention in named}
    figures = {mention.start: mention for mention in quantities(text) if mention.quantity is not None and (mention.start, mention.end) in spans} if spans else {}
    return [figures.get(mention.start, mention) for mention in mentions]


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


LEAST_OF_A_NAME = 1000
"""The least number that is a device's name."""

_DEVICES = frozenset({"noun.accelerator", "noun.server"})


def _numbered_devices(text: str, mentions: list[Mention]) -> list[Mention]:
    """Return the mentions with numbers that name a device as that: eight 4090 cards, two 3090s, my 4090 for an hour."""
    read = list(mentions)
    for position, mention in enumerate(mentions):
        written = text[mention.start : mention.end]
        number = mention.number or (mention.quantity.value if mention.quantity is not None and written.endswith("0s") else 0.0)
        device = Library.load().spellings("hardware").get(written.removesuffix("s")) if number >= LEAST_OF_A_NAME else None
        if device is None:
            continue
        before, after = mentions[position - 1] if position else None, mentions[position + 1] if position + 1 < len(mentions) else None
        if before is not None and {"noun.thing", *_DEVICES} & set(before.senses) and mention.start - before.end <= 1:
            read[position] = Mention(mention.start, mention.end, {"hardware": device})
            continue
        counted = before is not None and before.number is not None and mention.start - before.end <= 2
        if (
            counted
            or text[mention.end : mention.end + 2].rstrip() == "s"
            or (after is not None and _DEVICES & set(after.senses) and after.start - mention.end <= 1)
            or counts_nothing(text, mentions, position)
        ):
            read[position] = Mention(mention.start, mention.end, {"hardware": device})
    return read


_OF_ACCELERATORS = Late(r"(?<![\w.,])\d+[x×*] ?$", re.IGNORECASE, needs=("x", "×", "*"))


def _of_servers(text: str, mentions: list[Mention]) -> list[Mention]:
    """Return the mentions with a server that is told by its accelerators as those, and as a server: 8×A100 nodes."""
    spellings = Library.load().spellings("hardware")
    read = list[Mention]()
    for mention in mentions:
        *words, server = re.finditer(r"\S+", text[mention.start : mention.end])
        end = mention.start + words[-1].end() if words and "hardware" in mention.names and _OF_ACCELERATORS.search(text[: mention.start]) else mention.end
        device = spellings.get(text[mention.start : end]) if end < mention.end else None
        if device is None:
            read.append(mention)
        else:
            read += [Mention(mention.start, end, {"hardware": device}), Mention(mention.start + server.start(), mention.end, senses=("noun.server",))]
    return read
