"""State beyond first-party names that loading a module may change: of the process, and of no consequence."""

from __future__ import annotations

import re

# State of the process on which any result may depend. The time zone is a component of its own.
PROCESS_STATE = (
    "builtins",
    "codecs",
    "decimal",
    "gettext",
    "locale",
    "numpy.random.seed",
    "numpy.random.set_state",
    "numpy.seterr",
    "os.chdir",
    "os.umask",
    "random.seed",
    "random.setstate",
    "sys.modules",
    "sys.meta_path",
    "sys.path_hooks",
    "sys.set_int_max_str_digits",
    "tensorflow.random.set_seed",
    "time.tzset",
    "torch.manual_seed",
)

# State on which no table depends: logs, displays, limits, threads, error reporters, the import path.
HARMLESS_STATE = (
    "IPython",
    "absl.logging",
    "asyncio",
    "atexit",
    "bugsnag",
    "builtins.exec",
    "builtins.eval",
    "colorama",
    "coloredlogs",
    "concurrent.futures",
    "datadog",
    "ddtrace",
    "dotenv",
    "faulthandler",
    "gc",
    "importlib",
    "logging",
    "loguru",
    "multiprocessing",
    "nest_asyncio",
    "newrelic",
    "numpy.set_printoptions",
    "opentelemetry",
    "os.environ",
    "os.environb",
    "os.makedirs",
    "os.mkdir",
    "os.putenv",
    "os.unsetenv",
    "pandas.options.display",
    "pathlib",
    "pkgutil",
    "polars.Config.set_fmt",
    "polars.Config.set_tbl",
    "polars.Config.set_verbose",
    "prometheus_client",
    "pytest",
    "resource",
    "rich",
    "rollbar",
    "sentry_sdk",
    "shutil",
    "signal",
    "structlog",
    "subprocess",
    "sys.excepthook",
    "sys.path",
    "sys.setrecursionlimit",
    "sys.setswitchinterval",
    "sys.stderr",
    "sys.stdout",
    "threading",
    "time.sleep",
    "tqdm",
    "traceback",
    "tracemalloc",
    "unittest",
    "urllib3.disable_warnings",
    "uvloop",
    "warnings",
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


def is_among(name: str, known: tuple[str, ...]) -> bool:
    """Return whether a dotted name, or one that it lies under, is among the known names.

    >>> is_among("decimal.getcontext.().prec", PROCESS_STATE), is_among("decimals.x", PROCESS_STATE)
    (True, False)
    """
    return any(name == one or name.startswith((f"{one}.", f"{one}_")) for one in known)
