"""Objects that change as they are used, and calls that leave the objects that they get as they are."""

from __future__ import annotations

# Classes of libraries: each class that is derived from them lists those which are derived from it, as tables, say.
LISTING_BASES = frozenset({"sqlalchemy.orm.DeclarativeBase", "sqlalchemy.orm.DeclarativeBaseNoMeta"})
# Bases and decorators that list the classes themselves.
LISTERS = frozenset(
    [
        "sqlalchemy.ext.automap.automap_base.()",
        "sqlalchemy.ext.declarative.declarative_base.()",
        "sqlalchemy.orm.declarative_base.()",
        "sqlalchemy.orm.registry.().generate_base.()",
        "sqlalchemy.orm.registry.().mapped",
        "sqlalchemy.orm.registry.().mapped_as_dataclass",
        "sqlmodel.SQLModel",
    ]
)

# Bases by which a library notes each class that is derived from them, also from a class of these modules.
REGISTERING_BASES = (
    "great_expectations.expectations",
    "intake.DataSource",
    "luigi.Task",
    "marshmallow.Schema",
    "mongoengine.Document",
    "sqlalchemy.sql.functions",
    "sqlglot.Dialect",
    "sqlglot.dialects",
    "yaml.YAMLObject",
)

# Callables whose result changes by mere use: generators of numbers, iterators, open files, queues.
STATEFUL_MAKERS = frozenset(
    [
        "builtins.enumerate",
        "builtins.filter",
        "builtins.iter",
        "builtins.map",
        "builtins.open",
        "builtins.reversed",
        "builtins.zip",
        "csv.reader",
        "csv.DictReader",
        "bz2.BZ2Compressor",
        "bz2.BZ2Decompressor",
        "io.BytesIO",
        "io.StringIO",
        "lzma.LZMACompressor",
        "lzma.LZMADecompressor",
        "multiprocessing.Queue",
        "numpy.random.Generator",
        "numpy.random.MT19937",
        "numpy.random.PCG64",
        "numpy.random.PCG64DXSM",
        "numpy.random.Philox",
        "numpy.random.RandomState",
        "numpy.random.SFC64",
        "numpy.random.SeedSequence",
        "numpy.random.default_rng",
        "os.scandir",
        "queue.LifoQueue",
        "queue.PriorityQueue",
        "queue.Queue",
        "queue.SimpleQueue",
        "random.Random",
        "re.finditer",
        "scipy.stats.qmc.Halton",
        "scipy.stats.qmc.Sobol",
        "torch.Generator",
        "zlib.compressobj",
        "zlib.decompressobj",
    ]
)
STATEFUL_MODULES = frozenset({"itertools"})

# Functions that change an argument, by its position.
MUTATING_FUNCTIONS: dict[str, int] = {
    "bisect.insort": 0,
    "bisect.insort_left": 0,
    "bisect.insort_right": 0,
    "builtins.next": 0,
    "builtins.anext": 0,
    "heapq.heapify": 0,
    "heapq.heappop": 0,
    "heapq.heappush": 0,
    "heapq.heappushpop": 0,
    "heapq.heapreplace": 0,
    "numpy.add.at": 0,
    "numpy.copyto": 0,
    "numpy.fill_diagonal": 0,
    "numpy.place": 0,
    "numpy.put": 0,
    "numpy.put_along_axis": 0,
    "numpy.putmask": 0,
    "numpy.random.Generator.shuffle": 0,
    "numpy.random.RandomState.shuffle": 0,
    "numpy.random.default_rng.().shuffle": 0,
    "numpy.random.shuffle": 0,
    "numpy.subtract.at": 0,
    "operator.delitem": 0,
    "operator.iadd": 0,
    "operator.iconcat": 0,
    "operator.imul": 0,
    "operator.ior": 0,
    "operator.setitem": 0,
    "random.Random.().shuffle": 0,
    "random.shuffle": 0,
    "struct.pack_into": 1,
}

