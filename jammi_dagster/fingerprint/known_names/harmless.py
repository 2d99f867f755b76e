"""Names by which code shows that a read of the outside world does no harm."""

from __future__ import annotations

import re

from jammi_dagster.fingerprint.known_names.ambient_values import PROCESSORS, TRACES

# The clock and the like, as findings name it: harmless where it goes into logs alone.
CLOCKS = frozenset(
    [
        *(
            f"time.{clock}{unit}"
            for clock in ("time", "monotonic", "perf_counter", "process_time")
            for unit in ("", "_ns")
        ),
        *(
            "datetime.datetime.now",
            "datetime.datetime.utcnow",
            "datetime.datetime.today",
            "datetime.date.today",
        ),
        *("pandas.Timestamp.now", "pandas.Timestamp.utcnow", "pandas.Timestamp.today", "pendulum.now"),
        *("timeit.default_timer", "now", "utcnow", "today"),
        *("time.ctime", "time.gmtime", "time.localtime", "time.strftime"),
        *(f"traceback.{name}" for name in TRACES),
        *("os.getpid", "socket.gethostname", "uuid.uuid1", "uuid.uuid4"),
        *PROCESSORS,
    ]
)
# Events of Dagster whose metadata people read.
WITH_METADATA = frozenset(
    f"dagster.{name}" for name in ("AssetMaterialization", "AssetObservation", "MaterializeResult", "Output")
)
# Arguments that are a number of workers, and pools that take it first.
WORKERS = frozenset({"max_workers", "n_jobs", "num_workers", "processes"})
POOLS = frozenset({"Pool", "ProcessPoolExecutor", "ThreadPool", "ThreadPoolExecutor"})

# Functions that tell people something, and libraries (with a dot) whose loggers do.
LOGGERS = frozenset(
    {"builtins.print", "click.echo", "warnings.warn", "logging.", "structlog.", "loguru.", "dagster."}
)

# Functions whose result depends on their arguments alone.
PURE_CALLS = frozenset(
    [f"builtins.{name}" for name in ("abs", "float", "format", "int", "max", "min", "repr", "round", "str")]
    + [
        "datetime.timedelta",
        "dagster.MetadataValue.float",
        "dagster.MetadataValue.text",
        "dagster.MetadataValue.int",
    ]
)

# Names with such a beginning that draw from elsewhere.
UNSEEDED = frozenset(
    [
        "numpy.random",
        "numpy.random.Generator",
        "numpy.random.MT19937",
        "numpy.random.PCG64",
        "numpy.random.PCG64DXSM",
        "numpy.random.Philox",
        "numpy.random.RandomState",
        "numpy.random.SFC64",
        "numpy.random.SeedSequence",
        "numpy.random.default_rng",
        "numpy.random.seed",
        "random",
        "random.Random",
        "random.SystemRandom",
        "random.seed",
        "torch.hub.load",
        "torch.load",
    ]
)

# Makers of temporary files and folders, as `with` calls them.
TEMPORARY = frozenset(
    f"tempfile.{name}"
    for name in ("NamedTemporaryFile", "TemporaryDirectory", "TemporaryFile", "SpooledTemporaryFile")
)
# Readers whose order is that of the disk.
ORDERED_BY_DISK = frozenset({"glob", "iglob", "iterdir", "listdir", "rglob", "scandir", "walk"})

# Methods of duckdb that read no file: results, and tables that are handed in.
OWN_RESULTS = frozenset(
    [
        *(
            "arrow",
            "close",
            "commit",
            "df",
            "distinct",
            "fetch_arrow_table",
            "fetch_df",
            "fetchall",
            "fetchdf",
        ),
        *(
            "fetchmany",
            "fetchnumpy",
            "fetchone",
            "from_arrow",
            "from_df",
            "limit",
            "pl",
            "register",
            "to_arrow_table",
        ),
        *("read_all", "read_next_batch", "to_df", "unregister"),
    ]
)
QUERIES = frozenset({"execute", "from_query", "query", "sql"})

# Words of a query that lead out of the tables that are named in it.
_LEADS_OUT = re.compile(
    r"\b(?:read_\w+|\w+_scan|glob|sniff_\w+|attach|copy|install|load|import|export|pragma|getenv|query|query_table|set|reset|"
    r"use|call|secret\w*|duckdb_\w+|pg_\w+|sqlite_\w+|information_schema|current_setting|checkpoint|summarize|show|describe)\b",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|\$\$")
_PATH_LIKE = re.compile(r"[./\\:*$]")
_READS = re.compile(r"\s*(?:select|with|from|values)\b", re.IGNORECASE)
_QUOTED_TABLE = re.compile(r"\b(?:from|join)\s*\(?\s*['\"]", re.IGNORECASE)


def leads_out(text: str) -> bool:
    """Return whether a query, or a part of one, may read anything besides the tables that it names."""
    if _LEADS_OUT.search(text) or _QUOTED_TABLE.search(text) or "--" in text or "/*" in text:
        return True
    return any(_PATH_LIKE.search(quoted) for quoted in _QUOTED.findall(text))


def is_local_query(text: str, *, only_reads: bool) -> bool:
    """Return whether a query reads local tables alone; `only_reads`: and changes nothing.

    >>> is_local_query("select x from up", only_reads=True), is_local_query("from 'a.csv'", only_reads=True)
    (True, False)
    """
    if leads_out(text):
        return False
    return not only_reads or (bool(_READS.match(text)) and ";" not in text.rstrip().rstrip(";"))
