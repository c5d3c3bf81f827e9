"""Emissions of manufacture: of whole devices, or of the share of their life that a job used.

**Formula**: share = count × embodied / (lifetime × 8760 × utilisation) × used hours; the whole manufacture, count × embodied,
where no hours are told. With the server: embodied + embodied of its host / accelerators that it holds.

**Boundary**: cradle to gate of the device, as its fact says; the rest of the server (processors, memory, storage, chassis) only
with ``host``. No building, network, transport to the site or end of life.

**Assumptions**: four years where no lifetime is told, published lives running from three to six; use in every hour of the life
where no utilisation is told. The estimate says each.

**Facts**: defaults of subjects ``embodied`` and ``lifetime``; ``embodied-agreement`` for how far published figures for one part
lie apart; ``hardware-utilisation-bloom``.

**Limits**: few accelerators have a published figure, and those of one part differ by up to two thirds.

>>> from kilowhat.tools import call
>>> call("estimate_embodied", {"embodied_kg_co2e": 175.2, "count": 8, "lifetime_years": 4, "used_hours": 100}).results[0].value
4.0
"""

from __future__ import annotations

from pydantic import Field

from kilowhat.tools.core.boundaries import in_words
from kilowhat.tools.core.derivation import Derivation
from kilowhat.tools.core.errors import InvalidArguments, MissingInput, NotPublished, UnknownName
from kilowhat.tools.core.estimate import Estimate
from kilowhat.tools.core.expression import Formula
from kilowhat.tools.core.reference import Fact, Library, Name
from kilowhat.tools.core.tool import Arguments, Tool
from kilowhat.tools.core.units import HOURS_PER_YEAR, format_number, format_quantity

SERVER = Formula("embodied_kg_co2e", "server_host_kg_co2e + accelerators_per_server * accelerator_kg_co2e", "kg CO2e")
DEVICES = Formula("devices_kg_co2e", "count * embodied_kg_co2e", "kg CO2e")
HOSTS = Formula("hosts_kg_co2e", "count / accelerators_per_host * host_kg_co2e", "kg CO2e")
LIFE = Formula("life_h", "lifetime_years * hours_per_year * utilisation", "h")
DEVICES_SHARE = Formula("devices_share_kg_co2e", "devices_kg_co2e / life_h * used_hours", "kg CO2e")
HOSTS_SHARE = Formula("hosts_share_kg_co2e", "hosts_kg_co2e / life_h * used_hours", "kg CO2e")
OF_SERVERS = Formula("emissions_kg_co2e", "devices_kg_co2e + hosts_kg_co2e", "kg CO2e")
OF_SERVERS_SHARE = Formula("emissions_kg_co2e", "devices_share_kg_co2e + hosts_share_kg_co2e", "kg CO2e")
RATE = Formula("rate_g_co2e_per_h", "devices_kg_co2e * 1000 / life_h", "g CO2e/h")
RATE_OF_SERVERS = Formula("rate_g_co2e_per_h", "(devices_kg_co2e + hosts_kg_co2e) * 1000 / life_h", "g CO2e/h")

PUBLISHED = ("embodied_kg_co2e", "accelerator_kg_co2e", "host_kg_co2e", "server_host_kg_co2e")
"""The inputs that are published figures of manufacture."""

WITH, WITHOUT = "with", "without"
ANY_HOST = "aws-p5-48xlarge"
"""The host that stands for that of any server with eight accelerators where no other is published."""


class Input(Arguments):
    """Which devices, and how much of their life was used."""

    device: str | None = Field(
        default=None, max_length=100, description="An accelerator, baseboard or server whose manufacture is published: H100, A100, B200, TPU v6e, HGX H100, DGX H100, HPE ProLiant DL345 …"
    )
    embodied_kg_co2e: float | None = Field(
        default=None,
        ge=0,
        le=1e9,
        strict=True,
        description="Emissions of making one device in kg CO2e, instead of the published ones; typical 100 to 300 for an accelerator, 1000 to 10000 for a server.",
    )
    count: float = Field(default=1.0, ge=0, le=1e12, strict=True, description="How many devices; zero or more.")
    used_hours: float | None = Field(default=None, ge=0, le=1e7, strict=True, description="Hours that each device was used for the job (device-hours / count). Left out: the whole manufacture.")
    lifetime_years: float | None = Field(default=None, gt=0, le=50, strict=True, description="Years that a device serves; typical 3 to 6. Left out: 4, said as an assumption.")
    utilisation: float | None = Field(
        default=None, gt=0, le=1, strict=True, description="Share of its life in which a device works, 0 to 1; 0.85 in the study of BLOOM. Left out: 1, said as an assumption."
    )
    host: str | None = Field(
        default=None,
        max_length=100,
        description="'with' for the device's share of its server, 'without' for the device alone, or a server whose host it shares (AWS p5.48xlarge, HPE ProLiant DL345). Left out: as the device's figure counts.",
    )
    host_kg_co2e: float | None = Field(
        default=None, ge=0, le=1e9, strict=True, description="Emissions of making one server without its accelerators in kg CO2e, instead of the published ones; typical 1000 to 6000."
    )
    accelerators_per_host: float | None = Field(
        default=None, gt=0, le=10000, strict=True, description="Accelerators that share one host, instead of those that the server is known to hold; typical 4 to 8."
    )


