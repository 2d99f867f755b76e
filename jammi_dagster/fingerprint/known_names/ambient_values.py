"""Values that differ from moment to moment or from process to process: clock, chance, environment."""

from __future__ import annotations

from jammi_dagster.fingerprint.known_names import ANY, CALL
from jammi_dagster.fingerprint.known_names.chance import LAYERS
from jammi_dagster.fingerprint.known_names.texts import AMBIENT_SQL

_CLOCKS = ("time", "monotonic", "perf_counter", "process_time", "thread_time", "clock_gettime")

# Whatever the class is: a subclass of `datetime`, a period, a calendar.
CLASS_CLOCKS = frozenset({f"{ANY}.now", f"{ANY}.utcnow", f"{ANY}.today"})

# Numbers of processors: a result seldom depends on them, and then it does.
PROCESSORS = frozenset(
    {
        "os.cpu_count",
        "os.process_cpu_count",
        "os.sched_getaffinity",
        "multiprocessing.cpu_count",
        "joblib.cpu_count",
    }
)

# Functions of `traceback` that tell lines and paths of files.
TRACES = frozenset(
    {"extract_stack", "extract_tb", "format_exc", "format_exception", "format_stack", "format_tb"}
)

AMBIENT = (
    frozenset(
        [
            "time.timezone",
            "time.altzone",
            "time.daylight",
            "time.tzname",
            "datetime.datetime.now",
            "datetime.datetime.utcnow",
            "datetime.datetime.today",
            "datetime.date.today",
            "pandas.Timestamp.now",
            "pandas.Timestamp.today",
            "pandas.Timestamp.utcnow",
            "pendulum.now",
            "pendulum.today",
            "pendulum.tomorrow",
            "pendulum.yesterday",
            "arrow.now",
            "arrow.utcnow",
            "dateutil.utils.today",
            "django.utils.timezone.localdate",
            "django.utils.timezone.now",
            "asyncio.get_event_loop.().time",
            "asyncio.get_running_loop.().time",
            "site.getsitepackages",
            "site.getusersitepackages",
            "sysconfig.get_path",
            "sysconfig.get_paths",
            "sysconfig.get_config_var",
            "sysconfig.get_config_vars",
            "streamlit.secrets",
            "tzlocal.get_localzone",
            "tzlocal.get_localzone_name",
            "pyproj.datadir.get_data_dir",
            "uuid.uuid1",
            "uuid.uuid4",
            "uuid.uuid6",
            "uuid.uuid7",
            "uuid.getnode",
            "os.urandom",
            "os.getrandom",
            "os.environ",
            "os.environb",
            "os.getenv",
            "os.getenvb",
            "os.getcwd",
            "os.getcwdb",
            "os.getlogin",
            "os.uname",
            "os.times",
            "os.path.expanduser",
            "os.path.expandvars",
            "pathlib.Path.cwd",
            "pathlib.Path.home",
            "sys.argv",
            "sys.orig_argv",
            "getpass.getuser",
            "socket.gethostname",
            "socket.getfqdn",
            "sys.flags",
            "sys.executable",
            "sys.exec_prefix",
            "sys.prefix",
            "sys.base_prefix",
            "sys.stdin",
            "sys.getallocatedblocks",
            "sys.getfilesystemencoding",
            "sys.getrefcount",
            "sys.gettotalrefcount",
            "sys.version",
            "_thread.get_ident",
            "threading.get_ident",
            "threading.get_native_id",
            "threading.active_count",
            "threading.current_thread",
            "threading.enumerate",
            "threading.main_thread",
            "multiprocessing.current_process",
            "multiprocessing.parent_process",
            "asyncio.current_task",
            "gc.get_count",
            "gc.get_stats",
            "os.getpid",
            "os.getppid",
            "os.getpgid",
            "os.getuid",
            "os.geteuid",
            "os.getgid",
            "os.getegid",
            "os.getgrouplist",
            "os.getgroups",
            "os.getpgrp",
            "os.getpriority",
            "os.getresgid",
            "os.getresuid",
            "os.getsid",
            "os.get_exec_path",
            "os.confstr",
            "os.ctermid",
            "os.sysconf",
            "os.ttyname",
            "os.umask",
            "os.getloadavg",
            "os.get_terminal_size",
            "shutil.get_terminal_size",
            "resource.getrusage",
            "grp.getgrall",
            "grp.getgrgid",
            "grp.getgrnam",
            "pwd.getpwall",
            "pwd.getpwnam",
            "pwd.getpwuid",
            "ssl.get_default_verify_paths",
            "zoneinfo.available_timezones",
            "locale.getlocale",
            "locale.getdefaultlocale",
            "locale.getencoding",
            "locale.getpreferredencoding",
            "locale.localeconv",
            "tempfile.mktemp",
            "tempfile.mkstemp",
            "tempfile.mkdtemp",
            "email.utils.make_msgid",
            "email.utils.localtime",
            "email.utils.formatdate",
            "http.cookiejar.time2isoz",
            "http.cookiejar.time2netscape",
            "logging.LogRecord",
            "logging.makeLogRecord",
            "ssl.RAND_bytes",
            "ssl.RAND_pseudo_bytes",
            # libraries: keys and salts, the clock
            "Crypto.Random.get_random_bytes",
            "bcrypt.gensalt",
            "cryptography.fernet.Fernet.generate_key",
            "delorean.now",
            "delorean.utcnow",
            "nacl.utils.random",
            "werkzeug.security.generate_password_hash",
            *(f"ibis.{name}" for name in ("now", "today", "random", "uuid")),
        ]
    )
    | LAYERS
    # Libraries that read their values from the environment, from `.env` files or from the process.
    | frozenset(
        [
            "pydantic_settings.BaseSettings",
            "pydantic.BaseSettings",
            "pydantic.v1.BaseSettings",
            "decouple.config",
            "decouple.AutoConfig",
            "environ.Env",
            "environs.Env",
            "dynaconf.Dynaconf",
            "starlette.config.Config",
            "prettyconf.config",
        ]
    )
    | CLASS_CLOCKS
    # Queries that are built of functions.
    | {
        f"{module}.{word}"
        for module in (
            "pyspark.sql.functions",
            "snowflake.snowpark.functions",
            "sqlalchemy.func",
            "sqlalchemy.sql.func",
            "sqlalchemy.sql.functions",
            "sqlalchemy.sql.expression.func",
        )
        for word in AMBIENT_SQL
    }
    | {f"{ANY}.expanduser"}
    | {f"traceback.{name}" for name in TRACES}
    | {f"locale.{name}" for name in ("atof", "currency", "format_string", "str", "strcoll", "strxfrm")}
    | PROCESSORS
    | {f"time.{clock}{unit}" for clock in _CLOCKS for unit in ("", "_ns")}
    | {f"dagster.EnvVar.{CALL}.get_value"}
    | {f"dagster.{kind}ExecutionContext.get" for kind in ("Asset", "AssetCheck", "Op")}  # of the run
)

