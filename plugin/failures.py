"""What can go wrong before or beside a tool, told like any other error.

    KilowhatError
    ├── InternalError    internal_error   a fault of ours, without its internals
    └── InvalidJson      invalid_json     a text that is no JSON

``safely`` is for surfaces that must not fall over: what nobody expected is logged by its
kind and place alone, never with arguments, and told as ``internal_error``.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar

from kilowhat.tools import Estimate, KilowhatError, call

P = ParamSpec("P")
T = TypeVar("T")

_LOG = logging.getLogger("kilowhat")


class InternalError(KilowhatError):
    """A fault of ours."""

    code = "internal_error"

    def __init__(self) -> None:
        super().__init__("Something went wrong inside Kilowhat, and there is no number; it is a fault worth reporting. Another call may work.")


class InvalidJson(KilowhatError):
    """A text that is no JSON."""

    code = "invalid_json"


def safely(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what a function returns.

    Raises:
        KilowhatError: as the function raised it; ``internal_error`` for any other exception.
    """
    try:
        return function(*args, **kwargs)
    except KilowhatError:
        raise
    except Exception as error:  # noqa: BLE001  (the last line before a caller who must not see internals)
        raise fault(error) from None


def fault(error: Exception) -> InternalError:
    """Log an exception by its kind and place, and return what a caller is told of it."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    _LOG.error("%s in %s, line %s", type(error).__name__, place.name, place.lineno)
    return InternalError()


def call_safely(name: str, arguments: Mapping[str, Any]) -> Estimate:
    """Return ``kilowhat.tools.call(name, arguments)``.

    Raises:
        KilowhatError: as ``call`` does, and ``internal_error`` where it would fail otherwise.
    """
    return safely(call, name, arguments)
