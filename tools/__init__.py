"""The estimation functions: pure, cited, the same on every surface.

>>> from kilowhat.tools import TOOLS, call
>>> estimate = call("estimate_task", {"task": "image-generation", "count": 1000})
>>> round(estimate.results[0].value, 3), estimate.results[0].unit
(2.907, 'kWh')
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from kilowhat.tools.core.errors import InvalidArguments, KilowhatError, UnknownTool
from kilowhat.tools.core.registry import CATALOG

if TYPE_CHECKING:
    from kilowhat.tools.core.estimate import Estimate as Estimate
    from kilowhat.tools.core.reference import Library as Library
    from kilowhat.tools.core.tool import Tool as Tool

NAMES = (
    "estimate_task",
    "estimate_llm",
    "estimate_media",
    "estimate_training",
    "estimate_fleet",
    "estimate_service",
    "estimate_embodied",
    "estimate_lifecycle",
    "convert_energy_to_emissions",
    "convert_energy_to_water",
    "convert_to_equivalents",
    "choose_place_and_time",
    "compare",
    "check_claim",
    "project_growth",
    "look_up_references",
    "calculate",
)
"""One module each, named as its tool."""


def _load(name: str) -> Tool:
    tool: Tool = import_module(f"kilowhat.tools.{name}").TOOL
    return tool


CATALOG.fill(NAMES, _load)
TOOLS: Mapping[str, Tool] = CATALOG
"""Every tool by name, in the order in which they are listed to people and models."""


def call(name: str, arguments: Mapping[str, Any]) -> Estimate:
    """Validate the arguments of a tool and run it.

    Args:
        name: Name of the tool, such as ``estimate_task``.
        arguments: Its arguments, as a mapping with JSON values.

    Raises:
        KilowhatError: with code, message, field and the nearest known names; bad input never becomes a number.
    """
    if name not in TOOLS:
        from difflib import get_close_matches

        nearest = get_close_matches(str(name)[:80], TOOLS, n=3, cutoff=0.4)
        raise UnknownTool(f"There is no tool {str(name)[:60]!r}; the tools are {', '.join(TOOLS)}.", nearest=nearest)
    if not isinstance(arguments, Mapping):
        raise InvalidArguments(f"{name} takes one JSON object with its arguments.")
    return TOOLS[name](arguments)


_HOME = {"Estimate": "kilowhat.tools.core.estimate", "Library": "kilowhat.tools.core.reference", "Tool": "kilowhat.tools.core.tool"}


def __getattr__(name: str) -> Any:
    """Import a class of the core when it is first used: models take longer to import than a program may want to wait."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


__all__ = ["TOOLS", "Estimate", "KilowhatError", "Library", "Tool", "call"]
