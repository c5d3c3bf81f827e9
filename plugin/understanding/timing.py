"""Times in a question: by which period things are counted, how long something runs, on which hours and days, and over which period the answer is wanted."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

from kilowhat.plugin.understanding.measures import PER_THING
from kilowhat.plugin.understanding.mention import Mention
from kilowhat.tools.core.patterns import Late
from kilowhat.tools.core.units import TIME, Quantity, parse_unit

PERIOD_HOURS = {"second": 1 / 3600, "minute": 1 / 60, "hour": 1.0, "day": 24.0, "week": 168.0, "month": 730.0, "year": 8760.0}
SPANS = {**PERIOD_HOURS, "half_year": PERIOD_HOURS["year"] / 2, "quarter": PERIOD_HOURS["year"] / 4}
DAYS_OF_A_WEEK = 7
_GOES_ON = Late(r"[,;，；]\s*(?:and|und|et|y|con|with|mit|avec)\b|[.;；。]\s", re.IGNORECASE)
"""What parts a period from a number behind it: per year, and with 200."""
NEAR = 2
"""How many characters a counter may take between a number and its days."""

SCHEDULES: dict[str, dict[str, float]] = {
    "time.weekdays": {"weekly_days": 5.0},
    "time.workday": {"weekly_days": 5.0},
    "time.weekend": {"weekly_days": 2.0},
    "time.office": {"daily_hours": 8.0, "weekly_days": 5.0},
}
"""What words say of the hours in which something runs."""


def scheduled(mentions: Sequence[Mention], position: int, told: dict[str, Any]) -> bool:
    """Return whether a time is so many hours of each day, or days of each week, and keep it as that."""
    quantity, after = mentions[position].quantity, mentions[position + 1] if position + 1 < len(mentions) else None
    if quantity is None or quantity.dimension != TIME or PER_THING.search(quantity.unit):
        return False
    hours = quantity.to("h").value
    if _is_interval(mentions, position):
        told.setdefault("every_hours", hours)
        return True
    if _a_day_of(mentions, position):
        return True
    periods = after.senses[:1] if after is not None else ()
    if after is not None and after.quantity is not None and hours == PERIOD_HOURS["day"] and _hours_of(after) is not None and after.start - mentions[position].end <= 1:
        told.setdefault("daily_hours", _hours_of(after))
        return True
    before = mentions[position - 1] if position else None
    if before is not None and _hours_of(before) == PERIOD_HOURS["day"] and hours <= PERIOD_HOURS["day"] and mentions[position].start - before.end <= 1:
        return True
    period = next((sense for other in reversed(mentions[:position]) if "prep" not in other.senses and not {"act.run", "noun.thing"} & set(other.senses) for sense in other.senses[:1]), "")
    if (told_as := _LENGTHS.get(period)) is not None and _in_days(quantity) and told_as[0] <= hours / PERIOD_HOURS["day"] <= told_as[1]:
        told["span_hours"] = hours
        return True
    if before is not None and before.senses[:1] == ("per.day",) and mentions[position].start - before.end <= 1 and hours <= PERIOD_HOURS["day"] and _in_hours(quantity):
        told.setdefault("daily_hours", hours)
        return True
    if "clock" in mentions[position].senses or ("per.day" in periods and _in_hours(quantity)):
        told.setdefault("daily_hours", hours)
        return True
    weekly = "per.week" in periods or (before is not None and "per.week" in before.senses[:1] and hours <= PERIOD_HOURS["week"])
    if weekly and _in_days(quantity):
        told.setdefault("weekly_days", hours / PERIOD_HOURS["day"])
        return True
    return False


def _is_interval(mentions: Sequence[Mention], position: int) -> bool:
    """Return whether a time is one in which something comes again: every five minutes, 5分ごと."""
    here, before = mentions[position], mentions[position - 1] if position else None
    after = mentions[position + 1] if position + 1 < len(mentions) else None
    return (before is not None and "every" in before.senses and here.start - before.end <= 1) or (after is not None and "every" in after.senses and after.start == here.end)


def _a_day_of(mentions: Sequence[Mention], position: int) -> bool:
    """Return whether a mention is the day in which the number right behind it is counted: 1日40回."""
    day, number = mentions[position], mentions[position + 1] if position + 1 < len(mentions) else None
    if day.quantity is None or number is None or number.number is None or number.start - day.end > 1:
        return False
    return _hours_of(day) == PERIOD_HOURS["day"] and _in_days(day.quantity)


_LENGTHS = {"per.month": (14.0, 31.0), "per.year": (100.0, 366.0)}
"""The days for which a month or a year may be told to count: a month of 30 days, a year of 240 working days."""


def _in_days(quantity: Quantity) -> bool:
    """Return whether a time is told in days, or in weeks."""
    return parse_unit(quantity.unit).factor in (parse_unit("day").factor, parse_unit("week").factor)


def _in_hours(quantity: Quantity) -> bool:
    """Return whether a time is told in hours, or in parts of one: only such a time can be that of a day."""
    return parse_unit(quantity.unit).factor <= PERIOD_HOURS["hour"]


def _hours_of(mention: Mention) -> float | None:
    """Return the hours of a mention of a time, or None."""
    return mention.quantity.to("h").value if mention.quantity is not None and mention.quantity.dimension == TIME and not PER_THING.search(mention.quantity.unit) else None


def working_days(mentions: Sequence[Mention], position: int, told: dict[str, Any]) -> bool:
    """Return whether a number counts working days (220 working days), and keep them as the time that is asked for."""
    mention = mentions[position]
    after = next((other for other in mentions[position + 1 : position + 3] if "noun.thing" not in other.senses), None)
    if mention.number is None or after is None or not {"time.weekdays", "time.weekend"} & set(after.senses) or after.start - mention.end > NEAR:
        return False
    told["span_hours"] = mention.number * PERIOD_HOURS["day"]
    return True


def read_times(text: str, mentions: Sequence[Mention], senses: frozenset[str], told: Mapping[str, Any], counts: Mapping[str, float]) -> dict[str, Any]:
    """Return the rate, the span and the schedule.

    A period beside a number is a rate (100 a day, 每天100次); any other one is the time that is asked for.
    """
    days_told = "span_hours" in told or ("time.workday" in senses and told.get("hours") is not None and not any(told["hours"] % PERIOD_HOURS[whole] == 0 for whole in ("week", "month", "year")))
    schedule: dict[str, float] = {} if days_told else {name: value for sense, values in SCHEDULES.items() if sense in senses for name, value in values.items()}
    schedule |= {name: told[name] for name in ("daily_hours", "weekly_days") if name in told}
    periods = [(position, sense.partition(".")[2]) for position, mention in enumerate(mentions) for sense in mention.senses[:1] if sense.startswith("per.")]
    rate = next((period for position, period in periods if _beside_number(text, mentions, position)), None)
    rate = "day" if rate is None and any(_a_day_of(mentions, position) for position in range(len(mentions))) else rate
    rest = list(dict.fromkeys(period for _, period in periods if period != rate))
    span = next((length for name, length in SPANS.items() if f"for.{name}" in senses), None)
    further = [f"{counts['thing']:g}"] if "thing" in counts else told.get("spare", [])
    found: dict[str, Any] = {"rate": rate, "often": next((often for position, _ in periods if (often := _often(mentions, position, further)) is not None), None)}
    if found["often"] is None and "every_hours" in told:
        rate, found["often"] = "hour", 1 / told["every_hours"]
        found["rate"] = rate
    hours = told.get("hours")
    if hours is not None and hours > PERIOD_HOURS["day"] and not periods and span is None and "weekly_days" not in told:
        schedule.pop("weekly_days", None)
    if hours is not None and "daily_hours" not in schedule and "day" in (rate, *rest) and hours <= PERIOD_HOURS["day"] and (span or set(rest) - {"day"} or rate not in (None, "day")):
        schedule["daily_hours"] = hours
        found["hours"] = hours = None
    if rate is None and span is not None and rest and hours is None and "daily_hours" not in schedule and PERIOD_HOURS[min(rest, key=PERIOD_HOURS.__getitem__)] < span:
        rate = found["rate"] = min(rest, key=PERIOD_HOURS.__getitem__)
        rest = [period for period in rest if period != rate]
    kept = ({"day"} if "daily_hours" in schedule else set()) | ({"week"} if "weekly_days" in schedule else set())
    rest = [period for period in rest if period not in kept] or [period for period in rest if period == "week"]
    if span is None and rest:
        span = PERIOD_HOURS[max(rest, key=PERIOD_HOURS.__getitem__)]
        found["spans"] = tuple(PERIOD_HOURS[period] for period in rest) if len(rest) > 1 and hours is None else ()
    if span is None and kept and rate is not None and rate not in kept:
        span = PERIOD_HOURS[rate]
    return {**found, **schedule, **({"span_hours": span} if span is not None and "span_hours" not in told else {})}


def _often(mentions: Sequence[Mention], position: int, further: Sequence[str]) -> float | None:
    """Return how many times a period something is said to come, beside what it comes with: two prompts twice an hour, 3 times a day, 每小时两次."""
    before, after = mentions[max(0, position - 2) : position], mentions[position + 1 : position + 3]
    word = next((sense for other in before[-1:] for sense in other.senses if sense.startswith(OFTEN)), None)
    if word is not None:
        return float(word.removeprefix(OFTEN))
    for pair in (before, after):
        if len(pair) == 2 and pair[0].number and "noun.times" in pair[1].senses and f"{pair[0].number:g}" in further:
            return pair[0].number
    return None


OFTEN = "often."


MOST_LEADING = 4


def _leads_to_number(mention: Mention) -> bool:
    """Return whether a mention may stand between a period and what is counted in it: a day I draw 60, each day questions 40."""
    return mention.number is None and (bool({"task", "service", "llm"} & mention.names.keys()) or any(sense in ("noun.request", "prep") or sense.startswith("act.") for sense in mention.senses))


def _beside_number(text: str, mentions: Sequence[Mention], position: int) -> bool:
    """Return whether a period stands right behind what a number counts, or right before a number."""
    ahead = mentions[position + 1 : position + 3]
    if ahead and ahead[0].quantity is not None and ahead[0].quantity.dimension != TIME and ahead[0].start - mentions[position].end <= 1:
        return True
    leading = list(takewhile(_leads_to_number, mentions[position + 1 : position + MOST_LEADING]))
    number = next(iter(mentions[position + 1 + len(leading) :]), None)
    if number is not None and number.number is not None and not _GOES_ON.search(text, mentions[position].end, number.start):
        return True
    for before in reversed(mentions[max(0, position - 3) : position]):
        if before.number is not None or any(sense.startswith(OFTEN) for sense in before.senses) or (before.quantity is not None and before.quantity.dimension != TIME):
            return True
        if any(sense.startswith(("per.", "ask.")) for sense in before.senses) and not before.names:
            return False
    return False