def estimate_embodied(arguments: Input, library: Library) -> Estimate:
    """Return the emissions of manufacture, whole or the share used, and their rate per hour of use.

    Raises:
        UnknownName: for a device or host that is not known (``unknown_name``).
        NotPublished: for a device or host whose manufacture nobody has published (``not_published``).
        MissingInput: where neither device nor emissions are told, or a host holds a number of accelerators that is not known (``missing_input``).
        InvalidArguments: where a server is to share another host, or used hours exceed the life (``invalid_arguments``).
    """
    derivation = Derivation(library)
    derivation.given("count", arguments.count, "ratio")
    device = library.name("hardware", arguments.device, field="device") if arguments.device is not None else None
    boundary = _add_embodied(derivation, arguments, device)
    host = _add_host(derivation, arguments, device)
    life_told = any(value is not None for value in (arguments.used_hours, arguments.lifetime_years, arguments.utilisation))
    if life_told:
        _add_life(derivation, arguments)
    used = arguments.used_hours is not None
    if arguments.used_hours is not None:
        derivation.given("used_hours", arguments.used_hours, "h")
        derivation.step(DEVICES_SHARE)
    whole = "emissions of making them" if arguments.count != 1 else "emissions of making it"
    label = "share of the emissions of manufacture" if used else whole
    devices = DEVICES_SHARE if used else DEVICES
    if host is not None:
        hosts = HOSTS_SHARE if used else HOSTS
        if used:
            derivation.step(HOSTS_SHARE)
        derivation.step(OF_SERVERS_SHARE if used else OF_SERVERS)
        derivation.result(OF_SERVERS.name, "emissions", label, boundary=f"{boundary.replace('the part alone', 'the devices')}; and the share of the host ({host})")
        derivation.result(devices.name, "device-emissions", "of which the devices")
        derivation.result(hosts.name, "host-emissions", "of which their hosts")
    else:
        derivation.result(devices.name, "emissions", label, boundary=boundary)
    if life_told:
        derivation.step(RATE if host is None else RATE_OF_SERVERS)
        derivation.result(RATE.name, "embodied-rate", "per hour of use" + ("" if arguments.count == 1 else ", of all"))
    _warn_of_sources(derivation)
    what = f"{format_number(arguments.count, 9)} × {device.name if device else 'device'}"
    return derivation.estimate(TOOL.name, arguments, f"Making {what}" + (f", {format_number(arguments.used_hours or 0, 9)} h used of each" if used else ""))


def _add_embodied(derivation: Derivation, arguments: Input, device: Name | None) -> str:
    """Add ``embodied_kg_co2e`` of one device and the step for all of them; return what it counts."""
    library = derivation.library
    if arguments.embodied_kg_co2e is not None:
        derivation.given("embodied_kg_co2e", arguments.embodied_kg_co2e, "kg CO2e")
        derivation.step(DEVICES)
        return "as the given figure"
    if device is None:
        raise MissingInput("Give device (H100, A100, DGX H100 …) or embodied_kg_co2e.", field="device")
    if _is_server(device):
        return _add_server(derivation, arguments, device)
    fact = next((fact for fact in library.find("embodied", hardware=device.id) if fact.default), None)
    if fact is None:
        raise NotPublished(f"Nobody has published the emissions of making {device.name}. Give embodied_kg_co2e to calculate with a figure of your own.", field="device")
    _add_published(derivation, "embodied_kg_co2e", fact)
    derivation.step(DEVICES)
    for rival in library.find("embodied", hardware=device.id):
        if rival.id != fact.id and "part" not in rival.scope:
            derivation.alternative(rival, scale=arguments.count, unit="kg CO2e", label=f"whole manufacture: {rival.statement.rstrip('.')}")
    if device.note:
        derivation.assume(device.note)
    return in_words(fact) or fact.statement.rstrip(".")


def _is_server(device: Name) -> bool:
    return device.get("kind") in ("server", "rack") and device.get("accelerators") is not None