# Modules of which every function counts, except the named ones: those set a seed, or compute only.
AMBIENT_MODULES = {
    "random": frozenset({"seed", "setstate"}),
    "secrets": frozenset({"compare_digest"}),
    "platform": frozenset[str](),
    "timeit": frozenset[str](),
    "psutil": frozenset[str](),
    "tracemalloc": frozenset({"start", "stop"}),
    "faker": frozenset[str](),
    "shortuuid": frozenset[str](),
    "nanoid": frozenset[str](),
    "ulid": frozenset[str](),
    "freezegun.api": frozenset[str](),
    "maya": frozenset[str](),
    "parsedatetime": frozenset[str](),
    "dotenv": frozenset({"find_dotenv"}),
    "torch.nn.init": frozenset({"constant_", "eye_", "ones_", "zeros_"}),
    "cupy.random": frozenset({"seed"}),
    "tensorflow.random": frozenset({"set_seed", "stateless_uniform", "stateless_normal"}),
    "numpy.random": frozenset({"Generator", "BitGenerator", "bit_generator", "seed", "set_state"}),
}

# Functions that one argument makes independent of clock and chance: its position and name.
UNLESS_GIVEN: dict[str, tuple[int, str | None]] = {
    "time.localtime": (0, None),
    "time.gmtime": (0, None),
    "time.ctime": (0, None),
    "time.asctime": (0, None),
    "time.strftime": (1, None),
    "numpy.random.default_rng": (0, "seed"),
    "numpy.random.seed": (0, "seed"),
    "random.seed": (0, "a"),
    "dateparser.parse": (5, "settings"),
    "dateparser.search.search_dates": (2, "settings"),
    "arrow.get": (0, None),
    "babel.dates.format_date": (0, "date"),
    "babel.dates.format_datetime": (0, "datetime"),
    "babel.dates.format_time": (0, "time"),
    "gzip.compress": (2, "mtime"),  # the header holds the time
}
# Methods of objects of unknown class that draw by chance unless one of these arguments is given, or two by position
# (as of a seeded generator).
UNLESS_WORD: dict[str, frozenset[str]] = {
    f"{ANY}.sample": frozenset({"random_state", "seed", "rng", "random_seed", "k"}),
    f"{ANY}.sample_n": frozenset({"random_state", "seed"}),
    f"{ANY}.rvs": frozenset({"random_state"}),
    f"{ANY}.resample_rows": frozenset({"random_state", "seed"}),
}
# The same where any argument by position is a sequence to be shuffled in place.
UNLESS_WORD_OR_POSITION: dict[str, frozenset[str]] = {f"{ANY}.shuffle": frozenset({"seed", "random_state"})}
# The same for classes. Annotations and `isinstance` name those too, so that only a call counts.
UNLESS_SEEDED: dict[str, tuple[int, str | None]] = {
    "random.Random": (0, "x"),
    "bson.ObjectId": (0, "oid"),
    "bson.objectid.ObjectId": (0, "oid"),
    "numpy.random.RandomState": (0, "seed"),
    "numpy.random.SeedSequence": (0, "entropy"),
    "numpy.random.MT19937": (0, "seed"),
    "numpy.random.PCG64": (0, "seed"),
    "numpy.random.PCG64DXSM": (0, "seed"),
    "numpy.random.Philox": (0, "seed"),
    "numpy.random.SFC64": (0, "seed"),
    "sklearn.utils.check_random_state": (0, "seed"),
    "statistics.NormalDist.().samples": (1, "seed"),
    "scipy.stats.gaussian_kde.().resample": (1, "seed"),
    "dateutil.rrule.rrule": (1, "dtstart"),  # begins today
    "croniter.croniter": (1, "start_time"),
    "croniter.croniter.croniter": (1, "start_time"),
}
SEED_OF_BASE = "*seed"  # the first argument of a class that such a class is the base of

