"""State beyond first-party names that loading a module may change: of the process, and of no consequence."""

from __future__ import annotations

import re

# State of the process on which any result may depend. The time zone is a component of its own.
PROCESS_STATE = (
    "builtins",
    "codecs",
    "copyreg",
    "decimal",
    "gettext",
    "locale",
    "numpy.random.seed",
    "numpy.random.set_state",
    "numpy.setbufsize",
    "numpy.seterr",
    "numpy.seterrcall",
    "os.chdir",
    "os.umask",
    "random.seed",
    "random.setstate",
    "sys.modules",
    "sys.meta_path",
    "sys.path_hooks",
    "sys.setrecursionlimit",
    "sys.set_int_max_str_digits",
    "tensorflow.random.set_seed",
    "time.tzset",
    "torch.manual_seed",
)

# State on which no table depends: logs, displays, error reporters, the import path.
HARMLESS_STATE = (
    "absl.logging",
    "atexit",
    "colorama",
    "coloredlogs",
    "faulthandler",
    "logging",
    "loguru",
    "numpy.set_printoptions",
    "os.environ",
    "os.environb",
    "pandas.options.display",
    "polars.Config.set_fmt",
    "polars.Config.set_tbl",
    "polars.Config.set_verbose",
    "rich",
    "sentry_sdk",
    "structlog",
    "sys.excepthook",
    "sys.path",
    "sys.stderr",
    "sys.stdout",
    "tqdm",
    "urllib3.disable_warnings",
    "warnings",
)

# Modules with calls that change nothing on which a table depends; attributes of theirs may be set to anything.
HARMLESS_CALLS = (
    "IPython",
    "asyncio",
    "bugsnag",
    "builtins.exec",
    "builtins.eval",
    "concurrent.futures",
    "datadog",
    "ddtrace",
    "dotenv",
    "gc",
    "importlib",
    "multiprocessing",
    "nest_asyncio",
    "newrelic",
    "opentelemetry",
    "os.makedirs",
    "os.mkdir",
    "os.putenv",
    "os.unsetenv",
    "pathlib",
    "pkgutil",
    "prometheus_client",
    "pytest",
    "resource",
    "rollbar",
    *(
        f"shutil.{name}"
        for name in (
            *("chown", "copy", "copyfile", "copyfileobj", "copymode", "copystat", "copytree", "disk_usage"),
            *("make_archive", "move", "rmtree", "unpack_archive", "which"),
        )
    ),
    "signal",
    "subprocess",
    "sys.setswitchinterval",
    "threading",
    "time.sleep",
    "traceback",
    "tracemalloc",
    "unittest",
    "uvloop",
)

# Functions that change the state of a library or of the process when a body calls them.
STATE_SETTERS = frozenset(
    [
        "copyreg.add_extension",
        "copyreg.constructor",
        "copyreg.pickle",
        "decimal.getcontext",
        "decimal.setcontext",
        "locale.setlocale",
        "numpy.seterr",
        "numpy.seterrcall",
        "os.chdir",
        "os.umask",
        "sys.set_int_max_str_digits",
        "sys.setrecursionlimit",
        "time.tzset",
    ]
)

# Calls that may run any first-party code, and state that libraries read: not harmless while modules are loaded.
FAR_REACHING = (
    *("asyncio", "builtins.eval", "builtins.exec", "importlib", "pkgutil", "pytest", "unittest"),
    *("dotenv", "os.environ", "os.environb", "os.putenv", "os.unsetenv"),
)

# Functions that set variables of the environment from a file, and change nothing else. Code that asks for a variable is
# found where it asks, and the environment in which a process is started counts there alone, too.
ENVIRONMENT_FILES = frozenset({"dotenv.load_dotenv", "dotenv.main.load_dotenv"})

# Libraries that report, compute, wait, or work on buffers and files. They run no function that they got before.
SELF_CONTAINED = (
    *("base64", "gzip", "hashlib", "io", "mlflow", "numpy", "struct", "tempfile", "wandb", "zipfile"),
    "time.sleep",
)

# Functions that return a new connection, and change nothing else.
CONNECTING = frozenset(
    [
        *("duckdb.connect", "psycopg.connect", "psycopg2.connect", "pymysql.connect", "pyodbc.connect"),
        *("snowflake.connector.connect", "sqlite3.connect"),
    ]
)

# Functions whose first argument names an option; these options are of a display.
OPTION_SETTERS = frozenset({"pandas.set_option", "pandas.reset_option"})
DISPLAY_OPTIONS = ("display.", "io.", "plotting.")

# Libraries whose functions compute, and of those the functions that change a state of the library.
ARRAY_LIBRARIES = ("numpy.", "pandas.", "polars.", "pyarrow.")
CHANGES_OF_ARRAY_LIBRARIES = re.compile(
    r"(.*\.)?(set_(?!index)|register|reset_|enable|disable|use$|load$)[^.]*$"
)

# Calls that import all modules of a package: of the one that they are given, or of the own.
PACKAGE_IMPORTERS = frozenset(
    [
        "dagster.load_asset_checks_from_package_module",
        "dagster.load_assets_from_package_module",
        "dagster.load_assets_from_package_name",
        "dagster.load_definitions_from_package_module",
        "dagster.load_definitions_from_package_name",
        "dagster.load_defs",
        "dagster.load_from_defs_folder",
        "dagster.components.load_defs",
        "importlib.import_module",
        "pkgutil.iter_modules",
        "pkgutil.walk_packages",
    ]
)

# Calls that list the modules of the package whose folders they get.
MODULE_LISTS = frozenset({"pkgutil.iter_modules", "pkgutil.walk_packages"})


def is_among(name: str, known: tuple[str, ...]) -> bool:
    """Return whether a dotted name, or one that it lies under, is among the known names.

    >>> is_among("decimal.getcontext.().prec", PROCESS_STATE), is_among("decimals.x", PROCESS_STATE)
    (True, False)
    """
    return any(name == one or name.startswith((f"{one}.", f"{one}_")) for one in known)
