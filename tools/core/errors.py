"""Everything that can be wrong with a call, as one tree.

    KilowhatError                code               when
    ├── UnknownTool              unknown_tool       no tool has that name
    ├── InvalidArguments         invalid_arguments  a wrong type, an extra field, a value outside its bounds
    ├── MissingInput             missing_input      a fair question, but something needed was not told
    ├── UnknownName              unknown_name       a task, run, device, service or place that we do not know
    ├── NotPublished             not_published      we know the thing, and nobody has published the figure
    ├── BadQuantity              bad_quantity       a text that is no number with a unit
    └── UnitMismatch             unit_mismatch      a quantity of another dimension than the one wanted

Codes are permanent: programs are written against them. Every surface shows the
same code and words through ``as_dict``.
"""

from __future__ import annotations

from collections.abc import Sequence


class KilowhatError(Exception):
    """A call that gives no number, with what was wrong, what is allowed and what to do.

    Args:
        message: One or two sentences for a person or a model.
        field: The argument that was wrong, or None.
        nearest: Known names close to the one given, best first.
    """

    code = "error"

    def __init__(self, message: str, *, field: str | None = None, nearest: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.nearest = list(nearest)

    def as_dict(self) -> dict[str, dict[str, object]]:
        """Return the error as every surface shows it."""
        return {"error": {"code": self.code, "message": self.message, "field": self.field, "nearest": self.nearest}}


class UnknownTool(KilowhatError):
    """No tool has that name."""

    code = "unknown_tool"


class InvalidArguments(KilowhatError):
    """A wrong type, an extra field, or a value outside its bounds."""

    code = "invalid_arguments"


class MissingInput(KilowhatError):
    """A fair question that needs one more input."""

    code = "missing_input"


class UnknownName(KilowhatError):
    """A name that the reference library does not hold."""

    code = "unknown_name"


class NotPublished(KilowhatError):
    """A known thing whose figure nobody has published."""

    code = "not_published"


class BadQuantity(KilowhatError):
    """A text that is no number with a unit."""

    code = "bad_quantity"


class UnitMismatch(KilowhatError):
    """A quantity of another dimension than the one wanted."""

    code = "unit_mismatch"
