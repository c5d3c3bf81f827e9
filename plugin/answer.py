"""From estimates to an answer in the asker's language: number first, range, the way to it, assumptions, footnotes.

The words are in ``phrases``, one file a language. Nothing here knows a tool by name
except through the phrases that describe a call.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from kilowhat.plugin.phrases.load import Phrases, phrases
from kilowhat.plugin.reply import NumberedCitation, Reply, ToolCall, number_citations
from kilowhat.plugin.understanding.plan import Plan
from kilowhat.tools import Library
from kilowhat.tools.core.electricity import WORLD, intensity_fact_id
from kilowhat.tools.core.errors import KilowhatError
from kilowhat.tools.core.estimate import Alternative, Estimate, Result, Warning, as_quantity
from kilowhat.tools.core.place import find_place
from kilowhat.tools.core.units import MASS, NUMBER, Quantity, format_number, parse_unit, readable, significant_digits

SHOWN_ALTERNATIVES = 2
SHOWN_RESULTS = 6
_STOPS = {"missing_input": "needs_input", "unknown_name": "needs_input"}
_NAME = re.compile(r"[a-z_]\w*")


def compose(plan: Plan, calls: list[ToolCall]) -> Reply:
    """Return the reply for a plan whose calls have been run."""
    words = phrases(plan.language)
    if plan.outcome != "answered":
        return Reply(outcome=plan.outcome, language=words.language, text=words.say("reasons", plan.reason or "off_subject", **plan.slots), tool_calls=calls)
    refused = next((call for call in calls if call.error is not None), None)
    if refused is not None:
        return _refusal(refused, calls, words)
    citations = number_citations(calls)
    main = calls[: len(plan.calls)]
    aside = next((call.estimate for call in calls[len(plan.calls) :]), None)
    estimates = [call.estimate for call in main if call.estimate is not None]
    results = _ordered(estimates, plan)
    body = _references(estimates[0], citations, words) if plan.quantity == "source" else _body(estimates, results, citations, words, plan, aside)
    body, citations = _renumbered(body, citations)
    shown = [citation for citation in citations if f"[{citation.number}]" in body]
    return Reply(
        outcome="answered",
        language=words.language,
        text=f"{body}\n\n{footnotes(shown or citations, words.language)}".strip(),
        verdict=next((estimate.verdict.verdict for estimate in estimates if estimate.verdict), None),
        results=[*results, *(aside.results if aside else ())],
        tool_calls=calls,
        citations=citations,
        assumptions=list(dict.fromkeys(sentence for estimate in estimates for sentence in estimate.assumptions)),
        warnings=[warning for estimate in estimates for warning in estimate.warnings],
    )


def _renumbered(body: str, citations: Sequence[NumberedCitation]) -> tuple[str, list[NumberedCitation]]:
    """Return the text and the citations numbered in the order in which the text names them; those it does not name come last."""
    order = list(dict.fromkeys(int(number) for number in re.findall(r"\[(\d+)\]", body)))
    ranked = sorted(citations, key=lambda citation: order.index(citation.number) if citation.number in order else len(order) + citation.number)
    renamed = {citation.number: number for number, citation in enumerate(ranked, 1)}
    text = re.sub(r"\[(\d+)\]", lambda match: f"[{renamed.get(int(match[1]), match[1])}]", body)
    return text, [citation.model_copy(update={"number": number}) for number, citation in enumerate(ranked, 1)]


def footnotes(citations: Sequence[NumberedCitation], language: str) -> str:
    """Return the footnotes as lines: number, who and when, title, place in the source, figure as printed, link."""
    words = phrases(language)
    lines = []
    for citation in citations:
        source = citation.source
        by = f"{_short(source.authors)} " if source.authors else ""
        year = f"({source.published[:4]}): " if source.published else ""
        lines.append(
            words.say(
                "footnote",
                number=str(citation.number),
                source=f"{by}{year}{source.title}",
                locator=f", {citation.locator}" if citation.locator else "",
                printed=f", {words.say('checked', printed=citation.printed)}" if citation.printed else "",
                url=f". {source.url}" if source.url else "",
            )
        )
    return "  \n".join(lines)


def _short(authors: str) -> str:
    """Return the first author of several, as a citation in a text names them; an organisation keeps its name."""
    if "(" in authors:
        return authors
    several = re.split(r",\s|;\s|\sand\s", authors)
    return f"{several[0]} et al." if len(several) > 2 else authors


def _refusal(call: ToolCall, calls: list[ToolCall], words: Phrases) -> Reply:
    """Return the reply where a tool refused: what was wrong, and the nearest known names."""
    error = call.error or {}
    code, field = str(error.get("code", "")), str(error.get("field") or "")
    told = words.get("errors", code)
    text = words.say("refused", message=told.format(field=field) if told else str(error.get("message", "")))
    nearest = [str(name) for name in error.get("nearest") or ()]
    if nearest and told:
        text += " " + words.say("nearest", nearest=words.say("list_separator").join(nearest))
    return Reply(outcome="needs_input" if code in _STOPS else "declined", language=words.language, text=text, tool_calls=calls)


def _ordered(estimates: Sequence[Estimate], plan: Plan) -> list[Result]:
    """Return all results, those of the quantity asked first, in the unit asked where it measures the same."""
    ordered = estimates if plan.parallel else list(reversed(estimates))
    results = [result for estimate in ordered for result in estimate.results]
    results.sort(key=lambda result: plan.quantity is not None and result.quantity != plan.quantity)
    return [_in_unit(result, plan.unit) for result in results]


def _in_unit(result: Result, unit: str | None) -> Result:
    if unit is None or result.quantity == "count":
        return result
    asked = parse_unit(unit).dimension
    if asked == MASS and result.quantity == "emissions":
        unit = f"{unit} CO2e"
    elif as_quantity(result).dimension != asked:
        return result
    moved = as_quantity(result).to(unit)
    return result.model_copy(update={"value": moved.value, "low": moved.low, "high": moved.high, "unit": unit})


def _body(estimates: Sequence[Estimate], results: Sequence[Result], citations: Sequence[NumberedCitation], words: Phrases, plan: Plan, aside: Estimate | None) -> str:
    """Return headline, other results, derivation, boundary, assumptions, what was left aside, and competing figures."""
    numbers = {citation.fact_id: citation.number for citation in citations}
    verdict = next((estimate.verdict for estimate in estimates if estimate.verdict), None)
    lines = [words.say("verdict", verdict=words.get("verdicts", verdict.verdict) or verdict.verdict)] if verdict else [words.say("unjudged")] if plan.unjudged else []
    if not results:
        return "\n".join([*lines, next(iter(estimates[0].text.splitlines()[1:] if verdict else estimates[0].text.splitlines()), "")]).strip()
    if plan.quantity in ("energy", "emissions", "water") and not any(result.quantity == plan.quantity for result in results):
        lines.append(words.say("not_found", quantity=words.get("names", plan.quantity) or plan.quantity))
    if plan.parallel:
        for estimate in estimates:
            own = _ordered([estimate], plan)
            lines.append("- " + _headline(own[0], estimate, numbers, words, plan))
    else:
        lines.append(_headline(results[0], estimates[0], numbers, words, plan, home=_home(results[0], estimates)))
        if aside is not None:
            thing = aside.results[0]
            each = [number for fact_id in facts_behind(aside, thing)[-1:] if (number := numbers.get(fact_id))]
            lines.append(words.say("familiar", value=_things(aside, words), notes=f"[{each[0]}]" if each else ""))
        for result in results[1:SHOWN_RESULTS]:
            lines.append(words.say("other", label=_label(result, words), value=show(result), range=_range(result, words), notes=_notes(_home(result, estimates), result, numbers)))
        if steps := [derived for estimate in estimates if (derived := _derivation(estimate))]:
            lines.append(words.say("how", steps=words.say("list_separator").join(steps)))
    if boundary := _boundary(estimates[0], words):
        lines.append(words.say("boundary", boundary=boundary))
    if assumed := list(dict.fromkeys(sentence for estimate in estimates for sentence in _assumed(estimate, words))):
        separator = ". " if words.language == "en" else words.say("list_separator")
        lines.append(words.say("assumed", "all", list=separator.join(assumed)))
    if plan.unused:
        lines.append(words.say("unused", list=words.say("list_separator").join(plan.unused)))
    lines += dict.fromkeys(note for estimate in estimates for warning in estimate.warnings if (note := _warning(warning, words)))
    if rivals := [_alternative(other, numbers, words) for other in estimates[-1].alternatives[:SHOWN_ALTERNATIVES]]:
        lines += [words.say("alternatives"), *rivals]
    return "\n".join(line.replace(" .", ".").rstrip() for line in lines)


def _headline(head: Result, about: Estimate, numbers: dict[str, int], words: Phrases, plan: Plan, home: Estimate | None = None) -> str:
    """Return the line that says the number, what it is for, and its range."""
    scaled = plan.unit is None
    what = words.get("what", head.quantity)
    slots = {"value": show(head, scaled=scaled), "what": f" {what}" if what else "", "about": _about(about, words), "range": _range(head, words, scaled=scaled)}
    if not slots["about"]:
        slots["about"] = head.label
        key = "headline.ratio" if head.unit == "ratio" else "headline.plain"
        return words.say(key, **slots, notes=_notes(home or about, head, numbers))
    return words.say("headline", **slots, notes=_notes(home or about, head, numbers))


def _home(result: Result, estimates: Sequence[Estimate]) -> Estimate:
    """Return the estimate that a result is of."""
    return next(estimate for estimate in estimates if any(_same(result, other) for other in estimate.results))


def _notes(home: Estimate, result: Result, numbers: dict[str, int]) -> str:
    return "".join(f"[{number}]" for number in sorted(numbers[fact_id] for fact_id in facts_behind(home, result) if fact_id in numbers))


def _warning(warning: Warning, words: Phrases) -> str:
    """Return a warning in the answer's language; English for one that it has no words for."""
    told = words.get("warnings", warning.code)
    if told is None and words.language != "en":
        return ""
    return words.say("note", message=told or warning.message)


