"""Which names stand for the outside world: the clock, randomness, the environment.

Also which of them run code that no reading of the source can see.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from jammi_dagster.fingerprint.syntax.scopes import CALLED
from jammi_dagster.fingerprint.syntax.uses import ANY, Call

_CLOCKS = ("time", "monotonic", "perf_counter", "process_time", "thread_time", "clock_gettime")

_ALWAYS = {
    *(f"time.{clock}{unit}" for clock in _CLOCKS for unit in ("", "_ns")),
    *("time.timezone", "time.altzone", "time.daylight", "time.tzname"),
    *("datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today"),
    *("pandas.Timestamp.now", "pandas.Timestamp.today", "pandas.Timestamp.utcnow"),
    *(
        "pendulum.now",
        "pendulum.today",
        "pendulum.tomorrow",
        "pendulum.yesterday",
        "arrow.now",
        "arrow.utcnow",
    ),
    *("uuid.uuid1", "uuid.uuid4", "uuid.uuid6", "uuid.uuid7", "uuid.getnode", "os.urandom", "os.getrandom"),
    *("os.environ", "os.environb", "os.getenv", "os.getenvb", "os.getcwd", "os.getcwdb"),
    *("os.getlogin", "os.uname", "os.times", "os.path.expanduser", "os.path.expandvars"),
    *("pathlib.Path.cwd", "pathlib.Path.home", "sys.argv", "sys.orig_argv", "getpass.getuser"),
    *("socket.gethostname", "socket.getfqdn", f"dagster.EnvVar.{CALLED}.get_value"),
}

# Modules of which everything counts but what is named: it is seeded, or reads nothing.
_WHOLE = {
    "random": {"seed", "setstate"},
    "secrets": {"compare_digest"},
    "platform": set[str](),
    "numpy.random": {"Generator", "BitGenerator", "bit_generator", "seed", "set_state"},
}

# The argument that makes a call depend on nothing else: (position, name).
_UNLESS_GIVEN: dict[str, tuple[int, str | None]] = {
    "time.localtime": (0, None),
    "time.gmtime": (0, None),
    "time.ctime": (0, None),
    "time.asctime": (0, None),
    "time.strftime": (1, None),
    "numpy.random.default_rng": (0, "seed"),
}
# The same for classes, which are also named in annotations and `isinstance`: only a call counts.
_UNLESS_SEEDED: dict[str, tuple[int, str | None]] = {
    "random.Random": (0, "x"),
    "numpy.random.RandomState": (0, "seed"),
    "numpy.random.SeedSequence": (0, "entropy"),
    **{
        f"numpy.random.{generator}": (0, "seed")
        for generator in ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")
    },
}

# Only with one of these words.
_NOW = {"now", "today"}
_UNLESS_NOW = {"pandas.Timestamp", "pandas.to_datetime", "numpy.datetime64"}

# A module handed on as a value: what is then called of it cannot be seen.
_NEVER_BARE = {"time", *_WHOLE}

# Files, databases, processes and the network: a call of these reads what a declaration may name.
_READS = {
    *("builtins.open", "io.open", "io.FileIO", "os.open", "os.listdir", "os.scandir", "os.walk", "os.stat"),
    *("os.popen", "os.system", "os.path.getmtime", "os.path.getsize", "os.path.exists", "os.path.isfile"),
    *("os.path.isdir", "glob.glob", "glob.iglob", "codecs.open", "gzip.open", "bz2.open", "lzma.open"),
    *("zipfile.ZipFile", "tarfile.open", "shelve.open", "dbm.open", "sqlite3.connect", "linecache.getline"),
    *("mmap.mmap", "pkgutil.get_data", "fileinput.input", "tempfile.gettempdir", "shutil.disk_usage"),
    *(
        "numpy.load",
        "numpy.loadtxt",
        "numpy.genfromtxt",
        "numpy.fromfile",
        "numpy.memmap",
        "pandas.ExcelFile",
    ),
    *("pandas.HDFStore", "polars.SQLContext", "pyarrow.memory_map", "pyarrow.OSFile", "pyarrow.input_stream"),
    *("pyarrow.parquet.ParquetFile", "pyarrow.parquet.ParquetDataset", "pyarrow.dataset.dataset"),
    *(
        "pyarrow.dataset.parquet_dataset",
        "pyarrow.csv.open_csv",
        "pyarrow.orc.ORCFile",
        "sqlalchemy.create_engine",
    ),
    *("joblib.load", "cloudpickle.load", "deltalake.DeltaTable", "pyiceberg.catalog.load_catalog"),
    *(f"{ANY}.{method}" for method in ("read_text", "read_bytes", "iterdir", "rglob", "urlopen")),
}
_READS_BY_NAME: dict[str, tuple[str, ...]] = {
    "pandas": ("read_",),
    "polars": ("read_", "scan_"),
    "pyarrow.parquet": ("read_",),
    "pyarrow.csv": ("read_",),
    "pyarrow.json": ("read_",),
    "pyarrow.feather": ("read_",),
    "pyarrow.orc": ("read_",),
    "dask.dataframe": ("read_",),
    "networkx": ("read_",),
}
_READS_WHOLE = {
    *(
        "subprocess",
        "socket",
        "http.client",
        "urllib.request",
        "ftplib",
        "smtplib",
        "telnetlib",
        "requests",
        "httpx",
    ),
    *("aiohttp", "urllib3", "fsspec", "s3fs", "gcsfs", "adlfs", "boto3", "botocore", "paramiko", "duckdb"),
    *("psycopg", "psycopg2", "pymysql", "MySQLdb", "cx_Oracle", "oracledb", "pyodbc", "redis", "pymongo"),
    *("snowflake.connector", "google.cloud", "importlib.resources", "pyarrow.fs"),
}
_WRITES = {"w", "a", "x"}

_UNSEEN = {
    *(
        "builtins.exec",
        "builtins.eval",
        "builtins.__import__",
        "importlib.import_module",
        "importlib.__import__",
    ),
    *("importlib.util.spec_from_file_location", "importlib.util.module_from_spec", "pkgutil.resolve_name"),
    *("importlib.machinery.SourceFileLoader", "runpy.run_module", "runpy.run_path"),
    *("importlib.metadata.entry_points", "importlib.reload", "ctypes.CDLL", "ctypes.PyDLL", "ctypes.cdll"),
    *("builtins.globals", "sys.modules", "sys._getframe", "inspect.currentframe", "inspect.stack"),
    *("inspect.getsource", "inspect.getsourcelines", "inspect.getmembers", "gc.get_objects", "marshal.loads"),
    *("types.FunctionType", "types.CodeType", f"{ANY}.__subclasses__", f"{ANY}.__code__"),
}
# With the position of the argument that names what is used: seen where it is a constant.
_COMPUTED = {"builtins.getattr": 1, "operator.attrgetter": 0, "operator.methodcaller": 0}
_IMPORTS = {"builtins.__import__", "importlib.import_module"}


class Outside(NamedTuple):
    """What is read. `is_declarable`: a file or the like, which a version surface may stand for."""

    what: str
    is_declarable: bool


def outside(name: str, call: Call | None) -> Outside | None:
    """What a use of this name reads of the outside world."""
    if read := _read(name, call):
        return Outside(read, True)
    value = _value(name, call)
    return Outside(value, False) if value else None


def unseen(name: str, call: Call | None) -> str | None:
    """What a use of this name runs or imports that the source does not show."""
    bare = name.removeprefix("builtins.")
    if name in _COMPUTED:
        position = _COMPUTED[name]
        is_seen = (
            call is not None and len(call.positional) > position and call.positional[position] is not ...
        )
        return None if is_seen else f"{bare} with a computed name"
    if name == "builtins.vars" and call is not None and not call.positional:
        return bare
    found = next((known for known in _prefixes(name) if known in _UNSEEN), None)
    return found.removeprefix("builtins.").removeprefix(f"{ANY}.") if found else None


def imported_by(name: str, call: Call | None) -> str | None:
    """The module that a call such as `importlib.import_module("a.b")` is seen to import."""
    if name not in _IMPORTS or call is None or len(call.positional) != 1 or call.named:
        return None
    module = call.positional[0]
    return module if isinstance(module, str) and not module.startswith(".") else None


def _read(name: str, call: Call | None) -> str | None:
    if call is None:
        return None
    shown = name.removeprefix("builtins.").replace(f".{CALLED}", "").replace(f"{ANY}.", "Path.")
    if name in ("builtins.open", "io.open", f"{ANY}.open"):
        position = 0 if name.startswith(ANY) else 1
        mode = call.positional[position] if position < len(call.positional) else call.named.get("mode")
        writes = isinstance(mode, str) and bool(_WRITES & set(mode)) and "+" not in mode
        return None if writes else shown
    parent, _, leaf = name.rpartition(".")
    if name in _READS or leaf.startswith(_READS_BY_NAME.get(parent, ("\0",))):
        return shown
    known = next((known for known in _prefixes(name) if known in _READS_WHOLE and known != name), None)
    return shown if known and not leaf[:1].isupper() else None


def _value(name: str, call: Call | None) -> str | None:
    if name in _NEVER_BARE:
        return name
    if name in _UNLESS_NOW:
        told = [*call.positional, *call.named.values()] if call else []
        return name if any(isinstance(value, str) and value.lower() in _NOW for value in told) else None
    if name in _UNLESS_GIVEN or name in _UNLESS_SEEDED:
        return name if _unseeded(name, call) else None
    known = next((known for known in _prefixes(name) if _counts(known)), None)
    return known.replace(f".{CALLED}", "") if known else None


def _unseeded(name: str, call: Call | None) -> bool:
    if call is None:
        return name in _UNLESS_GIVEN
    return not call.gives(*(_UNLESS_GIVEN.get(name) or _UNLESS_SEEDED[name]))


def _counts(name: str) -> bool:
    module, _, attribute = name.rpartition(".")
    if module in _WHOLE and name not in _UNLESS_GIVEN and name not in _UNLESS_SEEDED:
        return attribute not in _WHOLE[module] and not attribute.isupper()
    return name in _ALWAYS


@lru_cache(maxsize=10_000)
def _prefixes(name: str) -> tuple[str, ...]:
    return tuple(accumulate(name.split("."), "{}.{}".format))
