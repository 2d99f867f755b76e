"""Reads of the outside world by further names: each row has a sibling that reads nothing."""

import pytest
from fingerprint_kit import Project

from jammi_dagster.fingerprint import CodeIdentity

# Expressions that leave a table unpinned, by import.
READS: dict[str, list[str]] = {
    "import torch": [
        "x.uniform_()",
        "torch.empty(3).normal_(0, 1)",
        "x.random_()",
        "torch.distributions.Normal(0, 1).rsample((3,))",
        "torch.poisson(x)",
        "torch.initial_seed()",
        "torch.nn.functional.dropout(x, 0.5)",
    ],
    "from scipy.stats import norm": ["norm.rvs(0, 1, 3)"],
    "import sklearn.ensemble._forest as forest": ["forest.RandomForestClassifier().fit(x)"],
    "import mimesis": ["mimesis.Person().name()"],
    "import lorem": ["lorem.paragraph()"],
    "import coolname": ["coolname.generate_slug(2)"],
    "import cuid": ["cuid.cuid()"],
    "import uuid6": ["uuid6.uuid7()"],
    "import uuid_utils": ["uuid_utils.uuid7()"],
    "import wonderwords": ["wonderwords.RandomWord().word()"],
    "import names": ["names.get_full_name()"],
    "from argon2 import PasswordHasher": ["PasswordHasher().hash('a')"],
    "from cryptography.fernet import Fernet": ["Fernet(x).encrypt(b'a')"],
    "import passlib.hash": ["passlib.hash.bcrypt.hash('a')"],
    "from itsdangerous import URLSafeTimedSerializer": ["URLSafeTimedSerializer('k').dumps(x)"],
    "import humanize, timeago": ["humanize.naturaltime(x)", "timeago.format(x)"],
    "import arrow, pendulum": ["arrow.get(x).humanize()", "pendulum.instance(x).diff_for_humans()"],
    "import pydantic\nclass K(pydantic.BaseModel):\n    at: pydantic.PastDatetime": ["K(at=x)"],
    "import dagster as dg\nDAYS = dg.DailyPartitionsDefinition('2020-01-01')": [
        "DAYS.get_partition_keys()",
        "DAYS.get_last_partition_key()",
        "dg.MonthlyPartitionsDefinition('2020-01-01').get_num_partitions()",
        "dg._time.get_current_datetime()",
    ],
    "import asyncio, ctypes, resource, sysconfig, tempfile": [
        "asyncio.new_event_loop().time()",
        "ctypes.addressof(x)",
        "resource.getrlimit(7)",
        "sysconfig.get_platform()",
        "tempfile.tempdir",
        "next(tempfile._get_candidate_names())",
    ],
    "import pyarrow as pa, polars as pl": [
        "pa.cpu_count()",
        "pl.thread_pool_size()",
        "x.select({'a', 'b'})",
        "x.group_by(set(x.columns) - {'a'}).len()",
    ],
    "import sqlalchemy as sa": [
        "x.scalar(sa.text('select now()'))",
        "sa.select(sa.literal_column('random()'))",
    ],
    "import polars as pl": ["x.select(pl.sql_expr('now()'))"],
    "": [
        "x.execute('select date()')",
        "x.execute('select unixepoch()')",
        "x.execute('select age(t) from r')",
        "x.fetchrow('select now()')",
        "x.execute('select current_user')",
    ],
    "import os, pty": [
        "os.read(0, 3)",
        "os.pread(3, 3, 0)",
        "os.isatty(0)",
        "pty.spawn('date')",
        "list(os.fwalk('a'))",
        "os.path.sameopenfile(3, 4)",
        "os.pathconf('a', 'PC_NAME_MAX')",
    ],
    "import importlib.metadata as m, importlib_metadata": [
        "m.distribution('polars').version",
        "m.requires('polars')",
        "m.packages_distributions()",
        "importlib_metadata.version('polars')",
    ],
    "import tarfile, zipfile, shutil": [
        "tarfile.TarFile('a').getmembers()",
        "zipfile.is_zipfile('a')",
        "shutil.unpack_archive('a.zip', 'd')",
    ],
    "import numpy as np, scipy.io as io": [
        "np.lib.format.open_memmap('a')",
        "np.DataSource().open('a')",
        "np.fromregex('a', 'b', [])",
        "io.readsav('a')",
    ],
    "import pycurl": ["pycurl.Curl().perform()"],
    "import curl_cffi.requests": ["curl_cffi.requests.get('a')"],
    "import niquests": ["niquests.get('a')"],
    "import zmq": ["zmq.Context().socket(1).recv()"],
    "import paho.mqtt.client": ["paho.mqtt.client.Client().connect('a')"],
    "import valkey": ["valkey.Valkey().get('a')"],
    "import pymemcache.client.base": ["pymemcache.client.base.Client('a').get('k')"],
    "import etcd3": ["etcd3.client().get('a')"],
    "import docker": ["docker.from_env().containers.run('a')"],
    "import pexpect": ["pexpect.run('date')"],
    "import opendal": ["opendal.Operator('fs').read('k')"],
    "import obstore": ["obstore.get(x, 'a')"],
    "import serial": ["serial.Serial('a').read()"],
    "import dagster_graphql": ["dagster_graphql.DagsterGraphQLClient('a').get_run_status('b')"],
    "import jammi_dagster": [
        "jammi_dagster.recompute(x)",
        "jammi_dagster.LineageResource()",
        "jammi_dagster.materialize_plan(x)",
    ],
    "import dagster as dg": [
        "x.instance.all_asset_keys()",
        "x.instance.get_backfills()",
        "x.instance.get_logs_for_run('a')",
        "dg.Definitions().get_implicit_global_asset_job_def().execute_in_process()",
    ],
}
# Readers that raise no audit event, with the path that the code shows.
NATIVE = [
    ("import functools, polars as pl", "functools.partial(pl.read_parquet, use_pyarrow=False)(x)", ""),
    ("import polars as pl", "pl.read_parquet(*x)", ""),
    ("import polars as pl", "pl.DataFrame.deserialize(f'{x}/a')", ""),
    ("import pyarrow as pa", "pa.ipc.open_file(f'{x}/a')", ""),
    ("import pandas as pd", "pd.read_spss('a.sav')", "a.sav"),
    ("import pandas as pd", "pd.read_iceberg('db.t')", "db.t"),
    ("import xarray as xr", "xr.open_dataset(filename_or_obj='a.nc')", "a.nc"),
    ("import zarr", "zarr.open_group(store='a.zarr')", "a.zarr"),
    ("import ibis", "ibis.duckdb.connect('a.db')", "a.db"),
    ("import ibis", "ibis.read_parquet(x)", ""),
    ("import ibis", "ibis.duckdb.connect().read_csv('a.csv')", "a.csv"),
    ("import datafusion", "datafusion.SessionContext().register_parquet('t', 'a')", "t"),
    ("import datafusion", "datafusion.SessionContext().read_csv('a')", "a"),
    ("from osgeo import gdal, ogr", "gdal.Open('a.tif')", "a.tif"),
    ("from osgeo import gdal, ogr", "ogr.Open(x)", ""),
    ("import rasterio.io", "rasterio.io.DatasetReader('a')", "a"),
    ("import fiona", "fiona.listlayers('a')", "a"),
    ("import netCDF4", "netCDF4.MFDataset('*.nc')", "*.nc"),
    ("import torch", "torch.from_file('a', size=3)", "a"),
    ("import torch", "torch.UntypedStorage.from_file('a')", "a"),
    ("import safetensors", "safetensors.safe_open('a', 'pt')", "a"),
    ("from safetensors.numpy import load_file", "load_file('a')", "a"),
    ("from tokenizers import Tokenizer", "Tokenizer.from_file('t.json')", "t.json"),
    ("import sentencepiece", "sentencepiece.SentencePieceProcessor(model_file='m')", "m"),
    ("import cv2", "cv2.VideoCapture('a.mp4')", "a.mp4"),
    ("import av", "av.open('a.mp4')", "a.mp4"),
    ("import pyvips", "pyvips.Image.new_from_file('a')", "a"),
    ("import librosa", "librosa.load('a.wav')", "a.wav"),
    ("import apsw", "apsw.Connection('a.db')", "a.db"),
    ("import pysqlite3", "pysqlite3.connect('a.db')", "a.db"),
    ("import rocksdict", "rocksdict.Rdict('a')", "a"),
    ("import dbm", "dbm.open('a')", "a"),
    ("import dbm.gnu", "dbm.gnu.open('a')", "a"),
    ("import shelve", "shelve.open('a')", "a"),
    ("import lxml.etree as e", "e.XMLSchema(file='a.xsd')", "a.xsd"),
    ("import pikepdf", "pikepdf.open('a')", "a"),
    ("import pypdfium2", "pypdfium2.PdfDocument('a')", "a"),
    ("import fastexcel", "fastexcel.read_excel('a')", "a"),
    ("import python_calamine as c", "c.CalamineWorkbook.from_path('a')", "a"),
    ("import pyreadstat", "pyreadstat.read_sav('a')", "a"),
    ("import cyvcf2, mappy", "cyvcf2.VCF('a')", "a"),
    ("import cyvcf2, mappy", "mappy.Aligner('a.fa')", "a.fa"),
    ("import igraph", "igraph.Graph.Read_Ncol('a')", "a"),
    ("import open3d", "open3d.io.read_point_cloud('a')", "a"),
    ("import pygrib", "pygrib.open('a')", "a"),
    ("import meshio, trimesh, pyvista", "meshio.read('a')", "a"),
    ("import meshio, trimesh, pyvista", "trimesh.load('a')", "a"),
    ("import meshio, trimesh, pyvista", "pyvista.read('a')", "a"),
    ("from multiprocessing import shared_memory", "shared_memory.SharedMemory(name='a')", "a"),
    ("from multiprocessing import shared_memory", "shared_memory.ShareableList(name='a')", "a"),
    ("import usearch.index", "usearch.index.Index.restore('a')", "a"),
]
HARMLESS = [
    ("import pandas as pd", "pd.DataFrame(x, columns=['now', 'today'])"),
    ("import pandas as pd", "pd.merge(x, x, on='now').set_index('today').rename(columns={'now': 'a'})"),
    ("import numpy as np", "np.where(x > 3, 'now', 'later')"),
    ("import polars as pl", "x.select(pl.col('now'), pl.lit('today'))"),
    ("import polars as pl", "x.select(sorted(set(x.columns) - {'a'}))"),
    (
        "import dagster as dg\nDAYS = dg.DailyPartitionsDefinition('2020-01-01')",
        "DAYS.time_window_for_partition_key('2020-01-02')",
    ),
    ("import dagster as dg\nKEYS = dg.StaticPartitionsDefinition(['a'])", "KEYS.get_partition_keys()"),
    ("from sklearn.model_selection import train_test_split", "train_test_split(x, shuffle=False)"),
    ("import torch", "torch.nn.functional.dropout(x, 0.5, training=False)"),
    ("from scipy.stats import norm", "norm.rvs(0, 1, 3, random_state=3)"),
    ("import random", "random.Random(3).sample(x, 2)"),
    ("import sklearn.utils._param_validation as p", "p.validate_params(x)"),
    (
        "import humanize, arrow",
        "humanize.naturalsize(x), arrow.get('2020-01-01').humanize(arrow.get('2020-01-03'))",
    ),
    ("from cryptography.fernet import Fernet", "Fernet(x).decrypt(x)"),
    ("import sqlalchemy as sa", "sa.select(sa.text('a, b'), sa.column('now'))"),
    ("", "x.execute(\"select date(t), age(t, u), strftime('%Y', t), age, time from r\")"),
    ("import polars as pl", "x.filter(pl.sql_expr('now > 3'))"),
    ("import io, pyarrow as pa", "pa.ipc.open_stream(io.BytesIO(x)), pa.ipc.open_file(pa.BufferReader(x))"),
    ("import io, polars as pl", "pl.DataFrame.deserialize(io.BytesIO(x))"),
    ("import tokenizers, igraph", "tokenizers.Tokenizer.from_str(x), igraph.Graph(n=3)"),
    ("import jammi_dagster as j", "isinstance(x, j.Staleness)"),
    ("", "x.owner(), x.group('a'), x.query_df"),
]
# Uses of the time zone of the process; False: none.
ZONES = [
    ("import datetime as d", "f'{d.datetime(2020, 1, 1):%s}'", True),
    ("import datetime as d", "format(d.datetime(2020, 1, 1), '%s')", True),
    ("import datetime as d", "f'{d.datetime(2020, 1, 1):%Y-%m}'", False),
    ("import pandas as pd", "pd.Timestamp('2020').tz_localize('tzlocal()')", True),
    ("", "x.dt.tz_localize('dateutil//etc/localtime')", True),
    ("", "x.dt.tz_localize('Europe/Berlin')", False),
    ("import pendulum", "pendulum.local(2020, 1, 1)", True),
    ("import pendulum", "pendulum.datetime(2020, 1, 1, tz='local')", True),
    ("import zoneinfo", "zoneinfo.ZoneInfo('localtime')", True),
    ("import numpy as np", "np.datetime_as_string(x, timezone='local')", True),
    ("import logging", "logging.Formatter().formatTime(x)", True),
    ("", "x.assume_system_tz()", True),
    ("", "x.join(x, how='local')", False),
]


