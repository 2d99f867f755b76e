"""Which names stand for the outside world: the clock, randomness, the environment.

Also which of them run code that no reading of the source can see.
"""

from __future__ import annotations

from jammi_dagster.fingerprint.names import Call
from jammi_dagster.fingerprint.scopes import CALLED

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
    *("importlib.metadata.entry_points", "ctypes.CDLL", "ctypes.PyDLL", "ctypes.cdll"),
}
_IMPORTS = {"builtins.__import__", "importlib.import_module"}


def outside(name: str, call: Call | None) -> str | None:
    """What a use of this name reads of the outside world."""
    if name in _NEVER_BARE:
        return name
    if name in _UNLESS_NOW:
        told = [*call.positional, *call.named.values()] if call else []
        return name if any(isinstance(value, str) and value.lower() in _NOW for value in told) else None
    if name in _UNLESS_GIVEN or name in _UNLESS_SEEDED:
        return name if _unseeded(name, call) else None
    known = next((known for known in _prefixes(name) if _counts(known)), None)
    return known.replace(f".{CALLED}", "") if known else None


def unseen(name: str) -> str | None:
    """What a use of this name runs or imports that the source does not show."""
    return next((known for known in _prefixes(name) if known in _UNSEEN), None)


def imported_by(name: str, call: Call | None) -> str | None:
    """The module that a call such as `importlib.import_module("a.b")` is seen to import."""
    if name not in _IMPORTS or call is None or len(call.positional) != 1 or call.named:
        return None
    module = call.positional[0]
    return module if isinstance(module, str) and not module.startswith(".") else None


def _unseeded(name: str, call: Call | None) -> bool:
    if call is None:
        return name in _UNLESS_GIVEN
    return not call.gives(*(_UNLESS_GIVEN.get(name) or _UNLESS_SEEDED[name]))


def _counts(name: str) -> bool:
    module, _, attribute = name.rpartition(".")
    if module in _WHOLE and name not in _UNLESS_GIVEN and name not in _UNLESS_SEEDED:
        return attribute not in _WHOLE[module] and not attribute.isupper()
    return name in _ALWAYS


def _prefixes(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts) + 1)]
