"""The server in a browser: the first page asks and answers, a fact has a page of its own; programs get JSON there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape, unescape
from typing import Any

import pytest
from fastapi.testclient import TestClient

from kilowhat.plugin import ask
from kilowhat.plugin.http import create_app
from kilowhat.plugin.http.home import EXAMPLES, ROUTES
from kilowhat.plugin.http.pages import HEADERS
from kilowhat.tools import Library
from kilowhat.tools.core.reference import Fact

BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
QUESTION = "How much energy do 1000 images take?"
MARKUP = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "![a](http://evil.example/x.png) 5 images", "[a](javascript:alert(1)) 5 images in **Atlantis**", "# 5 images\n```\n<b>"]


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(create_app(), base_url="http://127.0.0.1:8787") as client:
        yield client


def text_of(page: str) -> str:
    """Return what a page says, without its head and its tags."""
    return unescape(re.sub(r"<[^>]+>", "", page.partition("</head>")[2]))


def tags_of(page: str) -> set[str]:
    return set(re.findall(r"<([a-z0-9]+)", page))


def test_the_first_page_says_what_this_is_and_asks(client: TestClient) -> None:
    answer = client.get("/", headers=BROWSER)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.headers.items() >= {name.lower(): value for name, value in HEADERS.items()}.items()
    assert f"{len(Library.load()):,} published figures" in text_of(answer.text)
    assert all(route in text_of(answer.text) for route in ROUTES)
    assert not {"script", "img", "iframe", "link"} & tags_of(answer.text)


def test_a_program_gets_the_routes_and_each_is_there(client: TestClient) -> None:
    for accept in ("*/*", "application/json"):
        answer = client.get("/", headers={"accept": accept})
        assert (answer.status_code, answer.json()) == (200, {"name": "Kilowhat", "routes": dict(ROUTES)})
        assert answer.headers["vary"] == "Accept"
    for route in ROUTES:
        method, path = route.split()
        if path != "/mcp":
            told = client.request(method, path.replace("{name}", "calculate").replace("…", "GPT-3"))
            assert told.json()["error"]["code"] not in ("not_found", "method_not_allowed") if "error" in told.json() else told.status_code == 200


@pytest.mark.parametrize("question", [QUESTION, *EXAMPLES])
def test_a_question_is_answered_on_the_page(client: TestClient, question: str) -> None:
    answer = client.get("/", params={"question": question}, headers=BROWSER)
    reply = ask(question)
    assert (answer.status_code, reply.outcome) == (200, "answered")
    headline = re.sub(r"\s*(\[\d+\])+", "", reply.text.partition("\n")[0].replace("**", ""))
    assert headline in text_of(answer.text)
    assert f'<div class="answer" lang="{reply.language}">' in answer.text
    assert f'value="{escape(question)}"' in answer.text
    assert {int(number) for number in re.findall(r'<li id="source-(\d+)"', answer.text)} == {citation.number for citation in reply.citations}


@pytest.mark.parametrize("question", ["What is the capital of Peru?", "8 H100", "energy of 5 images in Atlantis"])
def test_what_has_no_answer_is_said_on_the_page(client: TestClient, question: str) -> None:
    answer = client.get("/", params={"question": question}, headers=BROWSER)
    assert answer.status_code == 200
    assert ask(question).outcome != "answered"
    assert re.split(r"[\\*\n]", ask(question).text)[0] in text_of(answer.text)


@pytest.mark.parametrize("question", MARKUP)
def test_markup_in_a_question_is_text(client: TestClient, question: str) -> None:
    answer = client.get("/", params={"question": question}, headers=BROWSER)
    assert answer.status_code == 200
    assert not {"script", "img", "b", "pre", "h2"} & tags_of(answer.text.partition('<div class="answer"')[2].partition("<h2>Sources")[0])
    assert "javascript:" not in "".join(re.findall(r'href="([^"]*)"', answer.text))
    assert len(re.findall("<input", answer.text)) == 1


def test_a_question_of_50_kb_is_answered_on_the_page(client: TestClient) -> None:
    answer = client.get("/", params={"question": "energy of 1000 images " + "and " * 12_500}, headers=BROWSER)
    assert (answer.status_code, "2.9 kWh" in text_of(answer.text)) == (200, True)


def test_the_key_locks_the_first_page_too() -> None:
    with TestClient(create_app(key="open sesame"), base_url="http://127.0.0.1:8787") as locked:
        assert locked.get("/", headers=BROWSER).status_code == 401


@pytest.mark.parametrize("fact", list(Library.load())[::37], ids=lambda fact: fact.id)
def test_a_fact_has_a_page_with_its_source(client: TestClient, fact: Fact) -> None:
    library = Library.load()
    answer = client.get(f"/references/{fact.id}", headers=BROWSER)
    source = library.source(fact.source)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    told = text_of(answer.text)
    for part in (fact.statement.rstrip("."), fact.printed, fact.locator, fact.kind, fact.checked.on, source.title, fact.note):
        assert part is None or part in told
    assert source.url is None or f'href="{escape(source.url)}"' in answer.text


def test_a_claim_has_a_page_with_its_verdict(client: TestClient) -> None:
    library = Library.load()
    for claim in map(library.claim, library.claims):
        told = text_of(client.get(f"/references/{claim.id}", headers=BROWSER).text)
        assert "A claim of the press" in told
        assert claim.verdict in told
        assert claim.why in told


def test_facts_are_found_on_a_page(client: TestClient) -> None:
    answer = client.get("/references", params={"query": "GPT-3 training"}, headers=BROWSER)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert 'href="/references/gpt-3-training-energy"' in answer.text
    refused = client.get("/references", params={"query": "qwertz asdf"}, headers=BROWSER)
    assert (refused.status_code, refused.headers["content-type"]) == (422, "text/html; charset=utf-8")


def test_what_there_is_not_is_a_page_too_with_the_nearest(client: TestClient) -> None:
    answer = client.get("/references/image-generation-enrgy", headers=BROWSER)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "image-generation-energy" in text_of(answer.text)
    program: Any = client.get("/references/image-generation-enrgy").json()
    assert program["error"]["code"] == "unknown_name"


@pytest.mark.parametrize("question", ["100 H200 and 50 A100 for 10 days", "GPT-4o vs Gemini", "2 MWh: Québec ou Suède"])
def test_a_table_is_a_table_on_the_page(client: TestClient, question: str) -> None:
    page = client.get("/", params={"question": question}, headers=BROWSER).text
    assert "<table>" in page and "<th" in page and "---" not in text_of(page)


def test_a_page_lists_the_sources_that_its_answer_names(client: TestClient) -> None:
    page = client.get("/ref/compare?items=[{%22label%22:%22a%22,%22quantity%22:%22estimate_llm%3Fmodel%3Dgpt-4o%22},{%22label%22:%22b%22,%22quantity%22:%221%20Wh%22}]", headers=BROWSER).text
    told, folded, _ = page.partition("Other figures behind it")
    listed, named = set(re.findall(r'id="source-(\d+)"', told)), set(re.findall(r'href="#source-(\d+)"', page))
    assert listed == named and listed and folded


def test_a_claim_of_several_things_counts_them_as_people_do(client: TestClient) -> None:
    assert "<h1>5 cars</h1>" in client.get("/references/claim-training-as-five-cars", headers=BROWSER).text
