"""The sources that a text names: "according to Li et al.", "laut der IEA", "Altman says", "根据华盛顿邮报".

The words are data (``names/citing.yaml``). A name alone is no source, for Google is asked about as often as it is cited: a word must stand beside it that says so.
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
_NAME = r"(?P<name>[^\W\d_][\w.'’&-]*(?:\s+[^\W\d_][\w.'’&-]*){0,4})"


@lru_cache(maxsize=4)
def _patterns(library: Library) -> tuple[Late, Late]:
    """Return what finds a name behind, and one before, a word that says that it is a source."""
    before, behind = library.raw("citing")["before"], library.raw("citing")["behind"]
    words = "|".join(rf"\b{word}" if word.isascii() else word for word in before)
    return (
        Late(rf"(?:{words})\s*(?:the |a |der |dem |des |die |l['’]|la |le |les |el |los )?{_NAME}", re.IGNORECASE, needs=tuple(word.casefold() for word in before)),
        Late(rf"{_NAME}(?:['’]s)?\s*(?:,?\s*\(?(?:19|20)\d\d\)?\s*)?(?:{'|'.join(behind)})", needs=tuple(behind)),
    )


@lru_cache(maxsize=4)
def _other_names(library: Library) -> Mapping[str, str]:
    """Return the name in the library for each other name of those who publish."""
    return {other: name for name, others in library.raw("citing")["names"].items() for other in others}


@lru_cache(maxsize=4)
def other_words(library: Library) -> frozenset[str]:
    """Return the words of the other names of those who publish."""
    return frozenset(word for other in _other_names(library) for word in words_of(other))


def sources_named(library: Library, text: str) -> frozenset[str]:
    """Return the ids of the sources that a text names as such.

    >>> sorted(sources_named(Library.load(), "how much water does GPT-3 take according to Li et al.?"))[:1]
    ['li-2023-starcoder']
    """
    folded = fold(text)
    found = {source for title, sources in library.raw("title_index").items() if title in folded for source in sources}
    for name in _cited(library, text):
        words = name.split()
        for start in range(len(words)):
            for length in range(min(_LONGEST, len(words) - start), 0, -1):
                found |= _known(library).get(_plain(" ".join(words[start : start + length])), frozenset())
    for other, name in _other_names(library).items():
        if not other.isascii() and fold(other) in folded:
            found |= _known(library).get(_plain(name), frozenset())
    return frozenset(found)


def _cited(library: Library, text: str) -> Iterator[str]:
    """Yield the names that stand beside a word for a source."""
    for pattern in _patterns(library):
        for match in pattern.finditer(text):
            yield match["name"]


@lru_cache(maxsize=4)
def _known(library: Library) -> Mapping[str, frozenset[str]]:
    """Return by name those who wrote or published: families of authors, producers and their other names."""
    known: dict[str, set[str]] = {}
    no_names = frozenset(library.raw("citing")["words"])
    for source_id, raw in library.raw("sources").items():
        people = [_INITIALS.sub("", name.strip()) for name in (raw.get("authors") or "").split(",")]
        producers = [part for name in (raw.get("producer"), raw.get("authors") if "," not in (raw.get("authors") or "") else None) if name for part in re.split(r"\s*[,;(]\s*", name)]
        for name in (*people, *producers, source_id.split("-")[0]):
            if (plain := _plain(name)) and plain not in no_names and not plain.isdigit():
                known.setdefault(plain, set()).add(source_id)
    for other, name in _other_names(library).items():
        known.setdefault(_plain(other), set()).update(known.get(_plain(name), ()))
    return {name: frozenset(ids) for name, ids in known.items()}


def _plain(name: str) -> str:
    """Return a name without what spelling leaves free, an article before it or the mark of a possessive."""
    return re.sub(r"['’]s$", "", fold(re.sub(r"^the\s+", "", name.strip().strip(".,;:()"), flags=re.IGNORECASE)))