def _identity(project: Project, setup: str, expression: str) -> CodeIdentity:
    """Identify code with an expression, in a module that nobody runs."""
    project.write({"alone.py": f"{setup}\ndef f(x):\n    return {expression}\n"})
    project.write({"main.py": "def f():\n    import alone\n    return vars(alone)\n"})
    return project.identity("main.f")


@pytest.mark.parametrize("setup", READS)
def test_a_read_by_another_name_is_found(project: Project, setup: str) -> None:
    """Clocks, chance, the machine, services and stores are found by the names that libraries give them."""
    found = {one: _identity(project, setup, one) for one in READS[setup]}
    assert [one for one, identity in found.items() if not (identity.outside or identity.unresolved)] == []


@pytest.mark.parametrize(("setup", "expression", "path"), NATIVE)
def test_a_native_reader_is_known_with_its_path(
    project: Project, setup: str, expression: str, path: str
) -> None:
    """No audit event tells of it, so that only the path in the code may be declared; a computed one is empty."""
    assert path in {read.unwatched for read in _identity(project, setup, expression).outside}


@pytest.mark.parametrize(("setup", "expression"), HARMLESS)
def test_a_sibling_that_reads_nothing_is_pinned(project: Project, setup: str, expression: str) -> None:
    """Seeds, labels, buffers and given times leave nothing open."""
    found = _identity(project, setup, expression)
    assert (found.outside, found.unresolved) == ((), ())


@pytest.mark.parametrize(("setup", "expression", "depends"), ZONES)
def test_a_text_may_stand_for_the_time_zone(
    project: Project, monkeypatch: pytest.MonkeyPatch, setup: str, expression: str, depends: bool
) -> None:
    """Code that names the zone of the machine is pinned to it."""
    digests = set()
    for zone in ("UTC", "Asia/Tokyo"):
        monkeypatch.setenv("TZ", zone)
        digests.add(_identity(project, setup, expression).digest)
    assert (len(digests) > 1) is depends