# Writers whose files hold the time at which they were written; the position of the mode, None for one that only writes.
STAMPING_WRITERS: dict[str, int | None] = {
    "gzip.GzipFile": 1,
    "gzip.open": 1,
    "pandas.ExcelWriter": None,
    "tarfile.open": 1,
    "zipfile.ZipFile": 1,
    f"{ANY}.to_excel": None,
    f"{ANY}.write_excel": None,
}
# The same of writers, if they are asked for one of these compressions.
COMPRESSING_WRITERS = frozenset(f"{ANY}.to_{form}" for form in ("csv", "json", "pickle", "stata", "xml"))
STAMPED_COMPRESSIONS = frozenset({"gzip", "tar", "zip"})

# Functions of these libraries ask the clock when one of their arguments is one of these words.
CLOCK_WORDS = frozenset({"now", "today"})
CLOCK_LIBRARIES = frozenset(
    {"pandas", "numpy", "pendulum", "arrow", "dateutil", "dateparser", "polars", "xarray"}
)

# Other names of modules and classes: of those in C, and of the parts of libraries that their public names come from.
SAME_NAMES = {
    "posix": "os",
    "nt": "os",
    "posixpath": "os.path",
    "ntpath": "os.path",
    "genericpath": "os.path",
    "_io": "io",
    "_random": "random",
    "pandas.core.frame": "pandas",
    "pandas.core.generic": "pandas",
    "pandas.core.series": "pandas",
    "polars.dataframe.frame": "polars",
    "polars.lazyframe.frame": "polars",
    "polars.series.series": "polars",
    "pyarrow.parquet.core": "pyarrow.parquet",
    "pyarrow._csv": "pyarrow.csv",
    "pyarrow._json": "pyarrow.json",
    "pyarrow._orc": "pyarrow.orc",
    "pyarrow._dataset": "pyarrow.dataset",
    "pyarrow._parquet": "pyarrow.parquet",
}
# The same of any part: `pandas.io.parsers.readers.read_csv`.
SAME_PACKAGES = ("pandas.io", "polars.io")
# Libraries whose private modules (`dagster._core`) hold the classes of the package.
PRIVATE_PARTS = frozenset({"dagster"})

# Modules that count when they are handed on as a value: nobody sees which function is then called.
NEVER_BARE = frozenset({"time", "os", "tempfile", *AMBIENT_MODULES})

# Modules and classes that hold such a name.
AMBIENT_HOLDERS = frozenset(name.rpartition(".")[0] for name in AMBIENT if not name.startswith(ANY))

# Modules that others hold as attributes (`pathlib.os`): the name counts from there on.
HELD_MODULES = frozenset(
    [
        "os",
        "sys",
        "datetime",
        "time",
        "random",
        "socket",
        "subprocess",
        "tempfile",
        "platform",
        "uuid",
        "secrets",
        "glob",
        "shutil",
    ]
)

# Code that uses one of these depends on the time zone of the process: it is part of its identity.
ZONE_READERS = frozenset(
    [
        "dateutil.parser.parse",
        "time.strptime",
        "time.localtime",
        "time.mktime",
        "time.ctime",
        "time.asctime",
        "time.strftime",
        "datetime.date.fromtimestamp",
        "dateutil.tz.tzlocal",
        "dateutil.tz.tz.tzlocal",
        "email.utils.mktime_tz",
        "logging.Formatter.formatTime",
        "pendulum.local_timezone",
        "tzlocal.get_localzone",
        "tzlocal.get_localzone_name",
    ]
)
# Libraries whose sessions have it.
ZONE_LIBRARIES = frozenset({"duckdb"})
# Methods of times that may be naive, and then stand for those of the machine, whatever they are given.
ZONE_METHODS = frozenset({f"{ANY}.astimezone"})
# The same unless this argument is given.
ZONE_UNLESS_GIVEN: dict[str, tuple[int, str | None]] = {
    f"{ANY}.timestamp": (0, None),
    f"{ANY}.fromtimestamp": (1, "tz"),
    "datetime.datetime.fromtimestamp": (1, "tz"),
    "pandas.Timestamp.fromtimestamp": (1, "tz"),
    "dateutil.tz.gettz": (0, "name"),
}

# Built-in functions whose results differ between processes, where they are called.
AMBIENT_CALLS = frozenset({"builtins.id", "builtins.hash", "builtins.input", f"{ANY}.__hash__"})