def _things(aside: Estimate, words: Phrases) -> str:
    """Return the number of everyday things, named in the answer's language where it has the word."""
    thing = aside.results[0]
    kind = aside.arguments["equivalents"][0]
    return f"{format_number(thing.value, 2)} {words.get('things', kind) or thing.label.rpartition(' of ')[0]}"


def _label(result: Result, words: Phrases) -> str:
    """Return what a result is: its own label in English, else the phrase for its quantity, published or calculated."""
    if result.quantity == "count" or words.language == "en":
        return result.label
    variant = f"{result.quantity}.published" if "published" in result.label else result.quantity
    return words.get("quantities", variant) or words.get("quantities", result.quantity) or result.label


def _same(result: Result, other: Result) -> bool:
    """Return whether two results are the same line, perhaps in another unit."""
    return result.label == other.label and result.quantity == other.quantity


def show(result: Result, *, scaled: bool = True) -> str:
    """Return a result's value with its unit: a readable one, or the one it is in."""
    quantity = as_quantity(result)
    if result.quantity == "count":
        return f"{format_number(result.value, significant_digits(quantity))} {result.label.rpartition(' of ')[0] if result.label.endswith(' each') else result.unit}".strip()
    if quantity.dimension == NUMBER:
        return f"{format_number(result.value)} {'' if result.unit == 'ratio' else result.unit}".strip()
    shown = readable(quantity) if scaled else quantity
    return f"{format_number(shown.value, significant_digits(shown))} {shown.unit}"


