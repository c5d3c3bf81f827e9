"""The server gives what Python gives: the same estimates, replies and refusals, as JSON."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator
from referencing import Registry

from kilowhat.manifest import DIALECTS, load
from kilowhat.plugin import ask
from kilowhat.plugin.http import create_app, serve
from kilowhat.plugin.http.limits import Limits
from kilowhat.tools import TOOLS, Estimate, KilowhatError, Library, Tool, call
from kilowhat.tools.core.registry import CATALOG
from kilowhat.tools.core.tool import Arguments

HOME = "http://127.0.0.1:8787"
QUESTION = "How much energy do 1000 image generations use?"

REFUSED = [
    pytest.param("estimate_task", {"task": "image-generation", "count": -1}, id="negative"),
    pytest.param("estimate_task", {"task": "image-generation", "count": True}, id="a truth is no number"),
    pytest.param("estimate_task", {"task": "image-generation", "count": "1000"}, id="a text is no number"),
    pytest.param("estimate_task", {"task": "image-generation", "count": 10**400}, id="too large for a float"),
    pytest.param("estimate_task", {"task": "imge-generation", "count": 1}, id="unknown task"),
    pytest.param("estimate_task", {"task": "image-generation", "count": 1, "region": "Atlantis"}, id="unknown place"),
    pytest.param("estimate_task", {"task": "image-generation", "count": 1, "region": "\ud800"}, id="half a character"),
    pytest.param("estimate_task", {}, id="missing"),
    pytest.param("estimate_lifecycle", {"embodied": "1 kg CO2e", "training": "1 kg CO2e", "requests": 5e-324}, id="too small to divide by"),
    pytest.param("estimate_task", [1, 2], id="no object"),
    pytest.param("estimate_task", None, id="null"),
    pytest.param("convert_energy_to_emissions", {"energy": "3 litres"}, id="wrong dimension"),
    *(pytest.param(tool.name, {**tool.example, "no_such_argument\ud83d": 1}, id=f"{tool.name}: extra argument") for tool in TOOLS.values()),
]

BROKEN = [
    pytest.param(b"", 400, "invalid_json", id="nothing"),
    pytest.param(b"{", 400, "invalid_json", id="half an object"),
    pytest.param(b"\xff\xfe", 400, "invalid_json", id="no UTF-8"),
    pytest.param(b'{"task": "image-generation", "count": NaN}', 400, "invalid_json", id="nan"),
    pytest.param(b'{"task": "image-generation", "count": -Infinity}', 400, "invalid_json", id="infinity"),
    pytest.param(b'{"task": "image-generation", "count": 1e400}', 422, "invalid_arguments", id="overflow"),
    pytest.param(b'{"task": "image-generation", "count": ' + b"9" * 5000 + b"}", 400, "invalid_json", id="five thousand digits"),
    pytest.param(b"[" * 100_000, 400, "invalid_json", id="a hundred thousand brackets"),
    pytest.param(b'{"task": ' + b"[" * 64 + b"]" * 64 + b', "count": 1}', 400, "invalid_json", id="one bracket too many"),
    pytest.param(b'{"task": ' + b"[" * 63 + b"]" * 63 + b', "count": 1}', 422, "invalid_arguments", id="sixty-four brackets"),
    pytest.param(b'{"task": "' + b"[" * 900 + b'", "count": 1}', 422, "invalid_arguments", id="nine hundred brackets in a text"),
    pytest.param(b'{"task": "' + b"a" * Limits.body_bytes + b'"}', 413, "too_large", id="a megabyte"),
]


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(create_app(), base_url=HOME) as client:
        yield client


@pytest.fixture(scope="module")
def locked() -> Iterator[TestClient]:
    with TestClient(create_app(key="open sesame"), base_url=HOME) as client:
        yield client


def is_error(answer: Any, status: int, code: str) -> bool:
    error = answer.json()["error"]
    return answer.status_code == status and error["code"] == code and error.keys() == {"code", "message", "field", "nearest"} and bool(error["message"])


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
def test_a_call_gives_the_estimate_that_python_gives(client: TestClient, tool: Tool) -> None:
    answer = client.post(f"/tools/{tool.name}", json=dict(tool.example))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == call(tool.name, tool.example).model_dump(mode="json")


@pytest.mark.parametrize(("name", "arguments"), REFUSED)
def test_a_refusal_has_the_code_and_the_words_of_the_call(client: TestClient, name: str, arguments: Any) -> None:
    with pytest.raises(KilowhatError) as refused:
        call(name, arguments)
    answer = client.post(f"/tools/{name}", content=json.dumps(arguments), headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert answer.json() == refused.value.as_dict()


@pytest.mark.parametrize("name", ["estimate_tsk", "estimate_task/", "", "nothing/at/all", "%2e%2e", "estimate_task%00"])
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_an_unknown_tool_is_not_found_and_the_nearest_are_named(client: TestClient, method: str, name: str) -> None:
    answer = client.request(method, f"/tools/{name}", json={})
    assert is_error(answer, 404, "unknown_tool")
    if name.startswith("estimate_t"):
        assert "estimate_task" in answer.json()["error"]["nearest"]


@pytest.mark.parametrize(("body", "status", "code"), BROKEN)
def test_a_broken_body_is_refused(client: TestClient, body: bytes, status: int, code: str) -> None:
    assert is_error(client.post("/tools/estimate_task", content=body, headers={"content-type": "application/json; charset=utf-8"}), status, code)


def test_a_body_in_pieces_is_measured_too(client: TestClient) -> None:
    pieces = (b" " * 100_000 for _ in range(20))
    assert is_error(client.post("/tools/estimate_task", content=pieces, headers={"content-type": "application/json"}), 413, "too_large")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonp"])
def test_a_body_that_is_not_told_as_json_is_refused(client: TestClient, content_type: str) -> None:
    assert is_error(client.post("/tools/estimate_task", content=b"{}", headers={"content-type": content_type}), 415, "unsupported_media_type")


@pytest.mark.parametrize(("method", "path"), [("GET", "/tools/estimate_task"), ("DELETE", "/tools/estimate_task"), ("GET", "/ask"), ("POST", "/health")])
def test_a_wrong_method_is_refused(client: TestClient, method: str, path: str) -> None:
    answer = client.request(method, path)
    assert is_error(answer, 405, "method_not_allowed")
    assert answer.headers["allow"]


def test_an_unknown_path_is_not_found(client: TestClient) -> None:
    assert is_error(client.get("/nothing"), 404, "not_found")


class Told(Arguments):
    secret: str


def fails(arguments: Told, library: Library) -> Estimate:
    raise ZeroDivisionError(f"{arguments.secret} at {library!r}")


def test_a_fault_of_ours_is_told_and_logged_without_internals_and_arguments(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    faulty = Tool(name="faulty", title="", description="Fails.", arguments=Told, run=fails, example={})
    monkeypatch.setattr(CATALOG, "_loaded", {**CATALOG, "faulty": faulty})
    monkeypatch.setattr(CATALOG, "_names", (*CATALOG, "faulty"))
    with TestClient(create_app(), base_url=HOME) as client, caplog.at_level(logging.DEBUG):
        answer = client.post("/tools/faulty", json={"secret": "Rumpelstiltskin"})
    assert is_error(answer, 500, "internal_error")
    assert "Rumpelstiltskin" not in answer.text
    assert "ZeroDivisionError" not in answer.text
    assert "ZeroDivisionError in fails" in caplog.text
    assert "Rumpelstiltskin" not in caplog.text


def test_the_description_has_one_operation_for_each_tool_and_nothing_else(client: TestClient) -> None:
    description = client.get("/tools/openapi.json").json()
    assert description["servers"] == [{"url": "/tools"}]
    operations = {path: operation for path, methods in description["paths"].items() for method, operation in methods.items() if method == "post"}
    assert [operation["operationId"] for operation in operations.values()] == list(TOOLS)
    assert sum(len(methods) for methods in description["paths"].values()) == len(TOOLS)
    for name, tool in TOOLS.items():
        operation = operations[f"/{name}"]
        assert (operation["summary"], operation["description"]) == (tool.title, tool.description)
        assert operation["responses"]["200"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Estimate"}


def test_the_server_describes_its_own_routes_without_the_tools(client: TestClient) -> None:
    assert client.get("/openapi.json").json()["paths"].keys() == {
        "/health",
        "/manifest",
        "/manifest/{dialect}",
        "/ask",
        "/ref/{tool}",
        "/references",
        "/references/{reference_id}",
    }


@pytest.mark.parametrize("path", ["/openapi.json", "/tools/openapi.json"])
def test_a_description_names_the_key_where_one_is_wanted(client: TestClient, locked: TestClient, path: str) -> None:
    assert "securitySchemes" not in client.get(path).text
    assert locked.get(path, headers={"authorization": "Bearer open sesame"}).json()["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
def test_the_schema_of_a_body_takes_the_example_and_refuses_an_extra_argument(client: TestClient, tool: Tool) -> None:
    body = client.get("/tools/openapi.json").json()["paths"][f"/{tool.name}"]["post"]["requestBody"]["content"]["application/json"]
    assert "$ref" not in json.dumps(body)
    assert body["example"] == dict(tool.example)
    schema: Any = Draft202012Validator(body["schema"], registry=Registry())
    assert schema.is_valid(body["example"])
    assert not schema.is_valid({**body["example"], "no_such_argument": 1})


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
def test_an_answer_keeps_to_the_schema_that_describes_it(client: TestClient, tool: Tool) -> None:
    description = client.get("/tools/openapi.json").json()
    schema: Any = Draft202012Validator({"$ref": "#/components/schemas/Estimate", "components": description["components"]}, registry=Registry())
    schema.validate(client.post(f"/tools/{tool.name}", json=dict(tool.example)).json())


@pytest.mark.parametrize(
    "body",
    [
        {"question": QUESTION},
        {"question": QUESTION, "region": "FR"},
        {"question": QUESTION, "messages": None},
        {"question": "生成1000张图片要用多少电？"},
        {"question": "What is the capital of Peru?"},
        {"messages": [{"role": "user", "content": QUESTION}]},
        {"messages": [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": "About 2.9 kWh."}, {"role": "user", "content": [{"type": "text", "text": "And in France?"}]}]},
    ],
)
def test_a_question_gives_the_reply_that_python_gives(client: TestClient, body: dict[str, Any]) -> None:
    answer = client.post("/ask", json=body)
    assert answer.status_code == 200
    assert answer.json() == ask(body.get("question") or body["messages"], region=body.get("region")).model_dump(mode="json")


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({}, "missing_input", "question"),
        ({"question": QUESTION, "messages": [{"role": "user", "content": QUESTION}]}, "missing_input", "question"),
        ({"messages": []}, "missing_input", "messages"),
        ({"messages": [{"role": "assistant", "content": "Good day."}]}, "missing_input", "messages"),
        ({"messages": ["Good day."]}, "invalid_arguments", "messages.0"),
        ({"question": "a" * 100_001}, "invalid_arguments", "question"),
        ({"messages": [{"role": "user", "content": "a" * 100_001}]}, "invalid_arguments", "messages.0.content.str"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "a" * 60_000}] * 2}]}, "invalid_arguments", "question"),
        ({"messages": [{"role": "user", "content": "half a character: \ud83d"}]}, "invalid_arguments", "messages.0.content.str"),
        ({"question": "half a character: \ud83d"}, "invalid_arguments", "question"),
        ({"question": 3}, "invalid_arguments", "question"),
        ({"question": QUESTION, "model": "openai:gpt"}, "invalid_arguments", "model"),
        ([], "invalid_arguments", None),
    ],
)
def test_what_is_no_question_is_refused(client: TestClient, body: Any, code: str, field: str | None) -> None:
    answer = client.post("/ask", content=json.dumps(body), headers={"content-type": "application/json"})
    assert is_error(answer, 422, code)
    assert answer.json()["error"]["field"] == field


def test_a_fact_comes_with_its_source(client: TestClient) -> None:
    citation = call("estimate_task", {"task": "image-generation", "count": 1}).citations[0]
    found = client.get(f"/references/{citation.fact_id}").json()
    assert found["fact"]["printed"] == citation.printed
    assert found["source"]["title"] == citation.source.title


def test_a_claim_comes_with_its_verdict_and_source(client: TestClient) -> None:
    library = Library.load()
    claim = library.claim(library.claims[0])
    found = client.get(f"/references/{claim.id}").json()
    assert found["claim"]["verdict"] == claim.verdict
    assert found["source"]["id"] == claim.source


def test_an_unknown_reference_is_not_found_and_the_nearest_are_named(client: TestClient) -> None:
    known = call("estimate_task", {"task": "image-generation", "count": 1}).citations[0].fact_id
    answer = client.get(f"/references/{known}x")
    assert is_error(answer, 404, "unknown_name")
    assert known in answer.json()["error"]["nearest"]


def test_a_search_is_the_tool_that_looks_up(client: TestClient) -> None:
    answer = client.get("/references", params={"query": "GPT-3 training energy", "limit": 2})
    assert answer.json() == call("look_up_references", {"query": "GPT-3 training energy", "limit": 2}).model_dump(mode="json")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({}, "missing_input"),
        ({"query": "GPT-3", "limit": "many"}, "invalid_arguments"),
        ({"query": "GPT-3", "limit": "0"}, "invalid_arguments"),
        ({"query": "GPT-3", "page": "2"}, "invalid_arguments"),
    ],
)
def test_a_search_is_refused_like_the_tool(client: TestClient, query: dict[str, str], code: str) -> None:
    assert is_error(client.get("/references", params=query), 422, code)


def test_the_manifest_is_served_as_it_ships(client: TestClient) -> None:
    index = client.get("/manifest").json()
    assert index["dialects"].keys() == set(DIALECTS)
    for dialect, path in index["dialects"].items():
        assert client.get(path).json() == load(dialect)
    assert client.get(index["openapi"]).status_code == 200


def test_an_unknown_dialect_is_not_found_and_the_known_ones_are_named(client: TestClient) -> None:
    answer = client.get("/manifest/opnai")
    assert is_error(answer, 404, "unknown_name")
    assert "openai" in answer.json()["error"]["nearest"]


def test_health_names_the_versions_of_the_numbers(client: TestClient) -> None:
    estimate = call("estimate_task", {"task": "image-generation", "count": 1})
    assert client.get("/health").json() == {"status": "ok", "method_version": estimate.method_version, "data_version": estimate.data_version}


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer"}, {"authorization": "Bearer open sesam"}, {"authorization": "Basic open sesame"}, {"authorization": "Bearer öffne".encode()}])
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/ask"), ("POST", "/tools/estimate_task"), ("GET", "/tools/openapi.json"), ("GET", "/openapi.json"), ("GET", "/references"), ("GET", "/nothing"), ("GET", "/manifest/../openapi.json")],
)
def test_without_the_key_a_locked_server_tells_nothing(locked: TestClient, method: str, path: str, headers: dict[str, Any]) -> None:
    answer = locked.request(method, path, json={"question": QUESTION}, headers=headers)
    assert is_error(answer, 401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_with_the_key_a_locked_server_answers_under_any_name(locked: TestClient) -> None:
    headers = {"authorization": "bearer open sesame", "host": "box.lan:8765"}
    assert locked.post("/ask", json={"question": QUESTION}, headers=headers).status_code == 200
    assert locked.post("/tools/estimate_task", json={"task": "image-generation", "count": 1}, headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/health", "/manifest", "/manifest/openai"])
def test_health_and_manifest_need_no_key(locked: TestClient, path: str) -> None:
    assert locked.get(path).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8765", "127.0.0.1.evil.example", "", "[", "[::1"])
def test_without_a_key_no_name_but_this_machines_is_served(client: TestClient, host: str) -> None:
    assert is_error(client.get("/health", headers={"host": host}), 400, "forbidden_host")


@pytest.mark.parametrize("host", ["localhost", "localhost:8765", "127.0.0.1:1", "[::1]", "[::1]:8765"])
def test_the_names_of_this_machine_are_served(client: TestClient, host: str) -> None:
    assert client.get("/health", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost.evil.example", "file://"])
@pytest.mark.parametrize("path", ["/ask", "/tools/estimate_task"])
def test_a_page_of_another_origin_may_not_post(client: TestClient, path: str, origin: str) -> None:
    answer = client.post(path, json={"question": QUESTION}, headers={"origin": origin})
    assert is_error(answer, 403, "forbidden_origin")
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("origin", ["http://localhost:3000", "http://127.0.0.1", "http://[::1]:8080"])
def test_a_page_of_this_machine_may_post_and_read(locked: TestClient, origin: str) -> None:
    asked = {"origin": origin, "access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}
    preflight = locked.options("/tools/estimate_task", headers=asked)
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == origin
    answer = locked.post("/tools/estimate_task", json={"task": "image-generation", "count": 1}, headers={"origin": origin, "authorization": "Bearer open sesame"})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == origin


@pytest.mark.parametrize("key", [None, ""])
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "box.lan", ""])
def test_without_a_key_nobody_else_is_served(host: str, key: str | None) -> None:
    with pytest.raises(KilowhatError, match="key"):
        serve(create_app, host=host, port=0, key=key)
