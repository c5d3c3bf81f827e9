"""The estimation functions: pure, cited, the same on every surface.

>>> from kilowhat.tools import TOOLS, call
>>> estimate = call("estimate_task", {"task": "image-generation", "count": 1000})
>>> round(estimate.results[0].value, 3), estimate.results[0].unit
(2.907, 'kWh')
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from kilowhat.tools import (
    convert_energy_to_emissions,
    convert_to_equivalents,
    estimate_fleet,
    estimate_service,
    estimate_task,
    estimate_training,
    look_up_references,
)
from kilowhat.tools.core.errors import InvalidArguments, KilowhatError, UnknownTool
from kilowhat.tools.core.estimate import Estimate
from kilowhat.tools.core.reference import Library
from kilowhat.tools.core.tool import CATALOG, Tool

CATALOG.update(
    (module.TOOL.name, module.TOOL)
    for module in (
        estimate_task,
        estimate_training,
        estimate_fleet,
        estimate_service,
        convert_energy_to_emissions,
        convert_to_equivalents,
        look_up_references,
    )
)
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
    tool = TOOLS.get(name)
    if tool is None:
        nearest = get_close_matches(str(name)[:80], TOOLS, n=3, cutoff=0.4)
        raise UnknownTool(f"There is no tool {str(name)[:60]!r}; the tools are {', '.join(TOOLS)}.", nearest=nearest)
    if not isinstance(arguments, Mapping):
        raise InvalidArguments(f"{name} takes one JSON object with its arguments.")
    return tool(arguments)


__all__ = ["TOOLS", "Estimate", "KilowhatError", "Library", "Tool", "call"]
