"""A number can be shared: its ref, opened as a link, gives the estimate again to programs and to people. And the brief form."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from html.parser import HTMLParser
from importlib.util import find_spec
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator
from referencing import Registry

from kilowhat.plugin.http import create_app
from kilowhat.tools import TOOLS, KilowhatError, Tool, call

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome") or ""
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(create_app(), base_url="http://127.0.0.1:8787") as client:
        yield client


class Page(HTMLParser):
    """What a browser would see: the text, the tags, the links."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.text, self.tags, self.links, self.ids = "", [], [], []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name == "href"]
        self.ids += [value for name, value in attrs if name == "id"]
        assert not [name for name, _ in attrs if name.startswith("on") or name == "style"]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
def test_a_ref_opened_as_a_link_is_the_estimate(client: TestClient, tool: Tool) -> None:
    estimate = call(tool.name, tool.example)
    answer = client.get(f"/ref/{estimate.ref}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == estimate.model_dump(mode="json")


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
def test_a_browser_gets_the_estimate_as_a_page_without_scripts(client: TestClient, tool: Tool) -> None:
    estimate = call(tool.name, tool.example)
    answer = client.get(f"/ref/{estimate.ref}", headers={"accept": BROWSER})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "script" not in answer.headers["content-security-policy"]
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    page = Page(answer.text)
    assert estimate.ref in page.text
    assert not {"script", "iframe", "img", "form", "object", "link"} & set(page.tags)
    assert {citation.source.url for citation in estimate.citations if citation.source.url} <= set(page.links)
    assert {f"/references/{quote(citation.fact_id)}" for citation in estimate.citations if "#" not in citation.fact_id} <= set(page.links)
    told, _, _ = page.text.partition("Every step of the calculation")
    body, _, sources = told.partition("Sources")
    assert bool(sources) == bool(estimate.citations)
    assert all(sources.count(citation.statement.rstrip(".;")) <= 1 for citation in estimate.citations)
    lines = [line for line in body.splitlines() if line.strip() and not line.startswith("http")]
    assert len(lines) == len(set(lines))


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
def test_a_page_names_no_fact_by_its_id_and_ends_its_sentences_once(client: TestClient, tool: Tool) -> None:
    estimate = call(tool.name, tool.example)
    page = Page(client.get(f"/ref/{estimate.ref}", headers={"accept": BROWSER}).text)
    text = page.text.replace(estimate.ref, "")
    assert not [citation.fact_id for citation in estimate.citations if citation.fact_id in text]
    assert not re.search(r"\.[.;]|(?<!al)\.,|;[.;]|\*\*|\\", text)
    assert not [step.name for step in estimate.steps if "_" in step.name and step.name in text]


def test_every_step_is_told_in_words_and_in_numbers(client: TestClient) -> None:
    page = Page(client.get("/ref/estimate_task?task=image-generation&count=1000&region=France", headers={"accept": BROWSER}).text)
    _, _, steps = page.text.partition("Every step of the calculation")
    assert "emissions= energy × carbon intensity= 2.907 kWh × 0.04144 kg CO2e/kWh= 0.12047 kg CO2e" in steps


def test_every_footnote_of_a_page_leads_to_its_source_and_the_fact(client: TestClient) -> None:
    page = Page(client.get("/ref/estimate_llm?model=gpt-4o&output_tokens=400&region=France", headers={"accept": BROWSER}).text)
    marks = {link.removeprefix("#") for link in page.links if link.startswith("#")}
    assert marks
    assert marks <= set(page.ids)
    for link in {link for link in page.links if link.startswith("/references/")}:
        assert client.get(link, headers={"accept": BROWSER}).status_code == 200


@pytest.mark.skipif(not CHROMIUM or find_spec("playwright") is None, reason="needs a chromium and the package playwright")
def test_no_page_is_wider_than_the_window(serving: Callable[[Any], AbstractContextManager[str]]) -> None:
    from playwright.sync_api import sync_playwright

    paths = ["/", "/?question=energy+of+1000+images+in+France+and+Norway", "/references/image-generation-energy", "/references?query=GPT-3+training", "/references/nope"]
    paths += [f"/ref/{call(tool.name, tool.example).ref}" for tool in TOOLS.values()]
    with serving(create_app()) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for width in (320, 390, 1200):
            page = browser.new_page(viewport={"width": width, "height": 844})
            for path in paths:
                page.goto(url + path)
                page.evaluate("document.querySelectorAll('details').forEach(told => told.open = true)")
                assert page.evaluate("document.documentElement.scrollWidth") == width, path
        browser.close()


@pytest.mark.parametrize("told", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "&lt;b&gt;", "'\"`${7*7}{{7*7}}"])
@pytest.mark.parametrize("link", ["compare?items=", "estimate_task?count=1&task=", "estimate_task?task=image-generation&count=1&", "look_up_references?query=", "check_claim?claim="])
def test_markup_in_a_link_is_text(client: TestClient, link: str, told: str) -> None:
    items = json.dumps([{"label": told, "quantity": "1 kWh"}, {"label": "b", "quantity": "2 kWh"}])
    answer = client.get(f"/ref/{link}{quote(items if link.startswith('compare') else told)}", headers={"accept": BROWSER})
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert not {"script", "img", "b"} & set(Page(answer.text).tags)
    if link.startswith("compare"):
        assert (answer.status_code, told in Page(answer.text).text) == (200, True)


