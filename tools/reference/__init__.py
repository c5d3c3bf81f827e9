"""The reference library: YAML that people write, and the compiled library.json that runs."""
