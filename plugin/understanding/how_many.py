"""How many of one thing make another: "how many images for 1 kWh", "how many queries equal an hour of Netflix".

Both sides are planned like any question, the one that is asked for with one of it; the answer is the quotient of their results.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from kilowhat.plugin.understanding.plan import Call, Plan, as_ref
from kilowhat.plugin.understanding.published import measured_by
from kilowhat.plugin.understanding.slots import THINGS, Slots
from kilowhat.tools import TOOLS, KilowhatError
from kilowhat.tools.core.reference import fold
from kilowhat.tools.core.units import EMISSIONS, ENERGY, VOLUME, parse_quantity

Planner = Callable[[Slots, str, str], Plan]
_OF = {"task": ("task", "model"), "request": ("service", "llm", "model"), "run": ("run",)}
_EACH = {"energy": ("energy_wh_each", "Wh"), "emissions": ("emissions_g_each", "g CO2e"), "water": ("water_ml_each", "mL")}
_BASE = {"energy": "kWh", "emissions": "kg CO2e", "water": "L"}
_ONE = {"task": "task", "request": "request", "run": "bare"}


def how_many(slots: Slots, language: str, text: str, planner: Planner) -> Plan | None:
    """Return the plan that divides one result by another, or None where a question asks for no number of runs, requests or training runs."""
    if (many := _of_the_told(slots, language, text, planner)) is not None:
        return many
    kind = "request" if slots.asked == "thing" and "service" in slots.named else "run" if slots.asked == "thing" and "run" in slots.named else slots.asked
    if kind not in _OF or kind in slots.counts or (kind != "run" and slots.counts.get("thing", 1.0) != 1.0):
        return None
    plain = frozenset(sense for sense in slots.senses if not sense.startswith(("ask.", "shape.", "act.")))
    quantity = next((told for told, dimension in (("emissions", EMISSIONS), ("water", VOLUME), ("energy", ENERGY)) if slots.amount(dimension)), None)
    thing = slots.name("comparator")
    quantity = quantity or (measured_by(thing) if thing is not None else None) or "energy"
    without_each: dict[str, Any] = {_EACH[quantity][0]: None}
    whole = _whole(replace(slots, senses=plain, asked=None, wanted=None, unit=None, **without_each), kind, quantity, language, text, planner)
    if whole is None and slots.unit is not None and slots.wanted in _EACH:
        whole, quantity = f"1 {slots.unit}", slots.wanted
    one = _one(slots, kind, quantity, plain, language, text, planner) if whole is not None else None
    if one is None:
        return None
    return Plan("answered", language, (Call("calculate", {"expression": f"{whole} / ({one})"}),), quantity="ratio")


def _of_the_told(slots: Slots, language: str, text: str, planner: Planner) -> Plan | None:
    """Return the plan that divides a whole by what the question tells for each everyday thing: a home that uses 3,700 kWh a year, 19 Wh per charge."""
    if "shape.claim" in slots.senses:
        return None
    quantity = next((told for told, dimension in (("emissions", EMISSIONS), ("water", VOLUME), ("energy", ENERGY)) if slots.amount(dimension)), None)
    if slots.asked in ("comparator", "user") and quantity is not None and (both := _both_told(slots, quantity)) is not None:
        return Plan("answered", language, (Call("calculate", {"expression": both}),), quantity="ratio")
    if (each := slots.comparator_each) is not None:
        quantity, whole = "energy", slots.amount(ENERGY)
    elif slots.asked == "comparator" and quantity is not None and len(slots.amounts) == 1 and slots.things and not slots.roles:
        each, whole = slots.amounts[0][0], None
    else:
        return None
    if whole is None:
        left = {kind: told for kind, told in slots.named.items() if kind not in ("comparator", "elsewhere")}
        rest = replace(
            slots,
            named=left,
            amounts=(),
            comparator_each=None,
            asked=None,
            unit=None,
            wanted=quantity,
            span_hours=None if slots.amounts else slots.span_hours,
            rate=None if slots.amounts else slots.rate,
        )
        whole = _result(planner(rest, language, text), quantity) if slots.things else None
    if whole is None:
        return None
    call = Call("calculate", {"expression": f"({whole}) / ({each})"})
    if slots.comparator_each is None and _is_its_own(call):
        return planner(replace(slots, named={kind: told for kind, told in slots.named.items() if kind not in THINGS}), language, text)
    return Plan("answered", language, (call,), quantity="ratio")


def _result(planned: Plan, quantity: str) -> str | None:
    """Return what a plan calculates, as a part of an expression; None where it calculates nothing."""
    return f"{as_ref(planned.calls[0])}#{quantity}" if planned.outcome == "answered" and planned.calls[0].tool != "look_up_references" else None


OWN = 2.0
"""Within how many times of a thing's own figure an amount is that, and none for each of something: the 8,930 t of training a model."""


