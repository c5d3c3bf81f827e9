"""The tools by name, each imported when it is first asked for: one answer needs one or two of them, and pydantic."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kilowhat.tools.core.tool import Tool


class Catalog(Mapping[str, "Tool"]):
    """All tools by name, in the order in which they are listed to people and models."""

    def __init__(self) -> None:
        self._names: Sequence[str] = ()
        self._load: Callable[[str], Tool] | None = None
        self._loaded: dict[str, Tool] = {}

    def fill(self, names: Sequence[str], load: Callable[[str], Tool]) -> None:
        """Say which tools there are, and how one is loaded."""
        self._names, self._load = tuple(names), load

    def __getitem__(self, name: str) -> Tool:
        """Return a tool, imported on first use."""
        if name not in self._loaded:
            if name not in self._names or self._load is None:
                raise KeyError(name)
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        """Yield the names; nothing is imported."""
        return iter(self._names)

    def __len__(self) -> int:
        """Return how many tools there are."""
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        """Return whether there is a tool of that name; nothing is imported."""
        return name in self._names


CATALOG = Catalog()
"""``kilowhat.tools`` fills it; here it lets a ref be run where a quantity is wanted."""
