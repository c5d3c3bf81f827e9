"""LangChain's own standard tests on our tools and our chat model, without a network: any socket but that of an event loop is refused."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
import pytest_socket

pytest.importorskip("langchain_tests")

from langchain_core.language_models import BaseChatModel
from langchain_core.tools import BaseTool
from langchain_tests.integration_tests import ChatModelIntegrationTests, ToolsIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests, ToolsUnitTests

from kilowhat.plugin.langchain import Toolkit
from kilowhat.plugin.offline_model import OfflineModel
from kilowhat.tools import TOOLS


@pytest.fixture(autouse=True)
def _no_network() -> Iterator[None]:
    pytest_socket.disable_socket(allow_unix_socket=True)
    yield
    pytest_socket.enable_socket()


def test_the_network_is_out_of_reach() -> None:
    with pytest.raises((pytest_socket.SocketBlockedError, UserWarning), match="socket"):
        socket.create_connection(("127.0.0.1", 9))


class TestOfflineModel(ChatModelUnitTests):
    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return OfflineModel


class TestOfflineModelIntegration(ChatModelIntegrationTests):
    """Tools and schemas of others are not its subject: it calls ours alone."""

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return OfflineModel

    @property
    def has_tool_calling(self) -> bool:
        return False

    @property
    def has_structured_output(self) -> bool:
        return False


class EveryTool:
    @pytest.fixture(autouse=True, params=list(TOOLS))
    def _named(self, request: pytest.FixtureRequest) -> None:
        self.name = request.param

    @property
    def tool_constructor(self) -> BaseTool:
        return next(tool for tool in Toolkit().get_tools() if tool.name == self.name)

    @property
    def tool_invoke_params_example(self) -> dict[str, Any]:
        return dict(TOOLS[self.name].example)


class TestToolUnits(EveryTool, ToolsUnitTests):
    pass


class TestToolIntegration(EveryTool, ToolsIntegrationTests):
    pass
