"""Open WebUI asks: a person types into its page in Chromium, and its server takes our tools and our model.

Heavy, so by hand, with a gigabyte of packages. In an environment of its own, without what runs models locally:

    python -m venv owui && owui/bin/pip install uv
    printf '%s\\n' torch sentence-transformers faster-whisper transformers accelerate onnxruntime \\
        opencv-python-headless ctranslate2 rapidocr-onnxruntime playwright > owui/without.txt
    VIRTUAL_ENV=owui owui/bin/uv pip install open-webui --excludes owui/without.txt
    pip install playwright                           # here; and a chromium, such as apt's
    OPEN_WEBUI=$PWD/owui/bin/open-webui pytest -m heavy tests/test_open_webui.py
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from kilowhat.plugin import ask
from kilowhat.plugin.http import create_app

PROGRAM = os.environ.get("OPEN_WEBUI", "")
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome") or ""
QUESTION = "How much energy do 1000 image generations use?"
KEY = "open sesame"

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(not PROGRAM, reason="OPEN_WEBUI names no program; the recipe stands above"),
    pytest.mark.filterwarnings("default"),
]


@pytest.fixture(scope="module")
def page_url(serving: Callable[[Any], AbstractContextManager[str]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("open-webui")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    everyone = {"enable": True, "access_grants": [{"principal_type": "user", "principal_id": "*", "permission": "read"}]}
    with serving(create_app(key=KEY)) as url:
        tools = [
            {"type": "openapi", "url": f"{url}/{surface}", "path": "openapi.json", "auth_type": "bearer", "key": KEY, "config": everyone, "info": {"id": surface, "name": surface, "description": ""}}
            for surface in ("tools", "brief")
        ]
        environment = {
            **os.environ,
            "WEBUI_AUTH": "False",
            "OFFLINE_MODE": "true",
            "HF_HUB_OFFLINE": "1",
            "ENABLE_OLLAMA_API": "false",
            "OPENAI_API_BASE_URL": f"{url}/v1",
            "OPENAI_API_KEY": KEY,
            "RAG_EMBEDDING_ENGINE": "openai",
            "BYPASS_EMBEDDING_AND_RETRIEVAL": "true",
            "ENABLE_PERSISTENT_CONFIG": "false",
            "WEBUI_SECRET_KEY": "of one test",
            "DATA_DIR": str(folder),
            "TOOL_SERVER_CONNECTIONS": json.dumps(tools),
        }
        command = [PROGRAM, "serve", "--host", "127.0.0.1", "--port", str(port)]
        with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            assert process.stdout is not None
            ready = threading.Event()
            lines: list[str] = []

            def read() -> None:
                for line in process.stdout or ():
                    lines.append(line)
                    if "Initialized 2 tool server" in line:
                        ready.set()

            reader = threading.Thread(target=read)
            reader.start()
            try:
                assert ready.wait(120), "".join(lines[-20:])
                yield f"http://127.0.0.1:{port}"
            finally:
                process.terminate()
                process.wait(30)
                reader.join(30)


@pytest.fixture(scope="module")
def api(page_url: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=page_url, timeout=60, transport=httpx2.HTTPTransport(retries=5)) as client:
        token = client.post("/api/v1/auths/signin", json={"email": "", "password": ""}).json()["token"]
        client.headers["authorization"] = f"Bearer {token}"
        yield client


def test_the_model_and_the_tool_servers_are_offered(api: httpx2.Client) -> None:
    assert "kilowhat" in [model["id"] for model in api.get("/api/models").json()["data"]]
    assert {"server:tools", "server:brief"} <= {tool["id"] for tool in api.get("/api/v1/tools/").json()}


def test_a_person_asks_in_the_page_and_reads_the_answer(page_url: str, api: httpx2.Client) -> None:
    from playwright.sync_api import expect, sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"{page_url}/?models=kilowhat")
        page.get_by_role("dialog").get_by_role("button", name="Let's Go").click()
        page.locator("#chat-input").click()
        page.keyboard.type(QUESTION)
        page.keyboard.press("Enter")
        answer = page.locator("#response-content-container")
        expect(answer).to_contain_text(ask(QUESTION).text.partition(" for ")[0].replace("**", ""), timeout=60_000)
        expect(answer).to_contain_text("Power Hungry Processing", timeout=60_000)
        expect(page.get_by_text("And in France?")).to_be_visible(timeout=60_000)
        expect(page.get_by_text("How much energy do 1000 image …").first).to_be_attached(timeout=60_000)
        browser.close()
    (chat,) = api.get("/api/v1/chats/").json()
    assert chat["title"] == "How much energy do 1000 image …"
    told = api.get(f"/api/v1/chats/{chat['id']}").json()
    assert told["meta"]["tags"] == ["electricity", "image-generation"]
