"""Energy of devices at a power for a time.

**Formula**: energy = count × power / 1000 × hours × utilisation × PUE.

**Boundary**: what the power counts: rated power of one accelerator, or of a whole server where a server is named.

**Assumptions**: full power all the time unless ``utilisation`` says less; no PUE unless told.

**Facts**: defaults of subjects ``device-power`` and ``server-power``.

**Limits**: rated power is an upper bound: serving draws much less, training comes near it.

>>> from kilowhat.tools import call
>>> call("estimate_fleet", {"count": 10, "power_w": 1000, "hours": 24}).results[0].value
240.0
"""

from __future__ import annotations

from pydantic import Field

from kilowhat.tools.core.derivation import Derivation
from kilowhat.tools.core.errors import InvalidArguments
from kilowhat.tools.core.estimate import Estimate
from kilowhat.tools.core.expression import Formula
from kilowhat.tools.core.facility import add_power, add_pue, find_power
from kilowhat.tools.core.place import PlaceArguments, add_place
from kilowhat.tools.core.reference import Library
from kilowhat.tools.core.tool import Tool
from kilowhat.tools.core.units import format_number

SERVERS = Formula("server_count", "count / accelerators_per_server", "ratio")
ENERGY = Formula("energy_kwh", "count * power_w / 1000 * hours * utilisation * pue", "kWh")
ENERGY_OF_SERVERS = Formula("energy_kwh", "server_count * power_w / 1000 * hours * utilisation * pue", "kWh")


class Input(PlaceArguments):
    """How many devices, of which power, for how long."""

    count: float = Field(ge=0, le=1e12, strict=True, description="How many devices (or servers, if device names a server); zero or more.")
    device: str | None = Field(default=None, max_length=100, description="An accelerator or server whose rated power is known: H100, A100, RTX 4090, TPU v4, DGX A100, DGX H100 …")
    power_w: float | None = Field(default=None, gt=0, le=1e12, strict=True, description="Power of one device in W, instead of a named one.")
    hours: float = Field(ge=0, le=1e7, strict=True, description="Hours that they run: 24 for a day, 8760 for a year.")
    utilisation: float | None = Field(default=None, ge=0, le=1, strict=True, description="Mean power as a share of the power above, 0 to 1. Left out: 1, said as an assumption.")
    pue: float | None = Field(default=None, ge=1, le=5, strict=True, description="Power usage effectiveness of the facility, 1 or more; typical 1.1 to 1.6. Left out: not applied.")
    server: str | None = Field(default=None, max_length=100, description="A server that holds the devices (DGX A100): the power is then that of count / accelerators per server of these.")


def estimate_fleet(arguments: Input, library: Library) -> Estimate:
    """Return energy, emissions and off-site water of a fleet.

    Raises:
        UnknownName: for a device, server or region that is not known (``unknown_name``).
        MissingInput: where neither device, server nor power is told (``missing_input``).
        InvalidArguments: where ``server`` names something that holds no accelerators (``invalid_arguments``).
    """
    derivation = Derivation(library)
    derivation.given("count", arguments.count, "ratio")
    if arguments.server is not None:
        server, power = find_power(library, arguments.server, field="server")
        held = server.get("accelerators")
        if not held:
            raise InvalidArguments(f"{server.name} is no server that holds accelerators; name one such as DGX A100, or give power_w.", field="server")
        derivation.default("accelerators_per_server", float(held), "ratio", f"{server.name} holds {held} accelerators.")
        if arguments.power_w is not None:
            derivation.given("power_w", arguments.power_w, "W")
        else:
            derivation.fact("power_w", power, "W")
        device = f"{library.name('hardware', arguments.device, field='device').name if arguments.device else 'accelerator'} in {server.name} servers"
        derivation.step(SERVERS)
    else:
        device = add_power(derivation, arguments.device, arguments.power_w, field="device")
    derivation.given("hours", arguments.hours, "h")
    if arguments.utilisation is None:
        derivation.default("utilisation", 1.0, "ratio", "Every device runs at this power all the time.")
    else:
        derivation.given("utilisation", arguments.utilisation, "ratio")
    add_pue(derivation, arguments.pue)
    derivation.step(ENERGY_OF_SERVERS if arguments.server is not None else ENERGY)
    derivation.result(ENERGY.name, "energy", "electricity", boundary="the power of each, as told or rated" + ("" if arguments.pue is None else ", times the PUE"))
    add_place(derivation, arguments)
    return derivation.estimate(TOOL.name, arguments, f"{format_number(arguments.count, 12)} × {device} for {format_number(arguments.hours, 6)} h")


TOOL = Tool(
    name="estimate_fleet",
    title="Energy of a fleet of devices",
    description="Energy, emissions and water of N devices or servers at a power for so many hours (a cluster, a data centre's servers, one workstation). Power from the device's name or given.",
    arguments=Input,
    run=estimate_fleet,
    example={"count": 512821, "power_w": 6500, "hours": 24},
    ways=(("device",), ("power_w",), ("server",)),
)
