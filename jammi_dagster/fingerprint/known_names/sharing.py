"""Calls whose results share data with the objects that they get, hold items of them, or write to them."""

from __future__ import annotations

# Attributes that are a view of their object.
VIEW_ATTRIBUTES = frozenset(
    [
        *("T", "__dict__", "array", "at", "attrs", "base", "data", "flat", "iat", "iloc", "imag", "loc"),
        *("maps", "real", "values"),
    ]
)
# Methods and functions whose result is their object, or a view of it.
VIEWS = frozenset(
    [
        *("ChainMap", "MappingProxyType", "as_strided", "asanyarray", "asarray", "ascontiguousarray"),
        *("asfortranarray", "atleast_1d", "atleast_2d", "atleast_3d", "broadcast_to", "closing", "diagonal"),
        *("expand_dims", "flip", "fliplr", "flipud", "frombuffer", "memoryview", "moveaxis", "nditer"),
        *("nullcontext", "proxy", "ravel", "ref", "reshape", "rollaxis", "rot90", "squeeze", "swapaxes"),
        *("transpose", "vars", "view"),
    ]
)
# Ones whose result is a list of such views.
SPLITS = frozenset({"array_split", "dsplit", "hsplit", "split", "vsplit"})
# Ones that return an item of their object.
ITEMS = frozenset(
    [
        *(
            "__getitem__",
            "__next__",
            "anext",
            "choice",
            "get",
            "getattr",
            "getitem",
            "heappop",
            "max",
            "min",
            "next",
        ),
        *("pop", "popitem", "popleft", "result", "setdefault"),
    ]
)
# Ones whose result holds all that they get.
HOLDERS = frozenset({"Namespace", "SimpleNamespace", "fromkeys", "repeat"})
# Ones whose result is a new object with the items of theirs.
COPIES = frozenset(
    [
        *("Counter", "OrderedDict", "chain", "copy", "cycle", "defaultdict", "deque", "dict", "dropwhile"),
        *("filter", "filterfalse", "from_iterable", "frozenset", "islice", "iter", "list", "reversed", "set"),
        *("sorted", "takewhile", "tee", "tuple"),
    ]
)
COPYING_METHODS = frozenset({"copy", "difference", "intersection", "union", "values"})
# Ones whose result has tuples with the items of theirs.
PAIRINGS = frozenset(
    [
        *("batched", "combinations", "enumerate", "groupby", "items", "pairwise", "permutations"),
        *("product", "zip", "zip_longest"),
    ]
)
# Methods of tables that hand rows, columns or groups to a function: copies, not the table.
ROW_METHODS = frozenset(
    [
        *("agg", "aggregate", "apply", "applymap", "assign", "filter", "map", "map_batches", "map_elements"),
        *("map_groups", "map_rows", "sort_values", "transform"),
    ]
)
# Methods by which an object comes to hold another one, and ones that take its items.
ADDERS = frozenset({"add", "append", "appendleft", "insert", "put", "setdefault"})
FILLERS = frozenset({"extend", "extendleft", "update"})
# Methods that change an argument, by its position.
CHANGED_BY_METHODS = {"readinto": 0, "readinto1": 0, "recv_into": 0, "shuffle": 0, "pack_into": 0}
# Libraries of arrays and tables, of which a copy shares nothing with the first, with the methods that change an object
# among those that change a list, a dict or a set.
ARRAY_METHODS: dict[str, frozenset[str]] = {
    "numpy": frozenset({"sort"}),
    "pandas": frozenset({"insert", "pop", "update"}),
    "polars": frozenset({"append", "extend"}),
    "pyarrow": frozenset(),
}

_UNARY = (
    "abs absolute arccos arccosh arcsin arcsinh arctan arctanh cbrt ceil conj conjugate cos cosh deg2rad degrees exp "
    "exp2 expm1 fabs floor invert isfinite isinf isnan isnat log log10 log1p log2 logical_not negative positive "
    "rad2deg radians reciprocal rint round_ sign signbit sin sinh spacing sqrt square tan tanh trunc"
)
_BINARY = (
    "add arctan2 bitwise_and bitwise_or bitwise_xor copysign divide equal float_power floor_divide fmax fmin fmod gcd "
    "greater greater_equal heaviside hypot lcm ldexp left_shift less less_equal logaddexp logaddexp2 logical_and "
    "logical_or logical_xor matmul maximum minimum mod multiply nextafter not_equal power remainder right_shift "
    "subtract true_divide dot outer"
)
# The position of the array to which a function of numpy, or a method of an array, writes its result.
OUT_POSITIONS: dict[str, int] = {
    **dict.fromkeys((f"numpy.{name}" for name in _UNARY.split()), 1),
    **dict.fromkeys((f"numpy.{name}" for name in _BINARY.split()), 2),
    **dict.fromkeys(("numpy.clip", "numpy.choose"), 3),
    **dict.fromkeys(("numpy.cumprod", "numpy.cumsum", "numpy.mean", "numpy.prod", "numpy.sum"), 3),
    **dict.fromkeys(("numpy.max", "numpy.min", "numpy.all", "numpy.any", "numpy.argmax", "numpy.argmin"), 2),
    "numpy.round": 2,
    "numpy.take": 3,
    "numpy.compress": 3,
    "numpy.concatenate": 2,
    "numpy.median": 2,
}
