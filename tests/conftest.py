"""Settings that all tests share."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("kilowhat", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("kilowhat")
