"""Facts and claims by id and by words: as JSON for a program, as a page for a person."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from typing import Any

from fastapi import APIRouter, Request, Response

from kilowhat.manifest.build import input_schema
from kilowhat.plugin import references as records
from kilowhat.plugin.failures import call_safely, safely
from kilowhat.plugin.http.errors import NOT_FOUND, READ, refuse
from kilowhat.plugin.http.links import json as estimate_json
from kilowhat.plugin.http.links import page as estimate_page
from kilowhat.plugin.http.links import refused
from kilowhat.plugin.http.pages import html, link, prefers_html, sentence, table
from kilowhat.plugin.http.running import Runner
from kilowhat.plugin.wording import wording
from kilowhat.tools import TOOLS, Estimate, KilowhatError
from kilowhat.tools.core.errors import UnknownName
from kilowhat.tools.core.units import format_number


def references(runner: Runner) -> APIRouter:
    """Return the routes ``GET /references`` and ``GET /references/{id}``."""
    router = APIRouter()
    look_up = input_schema(TOOLS["look_up_references"])
    parameters = [{"in": "query", "name": name, "schema": schema, "required": name in look_up["required"]} for name, schema in look_up["properties"].items()]

    @router.get("/references", response_model=None, responses={200: {"model": Estimate, "content": {"text/html": {}}}, **READ}, openapi_extra={"parameters": parameters})
    async def search(request: Request) -> Response:
        """Return the facts that fit a query, the best first: the Estimate of ``look_up_references``."""
        told: dict[str, Any] = dict(request.query_params)
        if (limit := told.get("limit", "")).isdecimal() and len(limit) < 10:
            told["limit"] = int(limit)
        as_page = prefers_html(request.headers.get("accept", ""))
        try:
            estimate = await runner.run("look_up_references", call_safely, "look_up_references", told)
            return await runner.run("page", safely, estimate_page, estimate) if as_page else estimate_json(estimate)
        except KilowhatError as error:
            return refused(error) if as_page else refuse(error)

    @router.get("/references/{reference_id}", response_model=None, responses={200: {"content": {"text/html": {}}}, **READ, **NOT_FOUND})
    def reference(request: Request, reference_id: str) -> Response:
        """Return a fact or a claim with its source."""
        as_page = prefers_html(request.headers.get("accept", ""))
        try:
            found = records.cited(reference_id)
        except UnknownName as error:
            return refused(error, 404) if as_page else refuse(error, 404)
        return page(found) if as_page else Response(json.dumps(found), media_type="application/json", headers={"Vary": "Accept"})

    return router


def page(found: Mapping[str, Any]) -> Response:
    """Return a fact or a claim for a person: what it says, as printed where, of which source, checked against what."""
    record, source = found.get("fact") or found["claim"], found["source"]
    checked = record["checked"]
    by = ", ".join(escape(told) for told in (source["authors"] or source["producer"], source["published"]) if told)
    derived = record.get("derivation")
    rows = [
        ("verdict", escape(record.get("verdict") or "")),
        ("as printed", escape(record["printed"] or "")),
        ("where", escape(record["locator"] or "")),
        ("source", "<br>".join(filter(None, (link(source["url"], source["title"]), by, escape(source["licence"] or ""))))),
        ("said by", escape(record.get("attributed_to") or "")),
        ("right is", escape(_value(record["right"])) if record.get("right") else ""),
        ("why", escape(record.get("why") or "")),
        ("kind", escape(record.get("kind") or "")),
        ("of", escape(record["as_of"] or "")),
        ("holds for", escape("; ".join(f"{name}: {told}" for name, told in record["scope"].items()))),
        ("calculated", _derived(derived) if derived else ""),
        ("taken because", escape(record.get("default") or "")),
        ("note", escape(record.get("note") or "")),
        ("checked", escape(f"{checked['on']}, against {checked['against']}")),
    ]
    kind = "A published figure" if "fact" in found else "A claim of the press"
    head = f'<p class="quiet">{kind}</p><h1>{escape(_value(record) or kind)}</h1><p>{sentence(record["statement"])}</p>'
    return html(record["statement"][:80], [head, table(rows), f'<p class="quiet"><code>{escape(record["id"])}</code></p>'])


def _value(record: Mapping[str, Any]) -> str:
    """Return a value with its range and unit."""
    value, low, high = record.get("value"), record.get("low"), record.get("high")
    within = f"{format_number(low, 4)} to {format_number(high, 4)}" if low is not None and high is not None else ""
    unit = wording("en").unit(record.get("unit") or "", of=value)
    if value is None:
        return f"{within} {unit}".strip() if within else ""
    return f"{format_number(value, 6)} {unit}".strip() + (f" ({within})" if within else "")


def _derived(derivation: Mapping[str, Any]) -> str:
    """Return how a figure was calculated, each figure that it was calculated from a link to its own page."""
    inputs = "".join(f'<br>{escape(name)}: <a href="/references/{escape(told)}">{escape(told)}</a>' for name, told in derivation["inputs"].items())
    return f"{escape(derivation['expression'])}{inputs}"
