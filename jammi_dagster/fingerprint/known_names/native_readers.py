"""Readers that raise no audit event, and the arguments that tell which file a reader reads."""

from __future__ import annotations

from jammi_dagster.fingerprint.known_names import ANY, CALL
from jammi_dagster.fingerprint.known_names.file_libraries import FILE_CLASSES, FILE_LIBRARIES
from jammi_dagster.fingerprint.known_names.readers import READ_METHODS

# Readers that raise no audit event: they read natively. Only their argument in the code shows the file that they read.
NATIVE_MODULES = frozenset(
    [
        "SimpleITK",
        "adbc_driver_flightsql",
        "adbc_driver_manager",
        "adbc_driver_postgresql",
        "adbc_driver_snowflake",
        "adbc_driver_sqlite",
        "catboost",
        "connectorx",
        "daft",
        "cv2",
        "datafusion",
        "datatable",
        "deltalake",
        "duckdb",
        "faiss",
        "fastparquet",
        "fiona",
        "geopandas",
        "h5py",
        "lance",
        "lmdb",
        "lxml",
        "plyvel",
        "pygit2",
        "rdkit",
        "lightgbm",
        "llama_cpp",
        "netCDF4",
        "onnxruntime",
        "polars",
        "pyarrow",
        "pyiceberg",
        "pyogrio",
        "pysam",
        "rasterio",
        "rioxarray",
        "soundfile",
        "tables",
        "tensorflow",
        "torchaudio",
        "torchvision",
        "vaex",
        "xarray",
        "xgboost",
        "zarr",
        *("fitz", "lancedb", "librosa", "obstore", "opendal", "safetensors"),
        *FILE_LIBRARIES,
    ]
)
NATIVE_READERS = frozenset(
    [
        *(f"pandas.{name}" for name in ("HDFStore", "read_feather", "read_hdf", "read_orc", "read_parquet")),
        *(f"pandas.{name}" for name in ("read_iceberg", "read_spss")),
        *(
            f"ibis.{name}"
            for name in ("duckdb.connect", "read_csv", "read_delta", "read_json", "read_parquet")
        ),
        *FILE_CLASSES,
        *(
            "dbm.open",
            "multiprocessing.shared_memory.ShareableList",
            "multiprocessing.shared_memory.SharedMemory",
        ),
        *("shelve.open", "torch.UntypedStorage.from_file", "torch.from_file"),
        *(f"dask.dataframe.{name}" for name in ("read_hdf", "read_orc", "read_parquet")),
        *(f"{ANY}.{method}" for method in ("from_pretrained", "load_model")),
        *(f"{ANY}.read.{method}" for method in READ_METHODS),
        "keras.models.load_model",
        "keras.saving.load_model",
        "safetensors.torch.load_file",
        "torch.jit.load",
    ]
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
    "path_or_buf",
    "store",
    "filename_or_obj",
    "name",
    "file",
    "filename",
    "path_or_paths",
    "data",
    "database",
    "fname",
    "model_file",
    "table_uri",
    "where",
    "query",
)
