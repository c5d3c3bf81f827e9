"""A question about several things, cut into one part for each: A against B, or A and B together.

The cut lies at the word that sets them against each other or joins them, else behind the first thing. What
only one part tells (a place, a period, the unit wanted) holds for all.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import replace
from itertools import pairwise

from kilowhat.plugin.understanding.counting import JOINT, TOKENS, meant
from kilowhat.plugin.understanding.mention import Mention
from kilowhat.plugin.understanding.slots import THINGS, Slots, classification_of, read_slots

MAXIMUM = 8
_SERVED = ("request", *TOKENS)
"""What is counted of requests to a language model; told once, it holds for each model."""


def cut(text: str, mentions: Sequence[Mention], kinds: Set[str] = frozenset({*THINGS, "comparator"})) -> list[tuple[str, Slots]]:
    """Return the label and the slots of each thing that a question names; nothing where it names fewer than two.

    Args:
        text: The normalised question.
        mentions: What was recognised in it.
        kinds: The kinds of names that are set against each other.
    """
    whole = read_slots(text, mentions)
    mentions = [replace(mention, names={kind: name for kind, name in mention.names.items() if name in whole.named.get(kind, ())}) if mention.names else mention for mention in mentions]
    mentions = _without_objects(text, _classified(text, mentions))
    if len(whole.named.get("task", ())) == 1 and len(whole.named.get("model", ())) > 1 and "llm" not in whole.named:
        kinds = {"model"}
    named: list[int] = []
    seen: set[frozenset[tuple[str, str]]] = set()
    for position, mention in enumerate(mentions):
        names = frozenset((kind, name) for kind, name in meant(mention).items() if kind in kinds)
        if names and names not in seen:
            seen.add(names)
            named.append(position)
    if not 2 <= len(named) <= MAXIMUM:
        return []
    parts: list[list[Mention]] = []
    start = 0
    for here, after in zip(named, [*named[1:], None], strict=True):
        end = len(mentions) if after is None else _boundary(text, mentions, here, after)
        parts.append(list(mentions[start:end]))
        start = end
    parts = _served(parts, whole)
    labels = [text[mentions[position].start : mentions[position].end] for position in named]
    return [(label, _completed(part, whole, kinds)) for label, part in zip(labels, _with_own_counts([read_slots(text, part) for part in parts]), strict=True)]


def _classified(text: str, mentions: Sequence[Mention]) -> Sequence[Mention]:
    """Return the mentions with classifying as a task where it is set against another task: captioning a photo against classifying it."""
    task = next((mention for mention in mentions if "task" in mention.names), None)
    sorting = next((mention for mention in mentions if "act.classify" in mention.senses and not mention.names), None)
    if task is None or sorting is None:
        return mentions
    first, last = sorted((task, sorting), key=lambda mention: mention.start)
    if not (JOINT.search(text, first.end, last.start) or any("shape.versus" in mention.senses for mention in mentions if first.end <= mention.start < last.start)):
        return mentions
    return [replace(mention, names={"task": classification_of(task.names["task"])}) if mention is sorting else mention for mention in mentions]


GENERATES = "-generation"
BESIDE = 5
"""Characters between what is done and what it is done to: summarizing a text."""


def _without_objects(text: str, mentions: Sequence[Mention]) -> list[Mention]:
    """Return the mentions with what a task is done to no task of its own: captioning an image generates none."""
    read = list(mentions)
    tasks = [position for position, mention in enumerate(mentions) if "task" in mention.names]
    for here, after in pairwise(tasks):
        between = mentions[here + 1 : after]
        gap = text[mentions[here].end : mentions[after].start]
        if any(mention.number is None for mention in between) or len(gap) - sum(mention.end - mention.start for mention in between) > BESIDE or JOINT.search(gap):
            continue
        made = [position for position in (here, after) if mentions[position].names["task"].endswith(GENERATES)]
        if len(made) == 1:
            read[made[0]] = replace(mentions[made[0]], names={}, senses=("noun.thing",))
    return read


def _served(parts: list[list[Mention]], whole: Slots) -> list[list[Mention]]:
    """Return the parts with the name of a model for that of its training run, where another part is served and nothing is said to be trained."""
    names = [{kind for mention in part for kind in meant(mention)} for part in parts]
    answers = bool(whole.senses & {"noun.request", "act.serve"})
    if "act.train" in whole.senses or not (answers or any(kinds & {"service", "llm", "comparator"} and "run" not in kinds for kinds in names)):
        return parts
    return [
        [replace(mention, names={kind: name for kind, name in mention.names.items() if kind != "run"}) if {"run", "llm"} <= mention.names.keys() else mention for mention in part] for part in parts
    ]


def _with_own_counts(parts: list[Slots]) -> list[Slots]:
    """Return the parts with a number of requests that stands behind an everyday thing given to the service that is asked them."""
    for here, part in enumerate(parts):
        served = next((other for other, slots in enumerate(parts) if slots.named.keys() & {"service", "llm"} and not slots.counts), None)
        if served is None or "request" not in part.counts or part.things or "comparator" not in part.named:
            continue
        parts[served] = replace(parts[served], counts={"request": part.counts["request"]})
        parts[here] = replace(part, counts={kind: number for kind, number in part.counts.items() if kind != "request"}, senses=part.senses - {"noun.request"})
    return parts


def _boundary(text: str, mentions: Sequence[Mention], here: int, after: int) -> int:
    """Return where the next part starts: at the word between that sets two things apart, else behind what follows this thing without a number of its own."""
    for position in range(here + 1, after):
        if "shape.versus" in mentions[position].senses:
            return position
    joints = [joint.end() for joint in JOINT.finditer(text, mentions[here].end, mentions[after].start)]
    if joints:
        return next(position for position in range(here + 1, after + 1) if mentions[position].start >= joints[-1])
    for position in range(here + 1, after):
        if mentions[position].number is not None or mentions[position].quantity is not None:
            return position
    told = meant(mentions[here]).items()
    return next((position for position in range(here + 1, after) if not meant(mentions[position]) or not meant(mentions[position]).items() <= told), after)


def _completed(part: Slots, whole: Slots, kinds: Set[str]) -> Slots:
    """Return the slots of a part with what holds for the whole question; a count holds for all where only one is told."""
    shared = {kind: names for kind, names in whole.named.items() if kind not in kinds}
    counts = part.counts or ({"comparator": 1.0} if "comparator" in part.named else {})
    if not counts and len(whole.counts) == 1 and "comparator" not in part.named and "comparator" not in whole.counts and not kinds & {"place"}:
        ((kind, number),) = whole.counts.items()
        counts = {kind if kind in _SERVED and "llm" in part.named else "bare": number}
    elif not counts and "llm" in part.named and "act.train" not in part.senses:
        counts = {kind: number for kind, number in whole.counts.items() if kind in _SERVED}
    stands = "hardware" in part.named or bool(kinds & {"place", "provider"})
    own = {kind: names for kind, names in part.named.items() if kind != "comparator" or names != part.named.get("service")}
    return replace(
        part,
        named={**shared, **own},
        counts=counts or (whole.counts if kinds & {"place"} else {}),
        senses=part.senses
        | {sense for sense in whole.senses if sense.startswith(("act.", "ask.", "about.", *(("noun.request",) if "place" in kinds else ())))} - ({"about.subject"} if "comparator" in own else set()),
        rate=part.rate or whole.rate,
        span_hours=part.span_hours if part.span_hours is not None else whole.span_hours,
        hours=part.hours if part.hours is not None or not stands else whole.hours,
        device_hours=part.device_hours if part.device_hours is not None or not stands else whole.device_hours,
        pue=part.pue if part.pue is not None else whole.pue,
        amounts=part.amounts or (whole.amounts if kinds & {"place"} else ()),
        power_w=part.power_w or (whole.power_w if stands else ()),
        intensities_g=part.intensities_g or whole.intensities_g,
        wanted=whole.wanted,
        unit=None,
        years=part.years or whole.years,
        unreadable=whole.unreadable,
        unknown=None,
        unknown_model=None,
        unknown_wanted=None,
        unknown_place=None,
    )
