"""Power of devices and servers from their names, and the PUE of the facility around them."""

from __future__ import annotations

from kilowhat.tools.core.derivation import Derivation
from kilowhat.tools.core.errors import InvalidArguments, MissingInput
from kilowhat.tools.core.reference import Fact, Library, Name
from kilowhat.tools.core.units import format_number


def find_power(library: Library, text: str, *, field: str) -> tuple[Name, Fact]:
    """Return the device or server that a text names, with the fact of its power.

    Raises:
        UnknownName: with the nearest names.
        NotPublished: where no checked power is known.
    """
    device = library.name("hardware", text, field=field)
    subject = {"server": "server-power", "rack": "rack-power"}.get(str(device.get("kind")), "device-power")
    return device, library.default(subject, field=field, hardware=device.id)


def add_power(derivation: Derivation, device: str | None, power_w: float | None, *, field: str) -> str:
    """Add ``power_w`` as an input: as told, or the rated power of the named device; return what to call it.

    Raises:
        MissingInput: where neither is told.
    """
    if power_w is not None:
        derivation.given("power_w", power_w, "W")
        if device is None:
            return "accelerator" if field == "accelerator" else "device"
        return derivation.library.name("hardware", device, field=field).name
    if device is None:
        raise MissingInput(f"Give {field} (H100, A100, DGX A100 …) or power_w.", field=field)
    found, power = find_power(derivation.library, device, field=field)
    derivation.fact("power_w", power, "W")
    derivation.assume(f"Power: {power.statement}" + (f" {found.note}" if found.note else ""))
    if power.subject == "device-power":
        derivation.warn("upper_bound", "Rated power is an upper bound: serving draws far less, training comes near it.")
    for measured in derivation.library.find("device-power-measured", hardware=found.id)[:3]:
        derivation.alternative(measured, unit="W")
    return found.name


def add_pue(derivation: Derivation, pue: float | None) -> None:
    """Add the facility's PUE: as told, or 1 with the assumption said."""
    if pue is not None:
        derivation.given("pue", pue, "ratio")
        return
    industry = derivation.library.default("pue", provider="industry")
    usual = format_number(industry.quantity.value, 3)
    derivation.default("pue", 1.0, "ratio", f"No PUE was told, so cooling and power conversion are not in it; a facility of the industry average ({usual}) would use that many times as much.")
    derivation.cite(industry)


def add_surroundings(derivation: Derivation, boundary: str, pue: float | None) -> str:
    """Add what surrounds the boards: ``facility_factor``, ``server_factor``, or ``server_factor`` and a told ``pue``; return the boundary in words.

    Args:
        derivation: Where the inputs go.
        boundary: accelerators, server or facility.
        pue: As told; None takes the usual facility around the boards.

    Raises:
        InvalidArguments: where a PUE is told and the boundary leaves the facility out.
    """
    library = derivation.library
    if boundary != "facility" and pue is not None:
        raise InvalidArguments(f"A PUE belongs to the facility; boundary {boundary!r} leaves it out.", field="pue")
    if boundary == "accelerators":
        return "the accelerator boards alone; no host, cooling or idle reserve"
    if boundary == "facility" and pue is None:
        derivation.fact("facility_factor", library.fact("llm-facility-factor"), "ratio", origin="default")
        derivation.assume("No PUE was told: a large cloud's is taken.")
        return _FACILITY
    derivation.fact("server_factor", library.fact("llm-server-factor"), "ratio")
    if pue is None:
        return "the server at the wall; no cooling or idle reserve"
    derivation.given("pue", pue, "ratio")
    return _FACILITY


_FACILITY = "the facility: boards, host, cooling; no idle reserve or network"
