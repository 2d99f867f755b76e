"""Names that a library looks up from a text: `df.query("x > @LIMIT")`, `pydoc.locate("a.b")`.

Each function is listed with the position and the name of the argument that holds the text, and the way in which names
stand in it.
"""

from __future__ import annotations

from typing import NamedTuple

from jammi_dagster.fingerprint.known_names import ANY

AT = "at"  # only names behind an `@`
SQL = "sql"  # tables of a query: variables, never functions or classes
EVERY = "every"  # every name
DOTTED = "dotted"  # the whole text is a dotted path
WORDS = "words"  # none: a part of a query, which may ask for the clock
TEMPLATE = "template"  # none: a template, which may run code


class TextArgument(NamedTuple):
    """The argument that holds a text, and how names stand in it. `is_sure`: a computed text hides names for certain."""

    position: int
    name: str | None
    style: str
    is_sure: bool = True


_EXPRESSION = TextArgument(0, "expr", EVERY)
_QUERY = TextArgument(0, "query", SQL)
_PATH = TextArgument(0, None, DOTTED)

TEXT_ARGUMENTS: dict[str, TextArgument] = {
    "pandas.eval": _EXPRESSION,
    "pandas.core.computation.api.eval": _EXPRESSION,
    "numexpr.evaluate": TextArgument(0, "ex", EVERY),
    "numexpr.validate": TextArgument(0, "ex", EVERY),
    "duckdb.sql": _QUERY,
    "duckdb.query": _QUERY,
    "duckdb.execute": _QUERY,
    "duckdb.from_query": _QUERY,
    "duckdb.query_df": TextArgument(2, "sql_query", SQL),
    "polars.sql": _QUERY,
    "fugue.fsql": _QUERY,
    "fugue.api.fugue_sql": _QUERY,
    "fugue.api.fugue_sql_flow": _QUERY,
    "pandasql.sqldf": _QUERY,
    "patsy.dmatrix": TextArgument(0, "formula_like", EVERY),
    "patsy.dmatrices": TextArgument(0, "formula_like", EVERY),
    "patsy.incr_dbuilder": TextArgument(0, "formula_like", EVERY),
    "patsy.incr_dbuilders": TextArgument(0, "formula_like", EVERY),
    "patsy.ModelDesc.from_formula": TextArgument(0, None, EVERY),
    "formulaic.Formula": TextArgument(0, None, EVERY),
    "formulaic.Formula.from_spec": TextArgument(0, "spec", EVERY),
    "formulaic.ModelSpec": TextArgument(0, "formula", EVERY),
    "formulaic.ModelSpec.from_spec": TextArgument(0, "spec", EVERY),
    "formulaic.model_matrix": TextArgument(0, "spec", EVERY),
    "bambi.Model": TextArgument(0, "formula", EVERY),
    **{
        f"pyfixest.{model}": TextArgument(0, "fml", EVERY)
        for model in ("feglm", "feols", "fepois", "quantreg")
    },
    "plotnine.aes": TextArgument(0, "x", EVERY),
    "pydoc.locate": _PATH,
    "pydoc.resolve": _PATH,
    "pkgutil.resolve_name": _PATH,
    "hydra.utils.get_class": _PATH,
    "hydra.utils.get_method": _PATH,
    "hydra.utils.get_object": _PATH,
    "django.utils.module_loading.import_string": _PATH,
    "werkzeug.utils.import_string": _PATH,
    "traitlets.import_item": _PATH,
    "traitlets.utils.importstring.import_item": _PATH,
    "zope.dottedname.resolve.resolve": _PATH,
    # parts of queries, and templates
    "polars.sql_expr": TextArgument(0, "sql", WORDS),
    "duckdb.SQLExpression": TextArgument(0, "expression", SQL),
    **{f"sqlalchemy.{name}": TextArgument(0, "text", WORDS) for name in ("column", "literal_column", "text")},
    **{f"sqlalchemy.sql.{name}": TextArgument(0, "text", WORDS) for name in ("literal_column", "text")},
    **{f"pyspark.sql.functions.{name}": TextArgument(0, "str", WORDS) for name in ("expr",)},
    **{f"pandas.{name}": TextArgument(0, "sql", WORDS) for name in ("read_sql", "read_sql_query")},
    **{f"polars.{name}": TextArgument(0, "query", WORDS) for name in ("read_database", "read_database_uri")},
    "connectorx.read_sql": TextArgument(1, "query", WORDS),
    "mako.template.Template": TextArgument(0, "text", TEMPLATE),
    # methods of objects of unknown class
    **{
        f"{ANY}.{method}": TextArgument(0, "query", WORDS)
        for method in (
            "exec_driver_sql",
            "fetch",
            "fetchrow",
            "fetchval",
            "query_df",
            "raw_sql",
            "selectExpr",
        )
    },
    f"{ANY}.execute_global": _QUERY,
    f"{ANY}.query": TextArgument(0, "expr", AT),
    f"{ANY}.eval": TextArgument(0, "expr", AT),
    f"{ANY}.sql": _QUERY,
    f"{ANY}.from_query": _QUERY,
    f"{ANY}.execute": TextArgument(0, "query", SQL, is_sure=False),
    f"{ANY}.executemany": TextArgument(0, "query", SQL, is_sure=False),
    f"{ANY}.from_formula": TextArgument(0, "formula", EVERY),
}

