"""LangChain's own standard tests on our tools and our chat model."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("langchain_tests")

from langchain_core.language_models import BaseChatModel
from langchain_core.tools import BaseTool
from langchain_tests.integration_tests import ToolsIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests, ToolsUnitTests

from kilowhat.plugin.langchain import Toolkit
from kilowhat.plugin.offline_model import OfflineModel
from kilowhat.tools import TOOLS


class TestOfflineModel(ChatModelUnitTests):
    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return OfflineModel


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
