"""What a question asks for, ready to be run: tool calls, or the reason why there are none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from kilowhat.tools import TOOLS, KilowhatError, Library
from kilowhat.tools.core.tool import ref


@dataclass(frozen=True, slots=True)
class Call:
    """A tool and its arguments."""

    tool: str
    arguments: dict[str, Any]


Focus = Literal["why", "sure", "much", "money"]
"""What is asked of an answer that was given: the way to it, how sure it is, everyday things as much as it, or its price."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The calls that answer a question.

    Args:
        outcome: ``answered`` with calls; ``needs_input`` or ``declined`` with the key of a phrase that says why.
        language: The question's language: en, zh-Hans, zh-Hant, fr, de, es or ja.
        calls: The tools to run, in order.
        quantity: What is asked for (energy, emissions, water, count, …), or None; it decides the headline.
        unit: The unit asked for, or None.
        reason: The phrase for an outcome without calls.
        slots: Names that the phrase mentions.
        parallel: Whether the calls answer one thing each, rather than one another's results.
        unused: What the question tells and no argument could take, as words of the question.
        unjudged: Whether a claim was put forward on which no verdict can be given.
        unpublished: Names of what nobody has published a figure of, where the nearest figure is that of the task in general.
        total: A call that adds the results of parallel calls, where a planner wants the sum too, run after them.
        aside: A call that puts the answer into everyday things, run after the others.
        focus: What is asked of the answer, or None for the answer itself.
        brief: Whether a small question gets a small answer: the number, how it came about and what was assumed, with three footnotes at most.
    """

    outcome: Literal["answered", "needs_input", "declined"]
    language: str
    calls: tuple[Call, ...] = ()
    quantity: str | None = None
    unit: str | None = None
    reason: str | None = None
    slots: dict[str, str] = field(default_factory=dict)
    total: Call | None = None
    aside: Call | None = None
    parallel: bool = False
    unused: tuple[str, ...] = ()
    unjudged: bool = False
    unpublished: tuple[str, ...] = ()
    focus: Focus | None = None
    brief: bool = False

    @property
    def all_calls(self) -> tuple[Call, ...]:
        """The calls with the total and the aside at the end."""
        return (*self.calls, *(call for call in (self.total, self.aside) if call is not None))


def as_ref(call: Call) -> str:
    """Return a planned call as a ref, so that the next one can take its result."""
    tool = TOOLS[call.tool]
    try:
        return ref(tool.name, tool.validate(call.arguments))
    except KilowhatError:
        return tool.name


def as_quantity(call: Call) -> str | None:
    """Return the fact that a planned look-up asks for by its id, as a quantity; None for any other call."""
    if call.tool != "look_up_references":
        return None
    try:
        return f"fact:{Library.load().fact(call.arguments['query']).id}"
    except KilowhatError:
        return None
