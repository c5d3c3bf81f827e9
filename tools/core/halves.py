"""Half of a unit in words, as digits: half a litre, un demi-litre, 半升."""

from __future__ import annotations

import re

from kilowhat.tools.core.patterns import Late

_HALF = Late(
    r"(?:\bhalf an?|\b(?:un )?demi(?=[- ])-?|\bmedio|\b(?:ein(?:en)? )?halb(?:en|er|es)?)\s*(?=(?:litres?|liters?|litros?|gallons?|kilos?|kg|kWh|Wh|watt|Watt|Kilowatt|Gramm|grams?|grammes?|gramos?|tonnes?|Tonnen?|tonelada)\b)|半(?=升|公升|度|千瓦|公斤|吨|噸)",
    re.IGNORECASE,
    needs=("half a", "demi", "medio", "halb", "半"),
)
"""Half of a unit, in words."""


def with_halves(text: str) -> str:
    """Return a text with half of a unit in digits.

    >>> with_halves("half a litre, half a day"), with_halves("un demi-litre")
    ('0.5 litre, half a day', '0.5 litre')
    """
    return _HALF.sub("0.5 ", text)
