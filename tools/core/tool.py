"""The record of a tool, the base of its arguments, and the one way to run it.

``call`` validates, runs and wraps errors; every surface goes through it, so that a
call means the same everywhere. ``ref`` writes a call as text and ``parse_ref`` reads it
back, which is how an estimate is passed on: as a link, or as a quantity to
another tool.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import parse_qsl, quote

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator

from kilowhat.tools.core.errors import BadQuantity, InvalidArguments, MissingInput
from kilowhat.tools.core.reference import Library

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from kilowhat.tools.core.estimate import Estimate

MAXIMUM_REF = 2000


def _whole(value: Any) -> int:
    """Return a whole number that JSON may write as 5 or 5.0; a truth value and a text are none."""
    if type(value) in (int, float) and float(value).is_integer():
        return int(value)
    raise ValueError("a whole number is wanted")


WholeNumber = Annotated[int, BeforeValidator(_whole)]


class Arguments(BaseModel):
    """Base of the arguments of every tool: no extra fields, no infinities, and null means 'not told'."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, str_max_length=MAXIMUM_REF, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _null_means_not_told(cls, told: Any) -> Any:
        if isinstance(told, Mapping):
            return {name: value for name, value in told.items() if value is not None or (name in cls.model_fields and cls.model_fields[name].is_required())}
        return told


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool: its name, what it is for, its arguments and its function.

    ``description`` is what a language model reads when it chooses: what the tool
    answers, when to take another one. ``ways`` are the sets of optional arguments of which
    one must be told in full; ``topic`` is the word (train, make) that a question must be
    about before the tool is taken for it; ``gives`` is the quantity of its headline.
    """

    name: str
    title: str
    description: str
    arguments: type[Arguments]
    run: Callable[[Any, Library], Estimate]
    example: Mapping[str, Any]
    ways: tuple[tuple[str, ...], ...] = ()
    topic: str | None = None
    gives: str = "energy"

    def __call__(self, arguments: Mapping[str, Any]) -> Estimate:
        """Validate the arguments and run the tool.

        Raises:
            KilowhatError: with code, message, field and the nearest known names.
        """
        return self.run(self.validate(arguments), Library.load())

    def validate(self, arguments: Mapping[str, Any]) -> Arguments:
        """Return the arguments as the tool's own model.

        Raises:
            MissingInput: where a required argument is not told.
            InvalidArguments: where one is of a wrong type, out of bounds, or unknown.
        """
        try:
            return self.arguments.model_validate(arguments)
        except ValidationError as error:
            raise self._explain(error.errors(include_url=False)[0]) from None

    def _explain(self, problem: ErrorDetails) -> InvalidArguments | MissingInput:
        field = ".".join(str(part) for part in problem["loc"]) or None
        known = list(self.arguments.model_fields)
        if problem["type"] == "missing":
            about = self.arguments.model_fields[str(field)].description if field in self.arguments.model_fields else None
            return MissingInput(f"{self.name} needs {field}" + (f": {about}" if about else "."), field=field)
        if problem["type"] == "extra_forbidden":
            from difflib import get_close_matches

            nearest = get_close_matches(str(field)[:80], known, n=3, cutoff=0.5)
            return InvalidArguments(f"{self.name} takes no argument {str(field)[:60]!r}; it takes {', '.join(known)}.", field=str(field)[:60], nearest=nearest)
        if problem["type"] in ("model_type", "model_attributes_type"):
            return InvalidArguments(f"{self.name} takes one JSON object with its arguments.")
        shown = repr(problem["input"])
        told = shown if len(shown) <= 60 else shown[:57] + "..."
        return InvalidArguments(f"{field} = {told} is not allowed: {problem['msg'][:1].lower()}{problem['msg'][1:300]}.", field=field)


def filled(arguments: Arguments) -> dict[str, Any]:
    """Return the call as validated, with defaults, without what was not told."""
    return arguments.model_dump(mode="json", exclude_none=True)


def ref(name: str, arguments: Arguments) -> str:
    """Return a call as text: ``estimate_task?task=image-generation&count=1000``.

    Arguments at their default are left out, so that the text stays the same when optional arguments join.
    """
    return ref_of(name, arguments, filled(arguments))


def ref_of(name: str, arguments: Arguments, told: Mapping[str, Any]) -> str:
    """Return a call as text, where its arguments as validated are at hand."""
    fields = type(arguments).model_fields
    pairs = [(key, value if isinstance(value, str) else _compact(value)) for key, value in told.items() if value != fields[key].default]
    return f"{name}?{'&'.join(f'{key}={_quoted(value)}' for key, value in pairs)}"


def _quoted(text: str) -> str:
    return text if text.isascii() and text.isalnum() else quote(text, safe="")


def _compact(value: Any) -> str:
    if type(value) is float:
        return str(int(value)) if value.is_integer() and abs(value) < 1e16 else repr(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def parse_ref(text: str, tools: Mapping[str, Tool]) -> tuple[Tool, dict[str, Any]]:
    """Return the tool and the arguments that a ref writes.

    Raises:
        BadQuantity: where the text is no ref of a known tool.
    """
    name, _, query = text.partition("?")
    if name not in tools or len(text) > MAXIMUM_REF:
        raise BadQuantity(f"{text[:60]!r} is no ref of an estimate, such as estimate_task?task=image-generation&count=1000.")
    tool = tools[name]
    arguments: dict[str, Any] = {}
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=64)
    except ValueError:
        raise BadQuantity("A ref has at most 64 arguments.") from None
    for key, value in pairs:
        field = tool.arguments.model_fields.get(key)
        if field is None or _takes_text(field.annotation):
            arguments[key] = value
            continue
        try:
            arguments[key] = json.loads(value)
        except (ValueError, RecursionError):
            arguments[key] = value
    return tool, arguments


def _takes_text(annotation: Any) -> bool:
    from typing import Literal, get_args, get_origin

    if annotation is str or get_origin(annotation) is Literal:
        return True
    parts = [part for part in get_args(annotation) if part is not type(None)]
    return bool(parts) and get_origin(annotation) not in (list, tuple, dict) and all(_takes_text(part) for part in parts if not isinstance(part, (int, float)))
