"""Sizes told apart from the name of their family: Llama 2 with 7B and 70B, and Llama 3.1 8B, then "the 70B one"."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from kilowhat.plugin.understanding.mention import Mention
from kilowhat.tools import KilowhatError, Library
from kilowhat.tools.core.patterns import Late
from kilowhat.tools.core.reference import fold

_SIZE = Late(r"\d+(?:\.\d+)?B", re.IGNORECASE, needs=("b",))
_FAMILY = " family"
SHORTEST_VARIANT = 4
"""Letters of a word that tells a model of a family apart."""

BESIDE = 3
"""Characters between a family and the size that makes one name of both."""


def of_size(names: Mapping[str, str], billions: float) -> dict[str, str]:
    """Return the run and the model of the same family with another number of parameters; nothing where none is known."""
    library = Library.load()
    found: dict[str, str] = {}
    if "run" in names and (run := library.spellings("runs").get(fold(_resized(library.named("runs", names["run"]).name, billions)))) is not None:
        found["run"] = run
    model = names.get("llm") or (library.named("runs", names["run"]).name if "run" in names else None)
    if model is not None and (sized := _known_model(library, _resized(model, billions))) is not None:
        found["llm"] = sized
    return found


def of_variant(names: Mapping[str, str], word: str) -> dict[str, str]:
    """Return the run of the same family that a word tells apart: Maverick after Llama 4 Scout; nothing where none, or more than one, is known."""
    library = Library.load()
    if "run" not in names:
        return {}
    family = library.named("runs", names["run"]).name.split()[0]
    others = [run for run in library.names("runs") if library.named("runs", run).name.startswith(family) and fold(word) in fold(library.named("runs", run).name)]
    return {"run": others[0]} if len(others) == 1 and len(word) >= SHORTEST_VARIANT else {}


def _resized(name: str, billions: float) -> str:
    """Return a name with a size in place of its own, or behind it."""
    size = f"{billions:g}B"
    return _SIZE.sub(size, name) if _SIZE.search(name) else f"{name.removesuffix(_FAMILY)} {size}"


def _known_model(library: Library, name: str) -> str | None:
    from kilowhat.tools.core.catalogue import find_model

    try:
        return find_model(library, name).name
    except KilowhatError:
        return None


def sized(mentions: Sequence[Mention]) -> list[Mention]:
    """Return the mentions with each size that follows a family's name as the name that both make."""
    read, told_apart = list[Mention](), list[Mention | None]()
    family: Mention | None = None
    families = [mention for mention in mentions if {"run", "llm"} & mention.names.keys()]
    if len(families) == 1 and not _has_size(families[0]) and all(mention.end <= families[0].start for mention in mentions if mention.quantity is not None and mention.quantity.unit == "B"):
        family = families[0]
    for mention in mentions:
        if {"run", "llm"} & mention.names.keys():
            family = mention
        elif mention.names:
            family = None
        names = of_size(family.names, mention.quantity.value) if family is not None and mention.quantity is not None and mention.quantity.unit == "B" else {}
        if not names:
            read.append(mention)
        elif read[-1] is family and mention.start - family.end <= BESIDE:
            read[-1] = Mention(family.start, mention.end, names)
        else:
            read.append(Mention(mention.start, mention.end, names))
            told_apart.append(family)
    return [Mention(mention.start, mention.end, senses=("mod.family",)) if mention in told_apart and not _has_size(mention) else mention for mention in read]


def _has_size(mention: Mention) -> bool:
    """Return whether a name tells a size; one that doesn't is of the whole family, of which the sizes behind it are the members asked about."""
    library = Library.load()
    names = [library.named("runs", mention.names["run"]).name] if "run" in mention.names else [mention.names["llm"]]
    return any(_SIZE.search(name) for name in names)
