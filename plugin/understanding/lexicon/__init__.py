"""The words that carry a sense, one file a language, and the compiled lexicon.json."""