def _add_server(derivation: Derivation, arguments: Input, server: Name) -> str:
    """Add the manufacture of a whole server: its host and the accelerators in it."""
    library = derivation.library
    if arguments.host is not None or arguments.host_kg_co2e is not None:
        raise InvalidArguments(f"{server.name} is a server and has its host in it; name the accelerator as device to tell its host.", field="host")
    host = _host_fact(library, server)
    accelerator = library.default("embodied", field="device", hardware=str(server.get("accelerator")))
    derivation.default("accelerators_per_server", float(server.get("accelerators")), "ratio", f"{server.name} holds {server.get('accelerators')} accelerators.")
    _add_published(derivation, "accelerator_kg_co2e", accelerator)
    _add_published(derivation, "server_host_kg_co2e", host)
    derivation.step(SERVER)
    derivation.step(DEVICES)
    if host.scope["hardware"] != server.id:
        derivation.assume(f"Nobody has published the host of {server.name}; that of {library.named('hardware', host.scope['hardware']).name} stands for it.")
    return "host and accelerators, cradle to gate"


def _add_host(derivation: Derivation, arguments: Input, device: Name | None) -> str | None:
    """Add the host's share as ``hosts_kg_co2e`` where it is asked for, and return its name."""
    wanted = arguments.host.strip().casefold() if arguments.host is not None else None
    if _counts_its_host(derivation.library, arguments, device):
        if wanted == WITHOUT:
            raise NotPublished("The published figure of this device has its share of host and building in it; give embodied_kg_co2e for the device alone.", field="host")
        return None
    if wanted == WITHOUT and arguments.host_kg_co2e is not None:
        raise InvalidArguments("Give host_kg_co2e, or host 'without'; not both.", field="host_kg_co2e")
    if wanted == WITHOUT or (wanted is None and arguments.host_kg_co2e is None):
        if wanted is None and device is not None and device.get("kind") in ("accelerator", "baseboard"):
            derivation.assume("The device alone, without its share of the server, which can weigh more than the accelerator: tell host to count it.")
        return None
    server = _host(derivation.library, wanted, device)
    if arguments.host_kg_co2e is not None:
        derivation.given("host_kg_co2e", arguments.host_kg_co2e, "kg CO2e")
        name = "as given"
    else:
        name = _add_host_figure(derivation, server)
    _add_sharing(derivation, arguments, server, device)
    derivation.step(HOSTS)
    return name


def _counts_its_host(library: Library, arguments: Input, device: Name | None) -> bool:
    """Return whether the published figure of the device has its share of the host in it already."""
    if device is None or arguments.embodied_kg_co2e is not None:
        return False
    return any(fact.default and fact.scope.get("boundary") == "with-host-and-building" for fact in library.find("embodied", hardware=device.id))


def _host(library: Library, wanted: str | None, device: Name | None) -> Name:
    """Return the server whose host is shared: the one named, the device's own, or the one that stands for any."""
    if wanted in (None, WITH):
        return library.named("hardware", str((device.get("server") if device is not None else None) or ANY_HOST))
    try:
        return library.name("hardware", str(wanted), field="host")
    except UnknownName as error:
        raise UnknownName(f"{error.message} Write 'with', 'without', or the name of a server.", field="host", nearest=error.nearest) from None


def _add_host_figure(derivation: Derivation, server: Name) -> str:
    """Add ``host_kg_co2e`` from the published host of a server, or the one that stands for it, and return its name."""
    fact = _host_fact(derivation.library, server)
    _add_published(derivation, "host_kg_co2e", fact)
    found = derivation.library.named("hardware", fact.scope["hardware"])
    if found.id != server.id:
        derivation.assume(f"Nobody has published the host of {server.name}; that of {found.name} stands for it.")
    elif found.id == ANY_HOST:
        derivation.assume(f"The host is that of {found.name}, which stands for any server with eight accelerators.")
    return found.name


def _add_sharing(derivation: Derivation, arguments: Input, server: Name, device: Name | None) -> None:
    """Add how many of the devices share one host; a baseboard counts as the accelerators on it."""
    if arguments.accelerators_per_host is not None:
        derivation.given("accelerators_per_host", arguments.accelerators_per_host, "ratio")
        return
    own = device.get("server") if device is not None else None
    held = server.get("accelerators") or (derivation.library.named("hardware", str(own)).get("accelerators") if own else None)
    if not held:
        raise MissingInput(f"How many accelerators {server.name} holds is not known; give accelerators_per_host.", field="accelerators_per_host")
    sharing = float(held) / float((device.get("accelerators") if device is not None else None) or 1)
    derivation.default("accelerators_per_host", sharing, "ratio", f"Each host holds {format_number(sharing)} of them.")


