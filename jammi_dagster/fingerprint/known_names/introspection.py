"""Names and attributes by which code reads docstrings and annotations, its own or those of others."""

from __future__ import annotations

DOCSTRING_READERS = frozenset(
    [
        *("__doc__", "getdoc", "getcomments", "cleandoc"),
        # The description of a schema, of a command, of a tool.
        *("model_json_schema", "schema_json", "json_schema", "models_json_schema", "get_help", "format_help"),
        *("convert_to_openai_tool", "convert_to_openai_function"),
    ]
)
ANNOTATION_READERS = frozenset(
    [
        "__annotations__",
        "__annotate__",
        "get_type_hints",
        "get_annotations",
        "signature",
        "getfullargspec",
        "Signature",
    ]
)

# Functions that look through the module which calls them: its functions count with their docstrings.
MODULE_SCANNERS = frozenset({"ply.lex.lex", "ply.yacc.yacc", "doctest.testmod", "fire.Fire", "docopt.docopt"})
