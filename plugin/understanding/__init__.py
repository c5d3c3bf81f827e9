"""From a question to tool calls: normalise, recognise, slots, plan."""

LANGUAGES = "English, Chinese (simplified or traditional), French, German, Spanish or Japanese"
"""The languages in which a question is read, each with a file in ``lexicon``."""
