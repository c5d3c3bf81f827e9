"""A ``ref`` opened as a link: the estimate again, as JSON for a program and as a page for a person.

The page is text in a frame of our own: everything in it is escaped, and its policy forbids scripts, frames and anything
from elsewhere.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from html import escape

from fastapi import APIRouter, Request, Response

from kilowhat.plugin.failures import call_safely, safely
from kilowhat.plugin.http.errors import NOT_FOUND, READ, refuse
from kilowhat.plugin.http.running import Runner
from kilowhat.plugin.http.tools import unknown_tool
from kilowhat.tools import TOOLS, Estimate, KilowhatError
from kilowhat.tools.core.text import describe
from kilowhat.tools.core.tool import parse_ref

STYLE = """
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a; background: #fff }
h1 { font-size: 1.3rem } h2 { font-size: 1rem; margin-top: 2rem } pre { white-space: pre-wrap; font: inherit }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid #ddd; vertical-align: top }
code { font-size: .9em; overflow-wrap: anywhere }
@media (prefers-color-scheme: dark) { body { color: #eee; background: #161616 } a { color: #8cf } th, td { border-color: #444 } }
"""
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept",
}


def links(runner: Runner, names: Sequence[str]) -> APIRouter:
    """Return the route ``GET /ref/<ref>``, for the tools that are served."""
    router = APIRouter()

    @router.get("/ref/{tool}", response_model=None, responses={200: {"model": Estimate, "content": {"text/html": {}}}, **READ, **NOT_FOUND})
    async def open_ref(request: Request, tool: str) -> Response:
        """Return the estimate that a ref names: as JSON, or as a page where text/html is preferred."""
        as_page = _prefers_html(request.headers.get("accept", ""))
        try:
            if tool not in names:
                raise unknown_tool(tool, names)
            estimate = await runner.run(tool, safely, _estimate, tool, request.url.query)
        except KilowhatError as error:
            refused = refuse(error)
            return _html(_page("No estimate", [f"<p>{escape(error.message)}</p>"]), refused.status_code) if as_page else refused
        return _html(page(estimate)) if as_page else Response(estimate.model_dump_json(), media_type="application/json", headers={"Vary": "Accept"})

    return router


def _estimate(tool: str, query: str) -> Estimate:
    found, arguments = parse_ref(f"{tool}?{query}", TOOLS)
    return call_safely(found.name, arguments)


def _prefers_html(accept: str) -> bool:
    """Return whether a browser asks: it names text/html, and before any JSON."""
    kinds = [part.partition(";")[0].strip() for part in accept.lower().split(",")]
    return "text/html" in kinds and "application/json" not in kinds[: kinds.index("text/html")]


def page(estimate: Estimate) -> str:
    """Return an estimate as a page."""
    tool = TOOLS[estimate.tool]
    results = ((result.label, describe(result), result.boundary or "") for result in estimate.results)
    steps = ((step.name, step.expression, f"{step.value:.6g} {step.unit}") for step in estimate.steps)
    parts = [
        f"<pre>{escape(estimate.text)}</pre>",
        _table("Results", ("what", "how much", "boundary"), results),
        _table("How", ("step", "formula", "value"), steps),
        _list("Assumed", map(escape, estimate.assumptions)),
        _list("To know", (escape(warning.message) for warning in estimate.warnings)),
        _list("Sources", (_citation(citation.fact_id, citation.statement, citation.printed, citation.source.title, citation.source.url) for citation in estimate.citations)),
        f"<p><code>{escape(estimate.ref)}</code><br>method {escape(estimate.method_version)}, data {escape(estimate.data_version)}</p>",
    ]
    return _page(tool.title, parts)


def _citation(fact_id: str, statement: str, printed: str | None, title: str, url: str | None) -> str:
    source = f'<a rel="noreferrer" href="{escape(url)}">{escape(title)}</a>' if url and url.startswith(("https://", "http://")) else escape(title)
    as_printed = f"; as printed: {escape(printed)}" if printed else ""
    return f"{escape(statement)}{as_printed}. {source} <code>[{escape(fact_id)}]</code>"


def _table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<h2>{title}</h2><table><tr>{''.join(f'<th>{name}</th>' for name in head)}</tr>{body}</table>" if body else ""


def _list(title: str, items: Iterable[str]) -> str:
    """Return a list of items that are escaped already."""
    body = "".join(f"<li>{item}</li>" for item in items)
    return f"<h2>{title}</h2><ul>{body}</ul>" if body else ""


def _page(title: str, parts: Iterable[str]) -> str:
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)} · Kilowhat</title><style>{STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body><h1>{escape(title)}</h1>{"".join(parts)}</body></html>'


def _html(text: str, status: int = 200) -> Response:
    return Response(text, status, HEADERS, "text/html")
