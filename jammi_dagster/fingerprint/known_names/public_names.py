"""The public names of functions that are taken from a part of their library, or from a module in C."""

from __future__ import annotations

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
    "patsy.highlevel": "patsy",
    "pyarrow._csv": "pyarrow.csv",
    "pyarrow._json": "pyarrow.json",
    "pyarrow._orc": "pyarrow.orc",
    "pyarrow._dataset": "pyarrow.dataset",
    "pyarrow._parquet": "pyarrow.parquet",
}
# The same of any part: `pandas.io.parsers.readers.read_csv`.
SAME_PACKAGES = ("pandas.io", "polars.io")
# Libraries whose public names come from parts that begin with `_`: `sklearn.ensemble._forest`.
PRIVATE_PARTS = frozenset({"patsy", "polars", "pyarrow", "scipy", "sklearn"})
# Libraries whose private modules (`dagster._core`) hold the classes of the package.
PRIVATE_PACKAGES = frozenset({"dagster"})