# Methods that change an object which a module holds, besides those of lists, dicts and sets.
OBJECT_MUTATORS = frozenset(
    [
        "__next__",
        "__delattr__",
        "close",
        "fill",
        "frombytes",
        "fromlist",
        "fromunicode",
        "insert_column",
        "itemset",
        "move_to_end",
        "partial_fit",
        "put",
        "put_nowait",
        "get_nowait",
        "readline",
        "readlines",
        "replace_column",
        "resize",
        "reset",
        "seek",
        "send",
        "set",
        "setflags",
        "truncate",
        "write",
        "writelines",
    ]
)

# Callables that change none of their arguments. Iterators are an exception: most of these use them up.
QUIET_MODULES = frozenset(
    [
        "builtins",
        "collections",
        "copy",
        "dataclasses",
        "datetime",
        "decimal",
        "enum",
        "fractions",
        "functools",
        "hashlib",
        "json",
        "math",
        "numpy",
        "operator",
        "os.path",
        "pandas",
        "pathlib",
        "polars",
        "pyarrow",
        "re",
        "string",
        "textwrap",
        "types",
        "typing",
        "typing_extensions",
        "zoneinfo",
    ]
)
NOT_QUIET = frozenset({"builtins.setattr", "builtins.delattr", *MUTATING_FUNCTIONS})

# Methods that change neither their object nor their arguments.
QUIET_METHODS = frozenset(
    [
        *("as_posix", "astype", "capitalize", "copy", "count", "decode", "difference", "encode", "endswith"),
        *(
            "filter",
            "find",
            "format",
            "get",
            "groupby",
            "head",
            "index",
            "intersection",
            "isdisjoint",
            "items",
        ),
        *(
            "issubset",
            "issuperset",
            "join",
            "joinpath",
            "keys",
            "lower",
            "lstrip",
            "match",
            "max",
            "mean",
            "merge",
        ),
        *("min", "model_copy", "model_dump", "partition", "relative_to", "replace", "resolve", "rpartition"),
        *(
            "rsplit",
            "rstrip",
            "search",
            "select",
            "split",
            "splitlines",
            "startswith",
            "strip",
            "sum",
            "title",
        ),
        *(
            "to_dict",
            "translate",
            "union",
            "upper",
            "values",
            "with_columns",
            "with_name",
            "with_suffix",
            "zfill",
        ),
        *(
            "alias",
            "cast",
            "col",
            "field",
            "is_in",
            "is_null",
            "over",
            "info",
            "debug",
            "warning",
            "error",
            "tolist",
        ),
        *("isoformat", "strftime", "date", "to_list", "to_pydict", "to_pylist", "schema"),
    ]
)

# Callables whose result nothing can change.
IMMUTABLE_MAKERS = frozenset(
    [
        *("builtins.bool", "builtins.bytes", "builtins.complex", "builtins.float", "builtins.frozenset"),
        *("builtins.int", "builtins.len", "builtins.max", "builtins.min", "builtins.range", "builtins.round"),
        *("builtins.str", "builtins.sum", "builtins.tuple", "builtins.type", "builtins.repr", "builtins.abs"),
        *("datetime.date", "datetime.datetime", "datetime.time", "datetime.timedelta", "datetime.timezone"),
        *("decimal.Decimal", "fractions.Fraction", "logging.getLogger", "pathlib.Path", "pathlib.PurePath"),
        *("re.compile", "typing.NewType", "typing.TypeVar", "uuid.UUID", "zoneinfo.ZoneInfo", "os.path.join"),
        *(
            "pyarrow.schema",
            "pyarrow.field",
            "polars.col",
            "polars.lit",
            "polars.Enum",
            "collections.namedtuple",
        ),
        *(
            "enum.Enum",
            "os.getenv",
            "os.path.dirname",
            "os.path.abspath",
            "pandas.Timestamp",
            "pandas.Timedelta",
        ),
    ]
)

CONSTRUCTORS = frozenset(
    [
        "__init__",
        "__new__",
        "__post_init__",
        "__setstate__",
        "__init_subclass__",
        "__set_name__",
        "model_post_init",
    ]
)
