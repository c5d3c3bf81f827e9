"""Energy of N runs of an AI task, from published measurements.

**Formula**: energy = count × energy per run.

**Boundary**: the server that ran the measurement (accelerators, memory, processor), with all its accelerators
reserved for one run at a time; no cooling, no network, no idle time between runs.

**Assumptions**: the mean over the models measured for a task stands for a model that is not named.

**Facts**: the default of subject ``task-energy`` for the task; its rivals are listed as alternatives.

**Limits**: the range is that of the models measured, which differ far more than repeated runs do. One modern
accelerator that serves many requests at once uses several times less: see the alternatives.

>>> from kilowhat.tools import call
>>> call("estimate_task", {"task": "image-generation", "count": 1000}).results[0].value
2.907
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from pydantic import Field

from kilowhat.tools.core.boundaries import in_words
from kilowhat.tools.core.derivation import MAXIMUM_ALTERNATIVES, Derivation
from kilowhat.tools.core.errors import NotPublished, UnknownName
from kilowhat.tools.core.estimate import Estimate, head_of
from kilowhat.tools.core.expression import Formula
from kilowhat.tools.core.place import PlaceArguments, add_place
from kilowhat.tools.core.reference import Fact, Library
from kilowhat.tools.core.tool import Tool
from kilowhat.tools.core.units import format_number

CALCULATED = ("image-generation", "video-generation")
"""The tasks that estimate_media calculates for models that nobody measured."""

ENERGY = Formula("energy_kwh", "count * energy_per_run_kwh", "kWh")


class Input(PlaceArguments):
    """How many runs of which task, and where."""

    task: str = Field(
        description="The task: image-generation, text-generation, summarization, image-captioning, object-detection, image-classification, text-classification, token-classification, extractive-qa, masked-language-modeling or video-generation; other spellings are understood.",
        max_length=100,
    )
    count: float = Field(ge=0, le=1e15, strict=True, description="How many runs (images, texts, videos …); zero or more.")
    model: str | None = Field(default=None, max_length=100, description="A model that was measured on this task (stable-diffusion-xl-base-1.0), instead of the mean over models.")


def estimate_task(arguments: Input, library: Library) -> Estimate:
    """Return energy, emissions and off-site water of so many runs.

    Raises:
        UnknownName: for a task, model or region that is not known (``unknown_name``).
        NotPublished: for a model that nobody measured on the task (``not_published``).
    """
    task = library.name("tasks", arguments.task, field="task")
    per_run = library.default("task-energy", field="task", task=task.id) if arguments.model is None else _of_model(library, task.id, arguments.model)

    derivation = Derivation(library)
    derivation.given("count", arguments.count, "ratio")
    derivation.fact("energy_per_run_kwh", per_run, "kWh")
    derivation.step(ENERGY)
    derivation.result(ENERGY.name, "energy", "electricity", boundary=in_words(per_run), as_of=per_run.as_of)
    add_place(derivation, arguments)
    if arguments.model is None:
        single = "No single figure is published, so the middle of the published range is taken" if per_run.value is None else "No model was named"
        derivation.assume(f"{single}: {_sentence(per_run)}")
    for rival in rivals(library, per_run, task.id)[:MAXIMUM_ALTERNATIVES]:
        derivation.alternative(rival, label=_scaled(rival, arguments.count), scale=arguments.count, unit="kWh")
    if per_run.as_of and per_run.as_of[:4] < "2025" and derivation.alternatives:
        derivation.warn("older_measurement", f"The figure was measured in {per_run.as_of[:4]}; newer measurements stand under alternatives and can be many times lower.")
    plural = task.get("unit_name")
    about = f"{format_number(arguments.count, 12)} × {plural or task.name}" + (f" with {library.name('models', arguments.model).name}" if arguments.model else "")
    return derivation.estimate(TOOL.name, arguments, about)


def _of_model(library: Library, task: str, name: str) -> Fact:
    """Return what a model was measured to take for a task; where it was not, the error says which tool calculates it."""
    try:
        model = library.name("models", name, field="model")
        return library.default("task-energy", field="model", task=task, model=model.id)
    except (UnknownName, NotPublished) as error:
        if task not in CALCULATED:
            raise
        raise type(error)(
            f"{error.message} estimate_media calculates it from the model or the size of its denoiser, with resolution, frames and steps.", field=error.field, nearest=error.nearest
        ) from None


def rivals(library: Library, taken: Fact, task: str) -> Sequence[Fact]:
    """Return the other figures for one run of the task, those over many models first, then the newest."""
    return _ranked(library, task, taken.id)


@lru_cache(maxsize=1024)
def _ranked(library: Library, task: str, taken: str) -> tuple[Fact, ...]:
    others = [fact for fact in library.find("task-energy", task=task) if fact.id != taken]
    return tuple(sorted(others, key=lambda fact: ("model" in fact.scope, fact.as_of is None, -float((fact.as_of or "0")[:4]))))


def _scaled(rival: Fact, count: float) -> str:
    """Return the statement of a rival, and to how many runs its figure was scaled where it is printed for another number."""
    head = head_of(rival.statement)
    return head if count == _runs(rival.unit) else f"scaled to {format_number(count, 9)}: {head}"


@lru_cache(maxsize=256)
def _runs(unit: str) -> float:
    """Return for how many runs a unit tells a figure: 1000 for kWh per 1000 images."""
    per = re.search(r"per (\d+)", unit)
    return float(per[1]) if per else 1.0


def _sentence(fact: Fact) -> str:
    statement = fact.statement.rstrip(".")
    return statement[:1].lower() + statement[1:] + "."


TOOL = Tool(
    name="estimate_task",
    title="Energy of N runs of an AI task",
    description="Energy, emissions and water of N runs of an AI task (generate images, write or summarise texts, classify, detect objects, make videos …), from published measurements. Use it when a task is named but no particular language model, token count or hardware; estimate_media for images or videos with a model, resolution or steps.",
    arguments=Input,
    run=estimate_task,
    example={"task": "image-generation", "count": 1000},
)