@pytest.mark.parametrize(("accept", "kind"), [("*/*", "application/json"), ("application/json, text/html", "application/json"), ("text/html", "text/html; charset=utf-8"), ("", "application/json")])
def test_a_page_is_for_those_who_ask_for_one(client: TestClient, accept: str, kind: str) -> None:
    answer = client.get("/ref/estimate_task?task=image-generation&count=1000", headers={"accept": accept})
    assert answer.headers["content-type"] == kind
    assert "Accept" in answer.headers["vary"]


@pytest.mark.parametrize(
    ("ref", "status", "code"),
    [
        ("estimate_tsk?task=image-generation", 404, "unknown_tool"),
        ("estimate_task", 422, "missing_input"),
        ("estimate_task?task=image-generation&count=-1", 422, "invalid_arguments"),
        ("estimate_task?task=image-generation&count=1&" + "&".join(f"a{i}=1" for i in range(100)), 422, "bad_quantity"),
        ("estimate_task?task=" + "a" * 3000, 422, "bad_quantity"),
        ("estimate_task?count=" + "[" * 1500, 422, "missing_input"),
    ],
)
def test_a_broken_ref_is_refused(client: TestClient, ref: str, status: int, code: str) -> None:
    answer = client.get(f"/ref/{ref}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    page = client.get(f"/ref/{ref}", headers={"accept": BROWSER})
    assert (page.status_code, page.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert answer.json()["error"]["message"] in Page(page.text).text


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
def test_the_brief_form_has_the_text_the_headline_and_what_is_cited(client: TestClient, tool: Tool) -> None:
    estimate = call(tool.name, tool.example).model_dump(mode="json")
    brief = client.post(f"/brief/{tool.name}", json=dict(tool.example))
    assert brief.json() == {
        "text": estimate["text"],
        "headline": estimate["results"][0] if estimate["results"] else None,
        "verdict": estimate["verdict"],
        "citations": [citation["fact_id"] for citation in estimate["citations"]],
        "ref": estimate["ref"],
    }
    assert len(brief.content) < 3000
    description = client.get("/brief/openapi.json").json()
    schema: Any = Draft202012Validator({"$ref": "#/components/schemas/Brief", "components": description["components"]}, registry=Registry())
    schema.validate(brief.json())
    assert description["servers"] == [{"url": "/brief"}]
    assert [operation["post"]["operationId"] for operation in description["paths"].values()] == list(TOOLS)


def test_a_few_tools_can_be_served_alone() -> None:
    with TestClient(create_app(only=["estimate_task", "compare"]), base_url="http://127.0.0.1:8787") as few:
        for surface in ("tools", "brief"):
            assert list(few.get(f"/{surface}/openapi.json").json()["paths"]) == ["/estimate_task", "/compare"]
            assert few.post(f"/{surface}/estimate_task", json=dict(TOOLS["estimate_task"].example)).status_code == 200
            refused = few.post(f"/{surface}/estimate_llm", json=dict(TOOLS["estimate_llm"].example))
            assert (refused.status_code, refused.json()["error"]["code"]) == (404, "unknown_tool")
            assert "the tools are estimate_task, compare." in refused.json()["error"]["message"]
        assert few.get("/ref/estimate_llm?model=GPT-4o").status_code == 404


def test_a_tool_that_there_is_not_can_not_be_served() -> None:
    with pytest.raises(KilowhatError, match=re.escape("There is no tool 'estimate_tsk'")):
        create_app(only=["estimate_tsk"])


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
def test_a_ref_that_was_encoded_as_a_whole_is_the_same_link(client: TestClient, tool: Tool) -> None:
    ref = call(tool.name, tool.example).ref
    assert client.get(f"/ref/{quote(ref, safe='=&')}").json() == client.get(f"/ref/{ref}").json()
    assert client.get(f"/ref/{quote(ref, safe='')}").status_code == 200
