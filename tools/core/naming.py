"""The sources that a text names: "according to Li et al.", "laut der IEA", "Altman says", "根据华盛顿邮报".

A name alone is no source, for Google is asked about as often as it is cited: a word must stand beside it that says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from kilowhat.tools.core.patterns import Late
from kilowhat.tools.core.reference import Library, fold, words_of

_INITIALS = re.compile(r"^(?:[A-ZÀ-Þ][\w-]*\.[\s-]*)+")
_LONGEST = 4
"""Words of the longest name that is looked for."""
_NO_NAMES = frozenset({"you", "he", "she", "an", "long", "man", "ai", "cloud", "green", "down", "du", "le", "so", "na", "ma", "rise", "arxiv", "gemma", "olmo", "qwen", "qwen3", "wan", "ec", "ge"})
"""Families of authors, and heads of ids, that are words as well, or name what is asked about."""

_NAME = r"(?P<name>[^\W\d_][\w.'’&-]*(?:\s+[^\W\d_][\w.'’&-]*){0,4})"
_BEFORE_A_NAME = [
    "according to", "as per", "says", "said", "cited by", "claimed by", "reported by", "study by", "paper by", "paper of", "study of", "figure of", "figure by",
    "figure from", "figures of", "figures by", "figures from", "estimate of", "estimate by", "estimate from", "estimates of", "estimates by", "estimates from", "laut",
    "zufolge", "Studie von", "selon", "d'après", "d’après", "étude de", "según", "estudio de", "根据", "根據", "依据", "依據", "按照", "据", "據",
]  # fmt: skip
_BEHIND_A_NAME = [
    "et al", "and others", "and colleagues", "says", "said", "claims", "claimed", "states", "stated", "reports", "reported", "estimates", "estimated", "found", "writes",
    "wrote", "paper", "study", "report", "article", "leaderboard", "zufolge", "sagt", "sagte", "behauptet", "schreibt", "affirme", "dit", "afirma", "dice", "等人", "等的研究", "等的论文", "等的論文", "说", "說", "表示", "称", "稱", "声称", "聲稱", "によると", "によれば",
    "の論文", "が発表", "の発表",
]  # fmt: skip
"""Words that say that a name beside them is a source."""


def _any_of(words: list[str]) -> str:
    return "|".join(rf"\b{word}" if word.isascii() else word for word in words)


_BEFORE = Late(
    rf"(?:{_any_of(_BEFORE_A_NAME)})\s*(?:the |a |der |dem |des |die |l['’]|la |le |les |el |los )?{_NAME}",
    re.IGNORECASE,
    needs=tuple(word.casefold() for word in _BEFORE_A_NAME),
)
_BEHIND = Late(rf"{_NAME}(?:['’]s)?\s*(?:,?\s*\(?(?:19|20)\d\d\)?\s*)?(?:{'|'.join(_BEHIND_A_NAME)})", needs=tuple(_BEHIND_A_NAME))
_OTHER_NAMES: Mapping[str, str] = {
    "国际能源署": "iea", "國際能源署": "iea", "国際エネルギー機関": "iea", "internationale energieagentur": "iea", "internationalen energieagentur": "iea",
    "agence internationale de l'énergie": "iea", "aie": "iea", "agencia internacional de la energía": "iea", "international energy agency": "iea",
    "华盛顿邮报": "the washington post", "華盛頓郵報": "the washington post", "ワシントン・ポスト": "the washington post", "washington post": "the washington post", "wapo": "the washington post",
    "奥特曼": "altman", "奧特曼": "altman", "阿尔特曼": "altman", "アルトマン": "altman", "劳伦斯伯克利": "lbnl", "berkeley lab": "lbnl", "lawrence berkeley": "lbnl", "epoch": "epoch ai", "de vries": "de vries",
}  # fmt: skip
"""Other names of those who publish."""

OTHER_WORDS = frozenset(word for spelling in _OTHER_NAMES for word in words_of(spelling))
"""The words of those other names."""


def sources_named(library: Library, text: str) -> frozenset[str]:
    """Return the ids of the sources that a text names as such.

    >>> sorted(sources_named(Library.load(), "how much water does GPT-3 take according to Li et al.?"))[:1]
    ['li-2023-starcoder']
    """
    known = _known(library)
    found: set[str] = set()
    for name in _cited(text):
        words = name.split()
        for start in range(len(words)):
            for length in range(min(_LONGEST, len(words) - start), 0, -1):
                found |= known.get(_plain(" ".join(words[start : start + length])), frozenset())
    folded = fold(text)
    found |= {source for title, sources in library.raw("title_index").items() if title in folded for source in sources}
    for spelling, name in _OTHER_NAMES.items():
        if not spelling.isascii() and fold(spelling) in folded:
            found |= known.get(_plain(name), frozenset())
    return frozenset(found)


def _cited(text: str) -> Iterator[str]:
    """Yield the names that stand beside a word for a source."""
    for pattern in (_BEFORE, _BEHIND):
        for match in pattern.finditer(text):
            yield match["name"]


@lru_cache(maxsize=4)
def _known(library: Library) -> Mapping[str, frozenset[str]]:
    """Return by name those who wrote or published: families of authors, producers and their other names."""
    known: dict[str, set[str]] = {}
    for source_id, raw in library.raw("sources").items():
        people = [_INITIALS.sub("", name.strip()) for name in (raw.get("authors") or "").split(",")]
        producers = [part for name in (raw.get("producer"), raw.get("authors") if "," not in (raw.get("authors") or "") else None) if name for part in re.split(r"\s*[,;(]\s*", name)]
        for name in (*people, *producers, source_id.split("-")[0]):
            if (plain := _plain(name)) and plain not in _NO_NAMES and not plain.isdigit():
                known.setdefault(plain, set()).add(source_id)
    for spelling, name in _OTHER_NAMES.items():
        known.setdefault(_plain(spelling), set()).update(known.get(_plain(name), ()))
    return {name: frozenset(ids) for name, ids in known.items()}


def _plain(name: str) -> str:
    """Return a name without what spelling leaves free, an article before it or the mark of a possessive."""
    return re.sub(r"['’]s$", "", fold(re.sub(r"^the\s+", "", name.strip().strip(".,;:()"), flags=re.IGNORECASE)))
