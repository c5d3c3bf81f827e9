"""Prompts that start the common questions, each for one tool; an argument is completed with the names that are known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from mcp import types

from kilowhat.plugin.mcp.pages import matching, refused
from kilowhat.tools import Library
from kilowhat.tools.core.errors import InvalidArguments, MissingInput, UnknownName

HOW = "Use the Kilowhat tools, and give with each number its range, what is counted, and its source."

MAXIMUM_TOLD = 1000

Names = Callable[[Library], Iterable[str]]


def _named(kind: str) -> Names:
    return lambda library: (library.named(kind, name_id).name for name_id in library.names(kind))


def _places(library: Library) -> Iterable[str]:
    yield from (str(country["name"]) for country in library.countries.values())
    yield from library.names("places")


@dataclass(frozen=True, slots=True)
class Argument:
    """What a person fills in."""

    name: str
    description: str
    required: bool = False
    names: Names | None = None


REGION = Argument("region", "Where: a country, a US state, a Chinese region or a cloud region.", names=_places)


@dataclass(frozen=True, slots=True)
class Prompt:
    """A question with gaps: a part whose argument is not told is left out."""

    name: str
    title: str
    description: str
    tool: str
    parts: tuple[str, ...]
    arguments: tuple[Argument, ...]

    def listed(self) -> types.Prompt:
        """Return the prompt as ``prompts/list`` describes it."""
        arguments = [types.PromptArgument(name=argument.name, description=argument.description, required=argument.required) for argument in self.arguments]
        return types.Prompt(name=self.name, title=self.title, description=self.description, arguments=arguments)

    def question(self, told: Mapping[str, str]) -> str:
        """Return the question in words."""
        missing = {argument.name for argument in self.arguments} - told.keys()
        return "".join(part.format_map(told) for part in self.parts if not any(f"{{{name}}}" in part for name in missing))


PROMPTS = (
    Prompt(
        "task_footprint",
        "Footprint of an AI task",
        "Energy, carbon and water of so many images, texts, summaries, classifications … from published measurements.",
        "estimate_task",
        ("How much energy, carbon and water do {count} runs of {task} use", " in {region}", "?"),
        (Argument("task", "The task: image generation, summarization …", True, _named("tasks")), Argument("count", "How many runs.", True), REGION),
    ),
    Prompt(
        "model_footprint",
        "Footprint of a language model's answers",
        "Energy, carbon and water of answers of a named model.",
        "estimate_llm",
        ("How much energy, carbon and water do {requests} answers of {model}", " of {output_tokens} tokens", " use", " in {region}", "?"),
        (
            Argument("model", "The model: GPT-4o, Llama 3.1 70B …", True, _named("models")),
            Argument("requests", "How many answers.", True),
            Argument("output_tokens", "How long one answer is, in tokens."),
            REGION,
        ),
    ),
    Prompt(
        "training_footprint",
        "Footprint of a known training run",
        "Energy and carbon of the training of a known model.",
        "estimate_training",
        ("How much energy and carbon did training {model} take?",),
        (Argument("model", "The model that was trained: GPT-3, BLOOM …", True, _named("runs")),),
    ),
    Prompt(
        "own_training_footprint",
        "Footprint of a training run of your own",
        "Energy and carbon of hours on accelerators.",
        "estimate_training",
        ("How much energy and carbon does training for {hours} hours on {accelerator_count} {accelerator} take", " in {region}", "?"),
        (
            Argument("accelerator", "The accelerator: H100, A100 …", True, _named("hardware")),
            Argument("accelerator_count", "How many of them.", True),
            Argument("hours", "For how many hours.", True),
            REGION,
        ),
    ),
    Prompt(
        "greenest_place",
        "Where a job emits least",
        "Ranks places for one job by emissions.",
        "choose_place_and_time",
        ("Where does a job of {energy} emit least: {regions}?",),
        (Argument("energy", "The energy of the job with its unit, such as 1000 kWh.", True), Argument("regions", "The places, with commas between them.", True, _places)),
    ),
    Prompt(
        "check_claim",
        "Check a claim",
        "Arithmetic, units and primary source of a figure that was read somewhere.",
        "check_claim",
        ("Check this claim: {claim}",),
        (Argument("claim", "The claim in its own words, with its figure.", True),),
    ),
    Prompt(
        "everyday_equivalents",
        "An amount in everyday things",
        "An energy, emission or amount of water as phone charges, homes, kilometres …",
        "convert_to_equivalents",
        ("Convert {quantity} to {equivalents}.",),
        (Argument("quantity", "The amount with its unit, such as 3 kWh.", True), Argument("equivalents", "The things: phone charges, streaming hours …", True, _named("comparators"))),
    ),
)


def about(tools: Iterable[str]) -> Mapping[str, Prompt]:
    """Return the prompts whose tool is served, by name."""
    served = set(tools)
    return {prompt.name: prompt for prompt in PROMPTS if prompt.tool in served}


def get(prompts: Mapping[str, Prompt], name: str, told: Mapping[str, str]) -> types.GetPromptResult:
    """Return a prompt with its gaps filled.

    Raises:
        MCPError: where there is no such prompt or argument, or one that is needed is not told.
    """
    prompt = _find(prompts, name)
    told = {key: value.strip() for key, value in told.items() if value.strip()}
    for key, value in told.items():
        if key not in {argument.name for argument in prompt.arguments}:
            raise refused(InvalidArguments(f"{name} takes no argument {key[:60]!r}.", field=key[:60], nearest=[argument.name for argument in prompt.arguments]))
        if len(value) > MAXIMUM_TOLD:
            raise refused(InvalidArguments(f"{key} has at most {MAXIMUM_TOLD:,} characters.", field=key))
    for argument in prompt.arguments:
        if argument.required and argument.name not in told:
            raise refused(MissingInput(f"{name} needs {argument.name}: {argument.description}", field=argument.name))
    text = f"{prompt.question(told)}\n\n{HOW}"
    return types.GetPromptResult(description=prompt.description, messages=[types.PromptMessage(role="user", content=types.TextContent(type="text", text=text))])


def complete(prompts: Mapping[str, Prompt], name: str, argument: types.CompletionArgument) -> types.CompleteResult:
    """Return the known names for an argument; none where it is a number or words of one's own.

    Raises:
        MCPError: where there is no such prompt or argument.
    """
    prompt = _find(prompts, name)
    known = next((known for known in prompt.arguments if known.name == argument.name), None)
    if known is None:
        raise refused(InvalidArguments(f"{name} takes no argument {argument.name[:60]!r}.", field=argument.name[:60], nearest=[known.name for known in prompt.arguments]))
    return matching(known.names(Library.load()) if known.names else (), argument.value)


def _find(prompts: Mapping[str, Prompt], name: str) -> Prompt:
    if name not in prompts:
        raise refused(UnknownName(f"There is no prompt {name[:60]!r}; there are {', '.join(prompts)}.", field="name", nearest=list(prompts)))
    return prompts[name]
