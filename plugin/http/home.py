"""The first page: what this is, a question to ask, and where programs find what."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from urllib.parse import quote_plus

from fastapi import APIRouter, Request, Response

from kilowhat.plugin.asking import ask
from kilowhat.plugin.failures import safely
from kilowhat.plugin.http.links import refused
from kilowhat.plugin.http.pages import answer, ask_box, html, prefers_html, table
from kilowhat.plugin.http.running import Runner
from kilowhat.plugin.reply import Reply
from kilowhat.plugin.understanding import LANGUAGES
from kilowhat.tools import KilowhatError
from kilowhat.tools.core.reference import Library

ROUTES: Mapping[str, str] = {
    "POST /ask": "the answer to a question, with its numbers and sources",
    "POST /tools/{name}": "one tool; all of them are described at /tools/openapi.json",
    "GET /references?query=…": "published figures by words; /references/{id} is one of them",
    "GET /manifest": "the tools as function calls of OpenAI, Anthropic and Gemini, as MCP and as JSON Schema",
    "POST /v1/chat/completions": "the answers as the chat model kilowhat of OpenAI's API",
    "POST /mcp": "the tools over MCP",
    "GET /openapi.json": "all routes of this server",
    "GET /health": "that it runs, and which data it has",
}
EXAMPLES = ("How much energy do 1,000 images take?", "The carbon of 8 H100 for a week in France", "Does a ChatGPT query use ten times a Google search?", "叫 AI 畫一千張圖要幾度電？")


def home(runner: Runner) -> APIRouter:
    """Return the route ``GET /``."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def first(request: Request) -> Response:
        """Return the first page, with the answer where a question is asked; for a program, where everything is."""
        if not prefers_html(request.headers.get("accept", "")):
            return Response(json.dumps({"name": "Kilowhat", "routes": ROUTES}, ensure_ascii=False), media_type="application/json", headers={"Vary": "Accept"})
        question = " ".join(request.query_params.get("question", "").split())
        if not question:
            return html("What AI costs", ["<h1>What does AI cost in energy, carbon and water?</h1>", ask_box(), _examples(EXAMPLES), _about()])
        try:
            reply: Reply = await runner.run("ask", safely, ask, question)
        except KilowhatError as error:
            return refused(error)
        return html(question[:80], [ask_box(question), answer(reply)], language=reply.language)

    return router


def _examples(questions: Sequence[str]) -> str:
    return "<p>Such as:</p><ul>" + "".join(f'<li><a href="/?question={quote_plus(question)}">{escape(question)}</a></li>' for question in questions) + "</ul>"


def _about() -> str:
    library = Library.load()
    told = (
        f"Kilowhat estimates the energy, carbon and water of AI. Ask in {LANGUAGES}; it answers on this machine, and nothing is sent elsewhere. "
        f"Every number has a range where one is known, and a footnote that leads to one of {len(library):,} published figures."
    )
    rows = [(route, escape(does)) for route, does in ROUTES.items()]
    return f"<h2>What this is</h2><p>{escape(told)}</p><h2>For programs</h2>{table(rows)}"
