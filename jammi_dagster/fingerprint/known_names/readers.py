"""Readers of files, databases, processes and the network: a version surface may be declared for their input."""

from __future__ import annotations

from jammi_dagster.fingerprint.known_names import ANY

# `open` and its like: the position of the argument that holds the mode.
OPENERS = {"builtins.open": 1, "io.open": 1, f"{ANY}.open": 0}
WRITE_MODES = frozenset("wax")

READERS = frozenset(
    [
        "io.FileIO",
        "os.open",
        "os.listdir",
        "os.scandir",
        "os.walk",
        "os.stat",
        "os.popen",
        "os.system",
        "os.path.getmtime",
        "os.path.getsize",
        "os.path.exists",
        "os.path.isfile",
        "os.path.isdir",
        "glob.glob",
        "glob.iglob",
        "codecs.open",
        "gzip.open",
        "bz2.open",
        "lzma.open",
        "zipfile.ZipFile",
        "tarfile.open",
        "shelve.open",
        "dbm.open",
        "sqlite3.connect",
        "linecache.getline",
        "mmap.mmap",
        "pkgutil.get_data",
        "fileinput.input",
        "tempfile.gettempdir",
        "shutil.disk_usage",
        "numpy.load",
        "numpy.loadtxt",
        "numpy.genfromtxt",
        "numpy.fromfile",
        "numpy.memmap",
        "pandas.ExcelFile",
        "pandas.HDFStore",
        "polars.SQLContext",
        "pyarrow.memory_map",
        "pyarrow.OSFile",
        "pyarrow.input_stream",
        "pyarrow.parquet.ParquetFile",
        "pyarrow.parquet.ParquetDataset",
        "pyarrow.dataset.dataset",
        "pyarrow.dataset.parquet_dataset",
        "pyarrow.csv.open_csv",
        "pyarrow.orc.ORCFile",
        "sqlalchemy.create_engine",
        "joblib.load",
        "cloudpickle.load",
        "deltalake.DeltaTable",
        "pyiceberg.catalog.load_catalog",
    ]
) | {f"{ANY}.{method}" for method in ("read_text", "read_bytes", "iterdir", "rglob", "urlopen")}

# Modules whose functions that begin in this way are readers.
READER_PREFIXES: dict[str, tuple[str, ...]] = {
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

# Modules of which every function is a reader.
READER_MODULES = frozenset(
    [
        "subprocess",
        "socket",
        "http.client",
        "urllib.request",
        "ftplib",
        "smtplib",
        "telnetlib",
        "requests",
        "httpx",
        "aiohttp",
        "urllib3",
        "fsspec",
        "s3fs",
        "gcsfs",
        "adlfs",
        "boto3",
        "botocore",
        "paramiko",
        "duckdb",
        "psycopg",
        "psycopg2",
        "pymysql",
        "MySQLdb",
        "cx_Oracle",
        "oracledb",
        "pyodbc",
        "redis",
        "pymongo",
        "snowflake.connector",
        "google.cloud",
        "importlib.resources",
        "pyarrow.fs",
    ]
)
