"""Every example in a docstring gives what it shows."""

import doctest
import importlib
import pkgutil
import re

import pytest

import kilowhat.manifest
import kilowhat.plugin
import kilowhat.tools

MODULES = [
    name
    for package in (kilowhat.tools, kilowhat.manifest, kilowhat.plugin)
    for name in [package.__name__, *(module.name for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."))]
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_every_tool_has_an_example():
    for name in kilowhat.tools.TOOLS:
        assert re.search(r">>> .*\bcall\(", importlib.import_module(f"kilowhat.tools.{name}").__doc__ or ""), name
