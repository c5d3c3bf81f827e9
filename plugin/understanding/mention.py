"""A part of a question and what it may mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kilowhat.tools.core.units import Quantity


@dataclass(frozen=True, slots=True)
class Mention:
    """A part of the text and what it may mean: ids by kind of name, senses, a number, a quantity or a unit."""

    start: int
    end: int
    names: Mapping[str, str] = field(default_factory=dict)
    senses: tuple[str, ...] = ()
    number: float | None = None
    quantity: Quantity | None = None
    unit: str | None = None
    size: tuple[float, float] | None = None

    @property
    def weight(self) -> tuple[int, int]:
        """Longer first; at equal length a name, then a quantity, then a number, then a sense, then a bare unit."""
        rank = 4 if self.names else 3 if self.quantity else 2 if self.number is not None else 1 if self.senses else 0
        return self.end - self.start, rank