def _is_its_own(call: Call) -> bool:
    """Return whether an amount that a question tells is that of the thing it names."""
    try:
        return 1 / OWN < TOOLS[call.tool](call.arguments).results[0].value < OWN
    except KilowhatError:
        return False


def _both_told(slots: Slots, quantity: str) -> str | None:
    """Return the expression that divides an amount by what the question tells for each, or None where it tells not both: 12.3 GWh, at 3,600 kWh each."""
    name, unit = _EACH[quantity]
    each = [f"{value!r} {unit}"] if (value := getattr(slots, name)) is not None else []
    amounts = [*(amount for amount, _ in slots.amounts), *each]
    if len(amounts) != 2 or len({dimension for _, dimension in slots.amounts}) != 1 or any(" to " in amount for amount in amounts):
        return None
    whole, one = amounts if each else sorted(amounts, key=lambda amount: -parse_quantity(amount).to(_BASE[quantity]).value)
    return f"({whole}) / ({one})"


def _whole(slots: Slots, kind: str, quantity: str, language: str, text: str, planner: Planner) -> str | None:
    """Return what is to be divided, as a part of an expression: an amount, an everyday thing, or the result of another tool."""
    if (amount := slots.amount(EMISSIONS, VOLUME, ENERGY)) is not None:
        return f"({amount})" if " to " not in amount else None
    if slots.power_w and slots.hours is not None and "hardware" not in slots.named:
        return f"({slots.power_w[0]!r} W * {slots.hours!r} h)"
    thing = slots.name("comparator")
    if thing is not None:
        one = Call("convert_to_equivalents", {"quantity": f"{slots.counts.get('comparator', 1.0)!r} {thing}"})
        return f"{as_ref(one)}#{quantity}"
    asked_for = {fold(told) for told in slots.named.get("run", ())} if kind == "run" else set()
    others = {name: tuple(one for one in told if fold(one) not in asked_for) for name, told in slots.named.items() if name not in _OF[kind]}
    rest = replace(slots, named={name: told for name, told in others.items() if told})
    if not (rest.power_w or set(rest.named) & set(THINGS)):
        return None
    return _result(planner(rest, language, text), quantity)


def _one(slots: Slots, kind: str, quantity: str, senses: frozenset[str], language: str, text: str, planner: Planner) -> str | None:
    """Return one of what is asked for, as a part of an expression."""
    name, unit = _EACH[quantity]
    each = getattr(slots, name)
    if each is not None:
        return f"{each!r} {unit}"
    named = {of: told for of, told in slots.named.items() if of in (*_OF[kind], "place")}
    if kind == "request" and not set(named) & set(_OF[kind]):
        named["service"] = ("ai-chatbot",)
    counts = {told: number for told, number in slots.counts.items() if told in ("output", "input", "token")} | {_ONE[kind]: 1.0}
    one = Slots(named=named, counts=counts if kind != "run" else {}, senses=senses | ({"act.train"} if kind == "run" else set()), size=slots.size, wanted=quantity)
    return _result(planner(one, language, text), quantity)
