"""Questions that arithmetic answers: a share, a change, another unit, the power of devices together."""

from __future__ import annotations

from dataclasses import replace

from kilowhat.plugin.understanding.plan import Call, Plan
from kilowhat.plugin.understanding.slots import Slots
from kilowhat.plugin.understanding.timing import PERIOD_HOURS
from kilowhat.tools import TOOLS, KilowhatError, Library
from kilowhat.tools.core.electricity import WORLD, intensity_fact_id
from kilowhat.tools.core.place import find_place
from kilowhat.tools.core.units import EMISSIONS, ENERGY, MASS, parse_quantity, parse_unit


def power_of(slots: Slots, language: str) -> Plan | None:
    """Return the plan for the power that devices draw together, with the facility's share where a PUE is told."""
    count = slots.counts.get("device", slots.counts.get("server"))
    if slots.wanted != "power" or count is None or slots.hours is not None:
        return None
    device = slots.name("hardware")
    rated = [fact for subject in ("device-power", "server-power") for fact in Library.load().find(subject, hardware=device)] if device is not None else []
    if not slots.power_w and not rated:
        return None
    each = f"{slots.power_w[0]!r} W" if slots.power_w else f"fact:{rated[0].id}"
    pue = f" * {slots.pue!r}" if slots.pue is not None else ""
    return Plan("answered", language, (Call("calculate", {"expression": f"{count!r} * {each}{pue}"}),), quantity="power", unit=slots.unit)


def quotient_of(slots: Slots, language: str) -> Plan | None:
    """Return the plan for an amount or a number that a question divides by another."""
    if not slots.quotient or slots.things or slots.named.get("comparator"):
        return None
    return Plan("answered", language, (Call("calculate", {"expression": " / ".join(f"({part})" for part in slots.quotient)}),), quantity=slots.wanted, unit=slots.unit)


def part_of(slots: Slots, language: str) -> Plan | None:
    """Return the plan for a share of an amount (3 % of 9.8 TWh), or for the yearly rate of something that grows so many times in years."""
    if "ask.sum" in slots.senses and len(slots.amounts) > max(1, len(slots.roles)) and (not slots.things or len(slots.amounts) > 2) and len({dimension for _, dimension in slots.amounts}) == 1:
        return Plan("answered", language, (Call("calculate", {"expression": " + ".join(f"({amount})" for amount, _ in slots.amounts)}),), quantity=slots.wanted, unit=slots.unit)
    if "ask.sum" in slots.senses and len(slots.amounts) == 1 and (each := _of_each(slots)) is not None:
        return Plan("answered", language, (Call("calculate", {"expression": f"({slots.amounts[0][0]}) + {each}"}),), quantity=slots.wanted, unit=slots.unit)
    if slots.things or slots.named.get("comparator"):
        return None
    if slots.factor is not None and slots.hours is not None and slots.hours >= PERIOD_HOURS["year"] and "ask.percent" in slots.senses:
        years = slots.hours / PERIOD_HOURS["year"]
        return Plan("answered", language, (Call("calculate", {"expression": f"{slots.factor[0]!r} ** (1 / {years!r}) - 1", "unit": "%"}),), quantity="ratio")
    if len(slots.amounts) == 2 and slots.amounts[0][1] == slots.amounts[1][1] and "ask.percent" in slots.senses and not slots.years and not slots.hours:
        return change(replace(slots, senses=slots.senses | {"mod.less"}) if _less(slots) else slots, language, slots.amounts[1][0], slots.amounts[0][0])
    share = slots.percents[0] / 100 if len(slots.percents) == 1 else slots.counts.get("bare", 1.0)
    if (
        len(slots.amounts) != 1
        or not 0 < share < 1
        or slots.hours is not None
        or (slots.wanted not in ("energy", "emissions", "water") and "mod.on_top" not in slots.senses)
        or "ask.save" in slots.senses
    ):
        return None
    part = 1 + share if "mod.on_top" in slots.senses else share
    return Plan("answered", language, (Call("calculate", {"expression": f"{part!r} * ({slots.amounts[0][0]})"}),), quantity=slots.wanted, unit=slots.unit)


_EACH = {EMISSIONS: ("emissions_g_each", "g CO2e"), ENERGY: ("energy_wh_each", "Wh")}


def _of_each(slots: Slots) -> str | None:
    """Return what is told for each of several things, times how many, where it measures what is told for another one: 5.7 t, and 8 cards of 164 kg each."""
    name, unit = _EACH.get(slots.amounts[0][1], ("", ""))
    counts = [number for number in slots.counts.values() if number > 1]
    each = getattr(slots, name, None)
    return f"{counts[0]!r} * {each!r} {unit}" if each is not None and len(counts) == 1 else None


def change(slots: Slots, language: str, first: str, second: str) -> Plan:
    """Return the plan for by how many percent the first is more or less than the second."""
    less = f"1 - ({first}) / ({second})", f"1 - ({second}) / ({first})"
    more = f"({first}) / ({second}) - 1", f"({second}) / ({first}) - 1"
    expressions = less if slots.senses & {"mod.less", "ask.save", "ask.less"} else more
    for expression in expressions:
        call = Call("calculate", {"expression": expression, "unit": "%"})
        try:
            TOOLS[call.tool](call.arguments)
        except KilowhatError:
            continue
        break
    return Plan("answered", language, (call,), quantity="ratio")


def _less(slots: Slots) -> bool:
    """Return whether the second of two amounts is the smaller one."""
    first, second = (parse_quantity(amount) for amount, _ in slots.amounts)
    return second.to(first.unit).value < first.value


def in_another_unit(slots: Slots, language: str) -> Plan | None:
    """Return the plan that only converts an amount to another unit of the same kind."""
    if len(slots.amounts) != 1 or slots.unit is None or slots.things or slots.named.get("comparator") or slots.intensities_g or slots.wue_l_per_kwh or slots.percents:
        return None
    amount, dimension = slots.amounts[0]
    wanted = f"{slots.unit} CO2e" if dimension == EMISSIONS and parse_unit(slots.unit).dimension == MASS else slots.unit
    if parse_unit(wanted).dimension != dimension or parse_quantity(amount).unit == slots.unit or slots.hours is not None or slots.amount_rate is not None:
        return None
    return Plan("answered", language, (Call("calculate", {"expression": amount, "unit": wanted}),), quantity=slots.wanted, unit=slots.unit)


def energy_of_emissions(slots: Slots, language: str) -> Plan | None:
    """Return the plan that turns emissions back into the electricity that causes them; a mass that is not said to be of greenhouse gas is asked about."""
    amount = slots.amount(EMISSIONS)
    if amount is None or slots.unit is None or slots.wanted != "energy" or slots.things or slots.amount(ENERGY) or "comparator" in slots.named:
        return None
    if "ask.emissions" not in slots.senses and not slots.as_gas:
        return Plan("needs_input", language, reason="which_task")
    return Plan("answered", language, (Call("calculate", {"expression": f"({amount}) / fact:{intensity_of(slots)}"}),), quantity="energy", unit=slots.unit)


def intensity_of(slots: Slots, thing: str = "") -> str:
    """Return the id of the carbon intensity of the place that is named, else of the country that an everyday thing is of, else of the world."""
    library = Library.load()
    country = next((zone for zone, told in library.countries.items() if told["alpha2"] and thing.startswith(f"{told['alpha2'].lower()}-")), None)
    region = slots.name("place") or country
    return find_place(library, region).intensity.id if region is not None else intensity_fact_id(WORLD)