def _range(result: Result, words: Phrases, *, scaled: bool = True) -> str:
    """Return the interval of a result in brackets; that a published figure has none; or nothing where it is exact."""
    if result.interval == "as published, without a range" and result.quantity != "count":
        return words.say("range.none")
    if result.low is None or result.high is None or result.low == result.high:
        return ""
    quantity = as_quantity(result)
    shown = readable(quantity) if scaled and quantity.dimension != NUMBER else quantity
    kind = {"published range": "range.published", "80%": "range.80%"}.get(result.interval or "", "range.other")
    return words.say(kind, low=format_number(shown.low or 0, 2), high=f"{format_number(shown.high or 0, 2)} {'' if shown.unit == 'ratio' else shown.unit}".strip())


def facts_behind(estimate: Estimate, result: Result) -> list[str]:
    """Return the ids of the facts that a result was calculated from."""
    steps = {step.name: step for step in estimate.steps}
    inputs = {entry.name: entry for entry in estimate.inputs}
    original = next((other for other in estimate.results if _same(result, other)), result)
    named = [(step.name, step.value, step.unit) for step in estimate.steps] + [(entry.name, entry.value, entry.unit) for entry in estimate.inputs]
    open_names = [name for name, value, unit in named if _equals(original, value, unit)][:1]
    found: dict[str, None] = {}
    while open_names:
        name = open_names.pop(0)
        if name in steps:
            open_names += _NAME.findall(steps[name].expression)
        elif name in inputs and inputs[name].fact_id:
            found[str(inputs[name].fact_id)] = None
    return list(found)


