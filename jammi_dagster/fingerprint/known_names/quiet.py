"""Names of callables that change no state on which a result depends."""

from __future__ import annotations

# Modules whose functions configure logs, warnings, the import path, signals and displays, on which no table depends;
# and functions that change nothing at all.
QUIET_MODULES = frozenset(
    [
        "absl.logging",
        "colorama",
        "copy.deepcopy",
        "coloredlogs",
        "logging",
        "pandas.options.display",
        "structlog",
        "loguru",
        "os.fspath",
        "os.path",
        "pprint.pp",
        "traceback.print_exc",
        "typing.assert_never",
        "typing.assert_type",
        "typing.cast",
        "typing_extensions.assert_never",
        "typing_extensions.assert_type",
        "time.sleep",
        "warnings",
        "signal",
        "atexit",
        "faulthandler",
        "sys.path",
        "sys.stdout",
        "sys.stderr",
        "rich",
        "sentry_sdk",
        "tqdm",
        "urllib3.disable_warnings",
    ]
)

# Functions that return a logger.
LOGGER_MAKERS = frozenset({"logging.getLogger", "structlog.get_logger", "structlog.getLogger"})

# Functions that return an object of its own with each call; so do classes, whose names begin with a capital. Arrays of
# numpy may be views, and a shallow copy holds the same items.
FRESH_MAKERS = ("collections.", "copy.deepcopy.", "pandas.", "polars.", "pyarrow.")

# Callables whose results are data that nobody fills with functions later.
COMPUTING = (
    *("builtins.bool.", "builtins.bytes.", "builtins.float.", "builtins.frozenset.", "builtins.int."),
    *("builtins.len.", "builtins.range.", "builtins.str.", "builtins.tuple.", "datetime."),
    *("decimal.Decimal.", "fractions.Fraction.", "numpy.", "os.fspath.", "os.path.", "pandas."),
    *("pathlib.", "polars.", "pyarrow.", "re.compile."),
)

# Built-in functions that change neither their arguments nor anything else.
QUIET_BUILTINS = frozenset(
    [
        "abs",
        "all",
        "any",
        "ascii",
        "bin",
        "bool",
        "bytes",
        "callable",
        "chr",
        "complex",
        "dict",
        "divmod",
        "enumerate",
        "filter",
        "float",
        "format",
        "frozenset",
        "getattr",
        "hasattr",
        "hash",
        "hex",
        "id",
        "int",
        "isinstance",
        "issubclass",
        "iter",
        "len",
        "list",
        "map",
        "max",
        "min",
        "object",
        "oct",
        "ord",
        "pow",
        "print",
        "range",
        "repr",
        "reversed",
        "round",
        "set",
        "slice",
        "sorted",
        "str",
        "sum",
        "super",
        "tuple",
        "type",
        "zip",
    ]
)

# Built-in functions that call a function which they are given.
CALLING_BUILTINS = frozenset({"filter", "map", "max", "min", "sorted"})
