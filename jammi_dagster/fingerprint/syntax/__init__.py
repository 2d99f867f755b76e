"""The syntax tree of one module: its scopes, uses, functions and load effects."""
