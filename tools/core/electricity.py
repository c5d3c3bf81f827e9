"""Country electricity: yearly average carbon and water per kWh, as facts.

The series comes with the ``ecologits`` package (Our World in Data after Ember and the
Energy Institute for carbon, WRI for water): 215 zones, life-cycle and
location-based. Its loader drops nothing that we need here, but importing it costs half
a second, so the data file is read as it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

SERIES = "0.11"
"""The minor version of ``ecologits`` whose series we name in ``data_version``."""

WORLD = "WOR"


@lru_cache(maxsize=1)
def _mixes() -> dict[str, dict[str, Any]]:
    spec = find_spec("ecologits")
    if spec is None or spec.origin is None:
        raise ImportError("The package ecologits brings the electricity of countries; install it with: pip install ecologits")
    text = (Path(spec.origin).parent / "data" / "electricity_mixes.json").read_text("utf-8")
    return {mix["name"]: mix for mix in json.loads(text)["electricity_mixes"]}


def zones() -> list[str]:
    """Return the ISO 3166-1 alpha-3 codes that the series holds, and WOR for the world."""
    return list(_mixes())


def intensity_fact_id(zone: str) -> str:
    """Return the id of the fact that holds a zone's carbon intensity."""
    return f"electricity-{zone.lower()}-intensity"


def water_fact_id(zone: str) -> str:
    """Return the id of the fact that holds a zone's water per kWh."""
    return f"electricity-{zone.lower()}-water"


def has_own_water(zone: str) -> bool:
    """Return whether the series holds a zone's own water, not the world average in its place."""
    return zone == WORLD or "electricity-mix-wue-world" not in (_mixes()[zone]["warnings"] or ())


def country_facts(countries: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return two facts a zone, by id: its carbon intensity and its water consumption per kWh.

    Args:
        countries: English name by ISO 3166-1 alpha-3 code, under ``name``.
    """
    facts: dict[str, dict[str, Any]] = {}
    checked = {"on": "2026-11-21", "against": "data file"}
    for zone, mix in _mixes().items():
        place = "the world" if zone == WORLD else countries.get(zone, {}).get("name", zone)
        common = {"kind": "reported", "source": "ecologits-electricity", "checked": checked, "default": "One series for all countries, life-cycle, newer than the 2024 tables."}
        facts[intensity_fact_id(zone)] = common | {
            "id": intensity_fact_id(zone), "subject": "grid-intensity", "unit": "kg CO2e/kWh", "value": mix["gwp"],
            "statement": f"Average life-cycle emissions of a kWh generated in {place}, location-based, newest year of the series.",
            "scope": {"place": zone, "basis": "average", "boundary": "life-cycle"},
            "locator": f"electricity_mixes.json, {zone}, gwp", "printed": f"{mix['gwp']} kgCO2eq/kWh",
        }  # fmt: skip
        facts[water_fact_id(zone)] = common | {
            "id": water_fact_id(zone), "subject": "water-intensity", "unit": "L/kWh", "value": mix["wue"],
            "statement": f"Water that power plants consume for a kWh generated in {place}, hydropower evaporation included." + ("" if has_own_water(zone) else " The series holds the world average here."),
            "scope": {"place": zone, "basis": "average", "boundary": "off-site"},
            "locator": f"electricity_mixes.json, {zone}, wue", "printed": f"{mix['wue']} L/kWh",
        }  # fmt: skip
    return facts
