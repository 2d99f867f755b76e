"""Values that differ from moment to moment or from process to process: clock, chance, environment."""

from __future__ import annotations

from jammi_dagster.fingerprint.known_names import CALL

_CLOCKS = ("time", "monotonic", "perf_counter", "process_time", "thread_time", "clock_gettime")

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
            # settings that their libraries fill from the environment
            "pydantic_settings.BaseSettings",
            "pydantic.BaseSettings",
            "pydantic.v1.BaseSettings",
            "decouple.config",
            "environs.Env",
            "environ.Env",
            "starlette.config.Config",
            "dynaconf.Dynaconf",
        ]
    )
    | {f"time.{clock}{unit}" for clock in _CLOCKS for unit in ("", "_ns")}
    | {f"dagster.EnvVar.{CALL}.get_value"}
)

# Modules of which every function counts, except the named ones: those set a seed, or compute only.
AMBIENT_MODULES = {
    "random": frozenset({"seed", "setstate"}),
    "secrets": frozenset({"compare_digest"}),
    "platform": frozenset[str](),
    "numpy.random": frozenset({"Generator", "BitGenerator", "bit_generator", "seed", "set_state"}),
}

_BY_NAME = 1_000  # an argument that is given by its name
# Estimators of scikit-learn that draw random numbers.
_RANDOM_ESTIMATORS = (
    "ensemble.RandomForestClassifier",
    "ensemble.RandomForestRegressor",
    "ensemble.ExtraTreesClassifier",
    "ensemble.ExtraTreesRegressor",
    "ensemble.GradientBoostingClassifier",
    "ensemble.GradientBoostingRegressor",
    "ensemble.HistGradientBoostingClassifier",
    "ensemble.HistGradientBoostingRegressor",
    "ensemble.AdaBoostClassifier",
    "ensemble.BaggingClassifier",
    "ensemble.BaggingRegressor",
    "ensemble.IsolationForest",
    "neural_network.MLPClassifier",
    "neural_network.MLPRegressor",
    "linear_model.SGDClassifier",
    "linear_model.SGDRegressor",
    "cluster.KMeans",
    "cluster.MiniBatchKMeans",
    "cluster.SpectralClustering",
    "decomposition.PCA",
    "decomposition.NMF",
    "decomposition.TruncatedSVD",
    "decomposition.LatentDirichletAllocation",
    "manifold.TSNE",
    "mixture.GaussianMixture",
    "tree.DecisionTreeClassifier",
    "tree.DecisionTreeRegressor",
    "model_selection.ShuffleSplit",
    "model_selection.StratifiedShuffleSplit",
)

# Functions that one argument makes independent of clock and chance: its position and name.
UNLESS_GIVEN: dict[str, tuple[int, str | None]] = {
    "time.localtime": (0, None),
    "time.gmtime": (0, None),
    "time.ctime": (0, None),
    "time.asctime": (0, None),
    "time.strftime": (1, None),
    "numpy.random.default_rng": (0, "seed"),
    "sklearn.model_selection.train_test_split": (_BY_NAME, "random_state"),
    "sklearn.utils.shuffle": (_BY_NAME, "random_state"),
    "sklearn.utils.resample": (_BY_NAME, "random_state"),
}
# The same for classes. Annotations and `isinstance` name those too, so that only a call counts.
UNLESS_SEEDED: dict[str, tuple[int, str | None]] = {
    "random.Random": (0, "x"),
    "numpy.random.RandomState": (0, "seed"),
    "numpy.random.SeedSequence": (0, "entropy"),
    "numpy.random.MT19937": (0, "seed"),
    "numpy.random.PCG64": (0, "seed"),
    "numpy.random.PCG64DXSM": (0, "seed"),
    "numpy.random.Philox": (0, "seed"),
    "numpy.random.SFC64": (0, "seed"),
    **{f"sklearn.{estimator}": (_BY_NAME, "random_state") for estimator in _RANDOM_ESTIMATORS},
}

# Functions that ask the clock only when one of their arguments is one of these words.
CLOCK_WORDS = frozenset({"now", "today"})
CLOCK_IF_WORD = frozenset({"pandas.Timestamp", "pandas.to_datetime", "numpy.datetime64"})

# Modules that count when they are handed on as a value: nobody sees which function is then called.
NEVER_BARE = frozenset({"time", *AMBIENT_MODULES})