def _equals(result: Result, value: float, unit: str) -> bool:
    quantity, there = as_quantity(result), parse_unit(unit)
    return there.dimension == quantity.dimension and math.isclose(value * there.factor, quantity.value * parse_unit(quantity.unit).factor, rel_tol=1e-9)


def _about(estimate: Estimate, words: Phrases) -> str:
    """Return what was estimated, from the call's own arguments."""
    told = dict(estimate.arguments)
    variants = [name for name in ("model", "service", "region") if name in told] + (["words"] if "words_per_day" in told else [])
    pattern = next((found for variant in variants if (found := words.get("about", f"{estimate.tool}.{variant}"))), None) or words.get("about", estimate.tool) or ""
    slots = {"accelerator": words.get("accelerator") or "", "device": words.get("device") or ""}
    slots |= {name: format_number(value, 9) if isinstance(value, (int, float)) else str(value) for name, value in told.items()}
    slots |= _named(told, words)
    slots |= {step.name: format_number(step.value, 9) for step in estimate.steps if step.name == "requests"}
    written = next((entry.value for entry in estimate.inputs if entry.name == "written_tokens"), None)
    slots |= {"output_tokens": format_number(written, 9)} if written is not None else {}
    slots |= {"kind": words.get("kinds", str(told["kind"])) or str(told["kind"])} if "kind" in told else {}
    slots |= {
        argument: _amount(entry.value, entry.unit) for entry in estimate.inputs for argument, name in (("quantity", "amount"), ("energy", "energy_kwh")) if entry.name == name and argument in told
    }
    about = pattern.format_map(_Blank(slots))
    return about + words.say("in_place", region=slots["region"]) if about and "region" in told and "{region}" not in pattern else about


class _Blank(dict[str, str]):
    """Slots of a phrase; one that is not told is left blank."""

    def __missing__(self, key: str) -> str:
        return ""


def _amount(value: float, unit: str) -> str:
    shown = readable(Quantity(value, unit))
    return f"{format_number(shown.value)} {shown.unit}"


_KINDS = {"task": ("tasks",), "model": ("runs", "models"), "service": ("services",), "accelerator": ("hardware",), "device": ("hardware",)}


def _named(told: dict[str, object], words: Phrases) -> dict[str, str]:
    """Return the proper names of what a call names, in the answer's language where there is one."""
    library = Library.load()
    named: dict[str, str] = {}
    for argument, kinds in _KINDS.items():
        for kind in kinds if argument in told else ():
            try:
                name = library.name(kind, str(told[argument]))
            except KilowhatError:
                continue
            named[argument] = words.get("tasks", name.id) or name.name
            break
    if "region" in told:
        named["region"] = _place_name(str(told["region"]), words)
    return named


def _place_name(region: str, words: Phrases) -> str:
    """Return the name of a place: of a country in the answer's script, where it is Chinese."""
    library = Library.load()
    place = find_place(library, region)
    country = library.countries.get(place.country or "", {})
    chinese = [spelling for spelling in country.get("spellings", ()) if re.match(r"[\u3400-\u9fff]", spelling)]
    position = {"zh-Hans": 0, "zh-Hant": 1}.get(words.language)
    if position is None or not chinese or place.name != country.get("name"):
        return place.name
    return str(chinese[min(position, len(chinese) - 1)])


def _derivation(estimate: Estimate) -> str:
    """Return the step that gives the headline with its numbers put in."""
    step = next((step for step in estimate.steps if estimate.results and _equals(estimate.results[0], step.value, step.unit)), None)
    if step is None or step.expression.isidentifier():
        return ""
    values = {entry.name: _written(entry.value, entry.unit) for entry in estimate.inputs} | {other.name: _written(other.value, other.unit) for other in estimate.steps}
    filled = _NAME.sub(lambda match: values.get(match[0], match[0]), step.expression)
    return f"{filled.replace('*', '×')} = {_written(step.value, step.unit)}"


