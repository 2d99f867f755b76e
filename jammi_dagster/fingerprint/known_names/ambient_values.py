"""Values that differ from moment to moment or from process to process: clock, chance, environment."""

from __future__ import annotations

from jammi_dagster.fingerprint.known_names import ANY, CALL
from jammi_dagster.fingerprint.known_names.chance import LAYERS
from jammi_dagster.fingerprint.known_names.texts import AMBIENT_SQL

_CLOCKS = ("time", "monotonic", "perf_counter", "process_time", "thread_time", "clock_gettime")

# Whatever the class is: a subclass of `datetime`, a period, a calendar.
CLASS_CLOCKS = frozenset(
    f"{ANY}.{name}"
    for name in ("now", "utcnow", "today", "diff_for_humans", "now_in_system_tz", "today_in_system_tz")
)

# Numbers of processors: a result seldom depends on them, and then it does.
PROCESSORS = frozenset(
    {
        "os.cpu_count",
        "os.process_cpu_count",
        "os.sched_getaffinity",
        "multiprocessing.cpu_count",
        "joblib.cpu_count",
        "numexpr.detect_number_of_cores",
        "polars.thread_pool_size",
        "pyarrow.cpu_count",
        "pyarrow.io_thread_count",
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
            "asyncio.new_event_loop.().time",
            "ctypes.addressof",
            "dagster._time.get_current_datetime",
            "dagster._time.get_current_timestamp",
            "os.get_blocking",
            "os.isatty",
            "resource.getrlimit",
            "resource.prlimit",
            "sysconfig.get_platform",
            "tempfile._get_candidate_names",
            "tempfile.tempdir",
            "uuid._random_getnode",
            "torch.get_rng_state",
            "torch.initial_seed",
            "torch.seed",
            "humanize.naturaldate",
            "humanize.naturalday",
            "humanize.naturaltime",
            "timeago.format",
            "whenever.Date.today_in_system_tz",
            "numpy.random.bit_generator.randbits",
            "numpy.show_config",
            "pandas.show_versions",
            "polars.show_versions",
            "threadpoolctl.threadpool_info",
            # keys, and texts that hold the time
            "argon2.PasswordHasher.().hash",
            "cryptography.fernet.Fernet.().encrypt",
            "itsdangerous.TimedSerializer",
            "itsdangerous.TimestampSigner",
            "itsdangerous.URLSafeTimedSerializer",
            *(
                f"passlib.hash.{how}.hash"
                for how in ("argon2", "bcrypt", "pbkdf2_sha256", "scrypt", "sha256_crypt", "sha512_crypt")
            ),
            # valid by the clock
            *(f"pydantic.{name}" for name in ("FutureDate", "FutureDatetime", "PastDate", "PastDatetime")),
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
    "coolname": frozenset[str](),
    "cuid": frozenset[str](),
    "cuid2": frozenset[str](),
    "essential_generators": frozenset[str](),
    "exrex": frozenset[str](),
    "fastuuid": frozenset[str](),
    "haikunator": frozenset[str](),
    "hypothesis.strategies": frozenset[str](),
    "ksuid": frozenset[str](),
    "lorem": frozenset[str](),
    "mimesis": frozenset[str](),
    "names": frozenset[str](),
    "names_generator": frozenset[str](),
    "petname": frozenset[str](),
    "rstr": frozenset[str](),
    "uuid6": frozenset[str](),
    "uuid_utils": frozenset[str](),
    "wonderwords": frozenset[str](),
    "xid": frozenset[str](),
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
    f"{ANY}.humanize": (0, "other"),
    # the last partition is that of now
    **{
        f"dagster.{kind}PartitionsDefinition.{CALL}.{method}": (0, "current_time")
        for kind in ("Daily", "Hourly", "Monthly", "TimeWindow", "Weekly")
        for method in (
            *("get_first_partition_key", "get_last_partition_key", "get_last_partition_window"),
            *("get_num_partitions", "get_partition_keys"),
        )
    },
    "gzip.compress": (2, "mtime"),  # the header holds the time
}
# Methods of objects of unknown class that draw by chance unless one of these arguments is given, or so many by position
# (as of a seeded generator: `rng.sample(rows, 3)`).
UNLESS_WORD: dict[str, tuple[frozenset[str], int]] = {
    f"{ANY}.sample": (frozenset({"random_state", "seed", "rng", "random_seed", "k"}), 2),
    f"{ANY}.sample_n": (frozenset({"random_state", "seed"}), 2),
    f"{ANY}.rsample": (frozenset({"generator"}), 2),
    f"{ANY}.rvs": (frozenset({"random_state"}), 9),
    f"{ANY}.resample_rows": (frozenset({"random_state", "seed"}), 2),
    # torch fills a tensor
    **{
        f"{ANY}.{how}_": (frozenset({"generator"}), 9)
        for how in (
            "bernoulli",
            "cauchy",
            "exponential",
            "geometric",
            "log_normal",
            "normal",
            "random",
            "uniform",
        )
    },
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

# Built-in functions whose results differ between processes, where they are called.
AMBIENT_CALLS = frozenset({"builtins.id", "builtins.hash", "builtins.input", f"{ANY}.__hash__"})
