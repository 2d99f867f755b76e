"""Readers of files, databases, processes and the network: a version surface may be declared for their input."""

from __future__ import annotations

from jammi_dagster.fingerprint.known_names import ANY, CALL

# `open` and its like: the position of the argument that holds the mode.
OPENERS = {"builtins.open": 1, "io.open": 1, f"{ANY}.open": 0}
WRITE_MODES = frozenset("wax")

# Existence, times, sizes and access of files: none of them raises an audit event.
STAT_READERS = frozenset(
    [
        "os.access",
        "os.fstat",
        "os.lstat",
        "os.stat",
        "os.statvfs",
        "os.readlink",
        "os.getxattr",
        "os.listxattr",
        "os.path.exists",
        "os.path.lexists",
        "os.path.isfile",
        "os.path.isdir",
        "os.path.islink",
        "os.path.ismount",
        "os.path.getmtime",
        "os.path.getatime",
        "os.path.getctime",
        "os.path.getsize",
        "os.path.samefile",
        "filecmp.cmp",
        "filecmp.dircmp",
        "shutil.which",
        "shutil.disk_usage",
        "importlib.util.find_spec",
        "importlib.machinery.PathFinder.find_spec",
        "importlib.metadata.version",
        "importlib.metadata.distributions",
        "pkgutil.find_loader",
        "pkgutil.iter_modules",
        "pkgutil.walk_packages",
    ]
) | {
    f"{ANY}.{method}"
    for method in (
        "exists",
        "is_file",
        "is_dir",
        "is_symlink",
        "is_mount",
        "is_socket",
        "is_fifo",
        "is_block_device",
        "is_char_device",
        "stat",
        "lstat",
        "readlink",
        "samefile",
        "glob",
    )
}

READERS = frozenset(
    [
        "io.FileIO",
        "os.open",
        "os.listdir",
        "os.scandir",
        "os.walk",
        "os.popen",
        "os.system",
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
        "dotenv.dotenv_values",
        "dotenv.load_dotenv",
        "fiona.open",
        "rasterio.open",
        "h5py.File",
        "netCDF4.Dataset",
        "torch.load",
        "torch.hub.load",
        "torchaudio.load",
        "safetensors.torch.load_file",
        "tensorflow.keras.models.load_model",
        "keras.models.load_model",
        "keras.saving.load_model",
        "spacy.load",
        "nltk.download",
        "openpyxl.load_workbook",
        "PIL.Image.open",
        "cv2.imread",
        "imageio.imread",
        "yt_dlp.YoutubeDL",
        "feedparser.parse",
        "praw.Reddit",
        "simple_salesforce.Salesforce",
        "fastf1.get_session",
        "pyiceberg.catalog.load_catalog",
    ]
) | {
    f"{ANY}.{method}"
    for method in (
        "read_text",
        "read_bytes",
        "iterdir",
        "rglob",
        "urlopen",
        "getOrCreate",  # of a Spark session
        "from_pretrained",
        "load_model",  # of xgboost, lightgbm and the like
    )
}

# The tables of this package and the events of Dagster, read beside the inputs.
STORE_READERS = frozenset(
    [
        "jammi_dagster.ResultStore",
        "jammi_dagster.ResultStoreResource",
        "jammi_dagster.ResultTableIOManager",
        "jammi_dagster.store.ResultStore",
        "dagster.DagsterInstance",
        "dagster.DagsterInstance.get",
        "dagster.DagsterInstance.from_config",
        "dagster.DagsterInstance.from_ref",
    ]
) | {
    f"{ANY}.{method}"
    for method in (
        "fetch_materializations",
        "fetch_observations",
        "get_asset_records",
        "get_event_records",
        "get_latest_data_version_record",
        "get_latest_materialization_event",
        "get_latest_materialization_events",
        "get_materialized_partitions",
        "get_run_records",
        "load_asset_value",
    )
}

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
    "geopandas": ("read_", "list_"),
    "pyogrio": ("read_", "open_", "list_"),
    "pyreadstat": ("read_",),
    "xarray": ("open_", "load_"),
    "rioxarray": ("open_",),
    "zarr": ("open", "load"),
    "datasets": ("load_",),
    "sklearn.datasets": ("fetch_", "load_svmlight"),
    "dask.array": ("from_zarr",),
    "ibis": ("read_", "connect"),
    "daft": ("read_", "from_glob_path"),
    "modin.pandas": ("read_",),
    "cudf": ("read_",),
    "soundfile": ("read",),
    "librosa": ("load",),
    "imageio": ("imread", "mimread"),
    "skimage.io": ("imread",),
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
        "mlflow",
        "wandb",
        "kagglehub",
        "kaggle",
        "huggingface_hub",
        "openai",
        "anthropic",
        "yfinance",
        "gspread",
        "clickhouse_connect",
        "trino",
        "databricks",
        "azure.storage",
        "minio",
        "elasticsearch",
        "neo4j",
        "asyncpg",
        "aiomysql",
        "pymssql",
        "ibm_db",
        "cassandra",
        "influxdb_client",
        "selenium",
        "playwright",
        "hvac",
    ]
)

# Readers that raise no audit event: they read natively. Only their argument in the code shows the file that they read.
NATIVE_MODULES = frozenset(
    [
        "adbc_driver_manager",
        "connectorx",
        "daft",
        "datafusion",
        "deltalake",
        "duckdb",
        "fastparquet",
        "h5py",
        "lance",
        "netCDF4",
        "polars",
        "pyarrow",
        "pyiceberg",
        "rasterio",
        "zarr",
    ]
)
NATIVE_READERS = frozenset(
    ["pandas.read_parquet", "pandas.read_feather", "pandas.read_orc", "pandas.read_hdf", "pandas.HDFStore"]
)
# Files that Python opens itself, and bytes in memory: a reader of one of these opens nothing.
BUFFERS = frozenset(
    [
        f"builtins.open.{CALL}",
        f"io.open.{CALL}",
        f"pathlib.Path.{CALL}.open.{CALL}",
        f"io.BytesIO.{CALL}",
        f"io.StringIO.{CALL}",
        f"pyarrow.BufferReader.{CALL}",
        f"pyarrow.py_buffer.{CALL}",
    ]
)
# The names of the argument that holds the file.
PATH_ARGUMENTS = (
    "source",
    "path",
    "file",
    "filename",
    "path_or_paths",
    "database",
    "table_uri",
    "where",
    "query",
)