def _host_fact(library: Library, server: Name) -> Fact:
    """Return the manufacture of a server without its accelerators: its own, or for eight accelerators the one that stands for any.

    Raises:
        NotPublished: where it is not published, and no other may stand for it.
    """
    own = [fact for fact in library.find("embodied", hardware=server.id, part="host") if fact.default]
    if own:
        return own[0]
    anys = library.named("hardware", ANY_HOST)
    if server.get("accelerators") != anys.get("accelerators"):
        raise NotPublished(f"Nobody has published the emissions of making {server.name} without its accelerators. Give host_kg_co2e to calculate with a figure of your own.", field="host")
    return library.default("embodied", field="host", hardware=anys.id, part="host")


def _add_published(derivation: Derivation, name: str, fact: Fact) -> None:
    """Add a published manufacture as an input, as wide as published figures for one part lie apart."""
    derivation.fact(name, fact, "kg CO2e")
    told = derivation.inputs[name]
    agreement = derivation.library.default("method-constant", case="embodied").quantity
    if told.low is None and agreement.low is not None and agreement.high is not None:
        derivation.inputs[name] = told.model_copy(update={"low": told.value * agreement.low, "high": told.value * agreement.high})


def _warn_of_sources(derivation: Derivation) -> None:
    """Say where figures of two sources are added, and where a source is known to count one part otherwise than the source in use."""
    library = derivation.library
    taken = [library.fact(entry.fact_id) for name in PUBLISHED if (entry := derivation.inputs.get(name)) is not None and entry.fact_id is not None]
    by_source = {fact.source: fact for fact in taken}
    if len(by_source) > 1:
        told = " and ".join(f"{_publisher(library, fact)} [{fact.id}]" for fact in by_source.values())
        derivation.warn("sources_differ", f"The figures added here come from sources that count in different ways: {told}.")
    for source in by_source:
        for other in library.find("embodied"):
            if other.source != source or other.default is not None or "part" in other.scope or "hardware" not in other.scope:
                continue
            usual = next((fact for fact in library.find("embodied", hardware=other.scope["hardware"]) if fact.default and "part" not in fact.scope), None)
            if usual is None or usual.source == source or any(fact.id == usual.id for fact in taken):
                continue
            name = library.named("hardware", other.scope["hardware"]).name
            figures = (format_quantity(other.quantity), f"{format_quantity(usual.quantity)} by {_publisher(library, usual)}")
            derivation.warn("other_scale", f"Not to be compared with figures of other sources: {_publisher(library, other)} puts one {name} at {figures[0]}, against {figures[1]}.")


def _publisher(library: Library, fact: Fact) -> str:
    source = library.source(fact.source)
    return str(source.producer or source.authors or source.title)


def _add_life(derivation: Derivation, arguments: Input) -> None:
    """Add the hours that a device works in its life."""
    library = derivation.library
    if arguments.lifetime_years is not None:
        derivation.given("lifetime_years", arguments.lifetime_years, "year")
    else:
        usual = library.default("lifetime", hardware="any-server")
        lives = [fact.in_unit("year").value for fact in library.find("lifetime", hardware="any-server")]
        derivation.fact("lifetime_years", usual, "year", origin="default")
        derivation.inputs["lifetime_years"] = derivation.inputs["lifetime_years"].model_copy(update={"low": min(lives), "high": max(lives)})
        derivation.assume(f"A life of {format_number(usual.quantity.value)} years; published ones run from {format_number(min(lives))} to {format_number(max(lives))}.")
    if arguments.utilisation is not None:
        derivation.given("utilisation", arguments.utilisation, "ratio")
    else:
        derivation.default("utilisation", 1.0, "ratio", "Every hour of its life is used; at 85 % of them, as in the study of BLOOM, an hour carries more.")
        derivation.cite(library.fact("hardware-utilisation-bloom"))
    derivation.default("hours_per_year", HOURS_PER_YEAR, "h/year")
    derivation.step(LIFE)
    life_h = derivation.evaluate()[LIFE.name].value
    if arguments.used_hours is not None and arguments.used_hours > life_h:
        raise InvalidArguments(f"used_hours = {arguments.used_hours:g} is more than the {life_h:g} h that a device works in its life; give the hours of one device.", field="used_hours")


TOOL = Tool(
    name="estimate_embodied",
    title="Emissions of making hardware",
    description="Emissions of manufacture (embodied carbon) of accelerators or servers (H100, A100, DGX H100 …), whole, or the share of their life that a job used, with or without the server around them. Use it for manufacturing; for electricity take estimate_fleet or estimate_training.",
    arguments=Input,
    run=estimate_embodied,
    gives="emissions",
    example={"device": "A100", "count": 384, "used_hours": 2820, "lifetime_years": 6, "utilisation": 0.85, "host": "HPE ProLiant DL345"},
    ways=(("device",), ("embodied_kg_co2e",)),
    topic="make",
)
