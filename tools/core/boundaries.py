"""What a published figure counts, in words: one phrase for each ``boundary`` and ``part`` that facts name."""

from __future__ import annotations

from kilowhat.tools.core.reference import Fact

BOUNDARIES = {
    "accelerators": "the accelerators alone; no host, cooling, network or idle time",
    "accelerators-and-overhead": "the accelerators and the facility's overhead (PUE); no host or network",
    "server": "the measured server: its accelerators, memory and processor; no cooling, network or idle time",
    "facility": "the whole facility, cooling and power conversion included",
    "life-cycle": "the life cycle, manufacturing included",
    "cradle-to-gate": "manufacture of the part alone, from raw material to the gate of the factory",
    "with-host-and-building": "manufacture of the part with its share of server and building",
    "on-site": "on the site alone",
    "off-site": "at the power plants alone",
    "on-site-and-off-site": "on the site and at the power plants",
}
PARTS = {
    "final": "the final run; no failed runs, search or development",
    "dynamic": "dynamic power of the final run; no idle nodes, infrastructure or manufacturing",
    "dynamic-and-idle": "dynamic and idle power of the final run",
    "development": "development runs alone",
    "whole-project": "the whole project, experiments included",
    "life-cycle": "the life cycle, manufacturing included",
    "training-and-use": "training and months of use together",
    "fine-tuning": "fine-tuning alone",
    "base": "the base model that was tuned",
    "search": "the architecture search",
    "post-training": "post-training alone",
}


def in_words(fact: Fact) -> str | None:
    """Return what a fact counts, in words, or None where it names no boundary."""
    told = [PARTS.get(fact.scope.get("part", "")), BOUNDARIES.get(fact.scope.get("boundary", ""))]
    return "; ".join(dict.fromkeys(phrase for phrase in told if phrase)) or fact.scope.get("boundary")
