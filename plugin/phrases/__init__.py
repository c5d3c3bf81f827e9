"""What answers say, one file a language."""
