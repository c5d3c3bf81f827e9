"""A ``ref`` opened as a link: the estimate again, as JSON for a program and as a page for a person."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from fastapi import APIRouter, Request, Response

from kilowhat.plugin.answer import compose
from kilowhat.plugin.failures import call_safely, safely
from kilowhat.plugin.http.errors import NOT_FOUND, READ, refuse
from kilowhat.plugin.http.pages import answer, derivation, html, prefers_html
from kilowhat.plugin.http.running import Runner
from kilowhat.plugin.http.tools import unknown_tool
from kilowhat.plugin.reply import ToolCall
from kilowhat.plugin.understanding.plan import Call, Plan
from kilowhat.tools import TOOLS, Estimate, KilowhatError
from kilowhat.tools.core.tool import parse_ref


def links(runner: Runner, names: Sequence[str]) -> APIRouter:
    """Return the route ``GET /ref/<ref>``, for the tools that are served; a ref may stand in it encoded as a whole."""
    router = APIRouter()

    @router.get("/ref/{tool:path}", response_model=None, responses={200: {"model": Estimate, "content": {"text/html": {}}}, **READ, **NOT_FOUND})
    async def open_ref(request: Request, tool: str) -> Response:
        """Return the estimate that a ref names: as JSON, or as a page where text/html is preferred."""
        as_page = prefers_html(request.headers.get("accept", ""))
        tool, _, encoded = tool.partition("?")
        try:
            if tool not in names:
                raise unknown_tool(tool, names)
            estimate = await runner.run(tool, safely, _estimate, tool, encoded or request.url.query)
            return await runner.run("page", safely, page, estimate) if as_page else json(estimate)
        except KilowhatError as error:
            return refused(error) if as_page else refuse(error)

    return router


def _estimate(tool: str, query: str) -> Estimate:
    found, arguments = parse_ref(f"{tool}?{query}", TOOLS)
    return call_safely(found.name, arguments)


def json(estimate: Estimate) -> Response:
    """Return an estimate for a program."""
    return Response(estimate.model_dump_json(), media_type="application/json", headers={"Vary": "Accept"})


def page(estimate: Estimate) -> Response:
    """Return an estimate for a person: the answer that it gives, its steps, and the ref that gives it again."""
    called = ToolCall(name=estimate.tool, arguments=dict(estimate.arguments), estimate=estimate)
    reply = compose(Plan("answered", "en", (Call(called.name, called.arguments),), quantity="source" if estimate.tool == "look_up_references" else None), [called])
    versions = f"method {escape(estimate.method_version)}, data {escape(estimate.data_version)}"
    title = TOOLS[estimate.tool].title
    return html(title, [f'<p class="quiet">{escape(title)}</p>', answer(reply), derivation(estimate), f'<p class="quiet"><code>{escape(estimate.ref)}</code><br>{versions}</p>'])


def refused(error: KilowhatError, status: int | None = None) -> Response:
    """Return a refusal for a person, with the status that a program gets."""
    near = f"<p>Near it: {escape(', '.join(error.nearest))}.</p>" if error.nearest and "Near it: " not in error.message else ""
    return html("No answer", [f"<h1>No answer</h1><p>{escape(error.message)}</p>{near}"], refuse(error, status).status_code)
