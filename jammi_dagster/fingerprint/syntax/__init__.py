"""One module's syntax tree: its scopes, uses, functions and load effects."""
