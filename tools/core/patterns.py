"""Patterns that are compiled when a text first may hold what they look for: a question needs few of them, and compiling all takes longer than its answer."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from functools import cached_property

Replacement = str | Callable[[re.Match[str]], str]


class Late:
    """A pattern with the words of which a text must hold one for it to be looked for at all.

    Args:
        source: The regular expression.
        flags: Its flags.
        needs: Pieces of text, in lower case, one of which every match holds; none where there is no such piece.
    """

    def __init__(self, source: str, flags: int = 0, *, needs: tuple[str, ...] = ()) -> None:
        self.pattern = source
        self._flags = flags
        self._needs = needs

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self.pattern, self._flags)

    def _may_stand(self, text: str) -> bool:
        return not self._needs or any(need in text.lower() for need in self._needs)

    def search(self, text: str, start: int = 0, end: int = sys.maxsize) -> re.Match[str] | None:
        """Return the first match, or None."""
        return self._compiled.search(text, start, end) if self._may_stand(text) else None

    def match(self, text: str, start: int = 0) -> re.Match[str] | None:
        """Return the match at a place, or None."""
        return self._compiled.match(text, start) if self._may_stand(text) else None

    def fullmatch(self, text: str, start: int = 0, end: int = sys.maxsize) -> re.Match[str] | None:
        """Return the match of a whole part, or None."""
        return self._compiled.fullmatch(text, start, end) if self._may_stand(text) else None

    def finditer(self, text: str, start: int = 0, end: int = sys.maxsize) -> Iterator[re.Match[str]]:
        """Yield every match."""
        return self._compiled.finditer(text, start, end) if self._may_stand(text) else iter(())

    def sub(self, put: Replacement, text: str) -> str:
        """Return a text with every match replaced."""
        return self._compiled.sub(put, text) if self._may_stand(text) else text