# Modules of which every function takes a formula first.
FORMULA_MODULES = frozenset({"statsmodels.api.formula", "statsmodels.formula.api"})
FORMULA = TextArgument(0, "formula", EVERY)
# Arguments that hold a formula in functions of these libraries, whatever they are called.
FORMULA_WORDS = ("formula", "fml", "re_formula", "vc_formula")
FORMULA_LIBRARIES = frozenset(
    {
        "bambi",
        "formulae",
        "formulaic",
        "glum",
        "lifelines",
        "linearmodels",
        "patsy",
        "pyfixest",
        "statsmodels",
    }
)
# Functions of plotnine that take expressions as all their arguments.
EXPRESSIONS = frozenset({"plotnine.aes", "plotnine.mapping.aes"})
# Libraries of which every `execute` and `sql` looks up variables, however the object came about.
SCANNING_MODULES = frozenset({"duckdb", "polars"})

# Such methods of tables, where they are asked of their class.
METHODS_OF_TABLES = frozenset(
    f"{table}.{method}"
    for table in ("geopandas.GeoDataFrame", "pandas.DataFrame", "polars.DataFrame", "polars.LazyFrame")
    for method in ("eval", "query", "sql")
)

# Methods of relations that take parts of a query.
RELATION_METHODS = frozenset({"aggregate", "filter", "order", "project"})
RELATION_TEXT = TextArgument(0, None, SQL, is_sure=False)

# Words of a query that ask for the clock or for chance.
AMBIENT_SQL = frozenset(
    [
        "now",
        "today",
        "current_date",
        "current_time",
        "current_timestamp",
        "localtime",
        "localtimestamp",
        "getdate",
        "sysdate",
        "random",
        "setseed",
        "uuid",
        "gen_random_uuid",
        "newid",
        *("clock_timestamp", "curdate", "current_localtime", "current_localtimestamp", "curtime"),
        *("gen_random_bytes", "generate_uuid", "get_current_time", "get_current_timestamp", "getutcdate"),
        *("newsequentialid", "rand", "randn", "randomblob", "randstr", "statement_timestamp", "sysdatetime"),
        *("sysdatetimeoffset", "systimestamp", "sysutcdatetime", "timeofday", "transaction_timestamp"),
        *("connection_id", "current_role", "current_user", "pg_backend_pid", "session_user", "txid_current"),
        *("utc_date", "utc_time", "utc_timestamp", "uuid_string", "uuidv4", "uuidv7"),
    ]
)
# Calls in a query that tell the time, or a part of it, where they get no more arguments than here.
AMBIENT_CALLS_OF_SQL = (
    r"\b(?:date|datetime|julianday|time|unixepoch)\s*\(\s*\)"
    r"|\bstrftime\s*\(\s*'[^']*'\s*\)"
    r"|\bage\s*\(\s*[^,()]+\)"
)
# Functions that get a template, by the position of the argument; filters and functions that draw by chance there.
TEMPLATES = {"jinja2.Template": 0, f"{ANY}.from_string": 0}
DRAWS_IN_TEMPLATE = r"\|\s*random\b|\blipsum\s*\("
# Texts in a query that stand for the clock, or for the time zone of the machine.
AMBIENT_QUOTES = frozenset({"localtime", "now", "today", "tomorrow", "yesterday"})

# Functions in queries of polars that read files.
READING_SQL = frozenset({"read_csv", "read_ipc", "read_json", "read_ndjson", "read_parquet"})

# Methods whose texts are read by people only.
LOG_METHODS = frozenset(
    ["debug", "info", "warning", "warn", "error", "exception", "critical", "log", "print", "echo"]
)

# Built-in functions that return the text of an object.
TEXT_MAKERS = frozenset({"ascii", "format", "repr", "str"})
