"""The offline model through the clients of OpenAI's API: the openai SDK and LangChain's ChatOpenAI, over a socket."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import httpx2
import openai
import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_openai import ChatOpenAI
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from kilowhat.plugin import ask
from kilowhat.plugin.http import create_app
from kilowhat.plugin.http.background import answer_task
from kilowhat.plugin.phrases.load import phrases

QUESTION = "How much energy do 1000 image generations use?"
KEY = "open sesame"


@pytest.fixture(scope="module")
def base_url(serving: Callable[[Any], AbstractContextManager[str]]) -> Iterator[str]:
    with serving(create_app(key=KEY)) as url:
        yield f"{url}/v1"


@pytest.fixture(scope="module")
def client(base_url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=base_url, api_key=KEY, max_retries=0, timeout=20) as client:
        yield client


def create(client: openai.OpenAI, content: Any, **told: Any) -> ChatCompletion:
    """Return the completion that a message gets."""
    found: ChatCompletion = client.chat.completions.create(model="kilowhat", messages=[{"role": "user", "content": content}], **told)
    return found


def test_the_models_are_ours_alone(client: openai.OpenAI) -> None:
    (model,) = client.models.list().data
    assert (model.id, model.object, model.owned_by) == ("kilowhat", "model", "kilowhat")
    assert client.models.retrieve("kilowhat") == model
    with pytest.raises(openai.NotFoundError) as refused:
        client.models.retrieve("gpt-4o")
    assert refused.value.code == "model_not_found"


@pytest.mark.parametrize("content", [QUESTION, [{"type": "text", "text": QUESTION}], "生成1000张图片要用多少电？", "What is the capital of Peru?"])
def test_a_completion_is_the_text_of_ask(client: openai.OpenAI, content: Any) -> None:
    completion = create(client, content)
    ChatCompletion.model_validate(completion.to_dict(), strict=True)
    (choice,) = completion.choices
    text = content if isinstance(content, str) else content[0]["text"]
    assert (choice.message.role, choice.message.content, choice.finish_reason) == ("assistant", ask(text).text, "stop")
    assert completion.usage is not None
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens > 0


def test_a_conversation_is_answered_from_what_it_holds(client: openai.OpenAI) -> None:
    turns: Any = [
        {"role": "system", "content": "You are a pirate."},
        {"role": "user", "content": QUESTION},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "type": "function", "function": {"name": "estimate_task", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "1", "content": "2.9 kWh"},
        {"role": "assistant", "content": "About 2.9 kWh."},
        {"role": "user", "content": "And in France?"},
    ]
    completion = client.chat.completions.create(model="kilowhat", messages=turns)
    assert "France" in str(completion.choices[0].message.content).partition("\n")[0]
    assert completion.choices[0].message.content == ask([QUESTION, {"role": "assistant", "content": "About 2.9 kWh."}, "And in France?"]).text


@pytest.mark.parametrize("with_usage", [True, False])
def test_a_streamed_completion_is_the_plain_one_in_pieces(client: openai.OpenAI, with_usage: bool) -> None:
    plain = create(client, QUESTION)
    options: Any = {"stream_options": {"include_usage": True}} if with_usage else {}
    chunks = list(client.chat.completions.create(model="kilowhat", messages=[{"role": "user", "content": QUESTION}], stream=True, **options))
    for chunk in chunks:
        ChatCompletionChunk.model_validate(chunk.to_dict(), strict=True)
    assert len({chunk.id for chunk in chunks}) == 1
    if with_usage:
        assert (chunks[-1].choices, chunks[-1].usage) == ([], plain.usage)
        chunks.pop()
    assert all(chunk.usage is None for chunk in chunks)
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * (len(chunks) - 1) + ["stop"]
    assert len(chunks) > 20
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == plain.choices[0].message.content


def test_the_streaming_helper_of_the_sdk_reads_the_stream(client: openai.OpenAI) -> None:
    with client.chat.completions.stream(model="kilowhat", messages=[{"role": "user", "content": QUESTION}]) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_completion()
    assert {"content.delta", "content.done"} <= kinds
    assert final.choices[0].message.content == ask(QUESTION).text


def test_what_is_not_used_is_let_pass(client: openai.OpenAI) -> None:
    tool: Any = {"type": "function", "function": {"name": "delete_everything", "parameters": {"type": "object", "$ref": "http://127.0.0.1:9/schema", "properties": {}}}}
    completion = create(client, QUESTION, tools=[tool], tool_choice="required", temperature=2, max_tokens=5, seed=1, user="someone", extra_body={"chat_id": "x", "params": {}})
    assert (completion.choices[0].message.content, completion.choices[0].message.tool_calls) == (ask(QUESTION).text, None)


@pytest.mark.parametrize(
    ("body", "error", "code", "param"),
    [
        ({"model": "gpt-4o"}, openai.NotFoundError, "model_not_found", "model"),
        ({"messages": []}, openai.BadRequestError, "invalid_arguments", "messages"),
        ({"messages": [{"role": "assistant", "content": "Good day."}]}, openai.BadRequestError, "missing_input", "messages"),
        ({"messages": [{"role": "user", "content": 3}]}, openai.BadRequestError, "invalid_arguments", "messages.0"),
        ({"messages": [{"content": "hi"}]}, openai.BadRequestError, "invalid_arguments", "messages.0"),
        ({"messages": [{"role": "user", "content": "\ud83d"}]}, openai.BadRequestError, "invalid_arguments", "messages.0.content.str"),
        ({"messages": [{"role": "user", "content": "a" * 1_000_000}]}, openai.APIStatusError, "too_large", None),
        ({"n": 3}, openai.BadRequestError, "invalid_arguments", "n"),
        ({"stream": "perhaps"}, openai.BadRequestError, "invalid_arguments", "stream"),
    ],
)
def test_a_refusal_has_the_shape_that_clients_read(client: openai.OpenAI, body: dict[str, Any], error: type[openai.APIStatusError], code: str, param: str | None) -> None:
    content = json.dumps({"model": "kilowhat", "messages": [{"role": "user", "content": QUESTION}], **body})
    with pytest.raises(error) as refused:
        client.post("/chat/completions", body=None, content=content.encode(), options={"headers": {"content-type": "application/json"}}, cast_to=ChatCompletion)
    assert (refused.value.code, refused.value.param, refused.value.type) == (code, param, "invalid_request_error")
    assert refused.value.body.keys() == {"message", "type", "param", "code"}  # type: ignore[attr-defined]


def test_a_wrong_key_is_told_as_one(base_url: str) -> None:
    with openai.OpenAI(base_url=base_url, api_key="wrong", max_retries=0) as client, pytest.raises(openai.AuthenticationError) as refused:
        client.models.list()
    assert refused.value.code == "unauthorized"


@pytest.mark.parametrize("path", ["/v1/responses", "/v1/embeddings", "/v1/completions", "/v1/nothing"])
def test_what_is_not_served_is_not_found_in_the_same_shape(base_url: str, path: str) -> None:
    answer = httpx2.post(base_url.removesuffix("/v1") + path, json={}, headers={"authorization": f"Bearer {KEY}"})
    assert (answer.status_code, answer.json()["error"]["code"], answer.json()["error"]["type"]) == (404, "not_found", "invalid_request_error")


def test_langchain_talks_to_it_as_to_any_model(base_url: str) -> None:
    model = ChatOpenAI(base_url=base_url, api_key=KEY, model="kilowhat", max_retries=0)  # type: ignore[arg-type]
    told = [HumanMessage(QUESTION), AIMessage("About 2.9 kWh."), HumanMessage("And in France?")]
    whole = model.invoke(told)
    assert "France" in str(whole.text)
    assert whole.usage_metadata is not None
    assert "".join(str(chunk.text) for chunk in model.stream(told)) == whole.text


CHAT = f"USER: {QUESTION}\nASSISTANT: **2.9 kWh** of electricity.\nSecond line."
TASKS = {
    "title": '### Task:\nGenerate a concise title summarizing the chat history.\n### Output:\nJSON format: { "title": "your concise title here" }\n### Examples:\n- { "title": "Stock Trends" }\n',
    "tags": '### Task:\nGenerate 1-3 broad tags categorizing the main themes.\n### Output:\nJSON format: { "tags": ["tag1", "tag2", "tag3"] }\n',
    "follow_ups": '### Task:\nPredict 3-5 useful messages this user might send next.\n### Output:\nJSON format: { "follow_ups": ["Suggested next message 1", "2"] }\n',
    "queries": '### Task:\nAnalyze the chat history to determine the necessity of search queries.\n### Output:\nStrictly return in JSON format: \n{\n  "queries": ["query1"]\n}\n',
}


def task(name: str, chat: str = CHAT) -> str:
    return f"{TASKS[name]}### Chat History:\n<chat_history>\n{chat}\n</chat_history>"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("title", "How much energy do 1000 image …"),
        ("tags", ["Electricity", "Image-generation"]),
        ("follow_ups", ["And in France?", "And the carbon of it?", "And the water of it?"]),
        ("queries", []),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
def test_what_a_chat_page_asks_on_its_own_is_answered_without_an_estimate(client: openai.OpenAI, name: str, expected: Any, stream: bool) -> None:
    told: Any = {"model": "kilowhat", "messages": [{"role": "user", "content": task(name)}], "stream": stream}
    text = "".join(chunk.choices[0].delta.content or "" for chunk in client.chat.completions.create(**told)) if stream else client.chat.completions.create(**told).choices[0].message.content
    assert json.loads(text) == {name: expected}


@pytest.mark.parametrize(
    "question",
    [
        "生成1000張圖片要用多少電？",
        "生成1000张图片要用多少电？",
        "Quelle énergie consomment 1000 images générées ?",
        "Wie viel Strom verbrauchen 1000 Bilder?",
        "¿Cuánta energía consumen 1000 imágenes?",
        "画像を1000枚生成すると電力はどれくらい？",
    ],
)
def test_what_could_come_next_is_asked_in_the_language_of_the_chat_and_can_be_answered(question: str) -> None:
    first = ask(question)
    found = json.loads(answer_task(task("follow_ups", f"USER: {question}\nASSISTANT: {first.text}")) or "")["follow_ups"]
    assert len(found) == 3
    own = {phrases(first.language).get("follow_ups", name) for name in ("place", "emissions", "water", "things")}
    assert set(found) < own
    for text in found:
        assert ask([question, {"role": "assistant", "content": first.text}, text]).outcome == "answered"


@pytest.mark.parametrize("chat", ["USER: What is the capital of Peru?\nASSISTANT: I can't say.", "ASSISTANT: Good day.", "", "no turns at all", "USER: " + "a" * 5000])
def test_a_chat_about_nothing_of_ours_has_plain_answers(chat: str) -> None:
    assert json.loads(answer_task(task("tags", chat)) or "") == {"tags": ["General"]}
    assert json.loads(answer_task(task("follow_ups", chat)) or "") == {"follow_ups": []}
    assert len(json.loads(answer_task(task("title", chat)) or "")["title"]) <= 50


def test_a_question_behind_documents_is_answered_and_the_documents_are_not(client: openai.OpenAI) -> None:
    text = f'### Task:\nRespond to the user query using the provided context.\n<context>\n<source id="1">Energy of 5 million videos in Norway</source>\n</context>\n\n{QUESTION}'
    assert create(client, text).choices[0].message.content == ask(QUESTION).text


@pytest.mark.parametrize("text", [QUESTION, "### Task: the energy of 1000 images", "Generate a title: <chat_history> 1000 images </chat_history>"])
def test_a_question_is_no_background_task(text: str) -> None:
    assert answer_task(text) is None
