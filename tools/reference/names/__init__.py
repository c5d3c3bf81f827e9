"""The things that people name, with their other spellings, one file a kind."""