def _written(value: float, unit: str) -> str:
    return f"{format_number(value, 6)} {'' if unit == 'ratio' else unit}".strip()


def _boundary(estimate: Estimate, words: Phrases) -> str:
    """Return what the headline counts; in another language only where it has the words."""
    if words.language == "en":
        return (estimate.results[0].boundary or "") if estimate.results else ""
    facts = [Library.load().fact(entry.fact_id) for entry in estimate.inputs if entry.fact_id and not entry.fact_id.startswith("claim-")]
    return next((told for fact in facts if (told := words.get("boundaries", fact.scope.get("boundary", "")))), "")


def _assumed(estimate: Estimate, words: Phrases) -> list[str]:
    """Return what was filled in for the asker, as read from the inputs that were not told."""
    if words.language == "en":
        return [sentence.rstrip(".") for sentence in estimate.assumptions]
    told = estimate.arguments
    sentences = []
    for entry in estimate.inputs:
        if entry.name.startswith("carbon_intensity") and entry.fact_id == intensity_fact_id(WORLD) and "region" not in told:
            per_kwh = Quantity(entry.value, entry.unit).to("g CO2e/kWh")
            sentences.append(words.say("assumed", "place", value=f"{format_number(per_kwh.value, 3)} g CO2e/kWh"))
        elif entry.name == "power_w" and entry.fact_id and estimate.tool != "estimate_llm":
            named = _named(told, words)
            device = named.get("device") or named.get("accelerator") or words.get("device") or ""
            sentences.append(words.say("assumed", "power_w", value=_amount(entry.value, entry.unit), device=device))
        elif entry.name == "energy_per_run_kwh" and "model" not in told:
            sentences.append(words.say("assumed", entry.name))
        elif entry.origin == "default" and words.get("assumed", entry.name):
            sentences.append(words.say("assumed", entry.name, value=format_number(entry.value, 6)))
    return sentences


def _alternative(other: Alternative, numbers: dict[str, int], words: Phrases) -> str:
    """Return another published figure with its range, whose it is, its year and its footnote."""
    value = other.value if other.value is not None else math.sqrt((other.low or 0) * (other.high or 0))
    shown = readable(Quantity(value, other.unit, other.low, other.high))
    ends = shown.low is not None and shown.high is not None and shown.low != shown.high
    within = words.say("range.alternative", low=format_number(shown.low or 0, 2), high=f"{format_number(shown.high or 0, 2)} {shown.unit}") if ends else ""
    told = other.label.rstrip(".")
    number = numbers.get(other.fact_id)
    return words.say(
        "alternative" if words.language == "en" else "alternative.short",
        value=f"{format_number(shown.value, 2 if ends else 3)} {shown.unit}",
        range=within,
        source=f"{_source_of(other)} {(other.as_of or '')[:4]}".strip(),
        about=f"{told[:1].lower()}{told[1:]}",
        notes=f"[{number}]" if number else "",
    ).strip()


def _source_of(other: Alternative) -> str:
    library = Library.load()
    source = library.source(library.fact(other.fact_id).source)
    return _short(source.authors) if source.authors else source.producer or source.title


def _references(estimate: Estimate, citations: Sequence[NumberedCitation], words: Phrases) -> str:
    """Return facts and claims as a list, each with its figure and footnote."""
    numbers = {citation.fact_id: citation.number for citation in citations}
    count = len(estimate.results)
    many = words.say("reference_count", "one") if count == 1 else words.say("reference_count", "many", number=str(count))
    lines = [words.say("references", number=many)] if count else []
    for result, citation in zip(estimate.results, estimate.citations, strict=False):
        checked = Library.load().fact(citation.fact_id).checked
        told = words.get("checked_on")
        shown = told.format(on=checked.on, against=checked.against) if told and words.language == "en" else ""
        lines.append(words.say("reference", value=show(result), range=_range(result, words), statement=citation.statement, notes=f"[{numbers[citation.fact_id]}]") + shown)
    lines += [f"- {warning.message}" for warning in estimate.warnings if warning.code == "press_claim"]
    return "\n".join(lines)
