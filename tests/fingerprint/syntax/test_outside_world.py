"""Which uses of the outside world are found in reached code."""

import pytest
from fingerprint_kit import Project

from jammi_dagster.fingerprint import OutsideRead
from jammi_dagster.fingerprint.syntax.outside_world import outside_name
from jammi_dagster.fingerprint.syntax.texts import ambient_word
from jammi_dagster.fingerprint.syntax.uses import Call

READS = [
    ("import time", "time.time()", "time.time"),
    ("import time as t", "t.time_ns()", "time.time_ns"),
    ("from time import time", "time()", "time.time"),
    ("from time import perf_counter as tick", "tick()", "time.perf_counter"),
    ("from time import *", "monotonic()", "time.monotonic"),
    ("import time", "time.localtime()", "time.localtime"),
    ("import time", "time.gmtime(None)", "time.gmtime"),
    ("import time", "time.strftime('%Y')", "time.strftime"),
    ("import time", "sorted([], key=time.time)", "time.time"),
    ("import time", "getattr(time, 'time')()", "time"),
    ("import datetime", "datetime.datetime.now()", "datetime.datetime.now"),
    ("import datetime as dt", "dt.date.today()", "datetime.date.today"),
    ("from datetime import datetime as dt, timezone", "dt.now(timezone.utc)", "datetime.datetime.now"),
    ("from datetime import datetime", "datetime.utcnow().isoformat()", "datetime.datetime.utcnow"),
    ("from datetime import date", "date.today().year", "datetime.date.today"),
    ("import datetime\nclock = datetime.datetime", "clock.now()", "datetime.datetime.now"),
    ("import datetime\na, b = datetime.date, datetime.datetime", "b.now()", "datetime.datetime.now"),
    ("import datetime\nd = None or datetime.datetime", "d.now()", "datetime.datetime.now"),
    ("import datetime\nd = datetime.date if 1 else None\ne = d", "e.today()", "datetime.date.today"),
    ("import pandas as pd", "pd.Timestamp.now()", "pandas.Timestamp.now"),
    ("import pandas as pd", "pd.Timestamp('now')", "pandas.Timestamp"),
    ("import pandas as pd", "pd.to_datetime(arg='Today')", "pandas.to_datetime"),
    ("import numpy as np", "np.datetime64('now')", "numpy.datetime64"),
    ("import random", "random.random()", "random.random"),
    ("from random import choice", "choice([1])", "random.choice"),
    ("import random\nrandom.seed(7)", "random.shuffle([])", "random.shuffle"),
    ("import random", "random.Random()", "random.Random"),
    ("import random", "random.Random(None)", "random.Random"),
    ("import random", "random.SystemRandom().random()", "random.SystemRandom"),
    ("import secrets", "secrets.token_hex()", "secrets.token_hex"),
    ("import uuid", "uuid.uuid4()", "uuid.uuid4"),
    ("from uuid import uuid1", "str(uuid1())", "uuid.uuid1"),
    ("import os", "os.urandom(8)", "os.urandom"),
    ("import numpy as np", "np.random.rand(3)", "numpy.random.rand"),
    ("import numpy.random as npr", "npr.normal()", "numpy.random.normal"),
    ("from numpy import random", "random.choice([1])", "numpy.random.choice"),
    ("import numpy as np\nrng = np.random", "rng.rand()", "numpy.random.rand"),
    ("import numpy as np", "np.random.default_rng()", "numpy.random.default_rng"),
    ("import numpy as np", "np.random.default_rng(seed=None)", "numpy.random.default_rng"),
    ("import numpy as np", "np.random.default_rng(*[])", "numpy.random.default_rng"),
    ("from numpy.random import RandomState", "RandomState()", "numpy.random.RandomState"),
    ("import os", "os.environ['HOME']", "os.environ"),
    ("import os", "os.environ.get('HOME')", "os.environ"),
    ("from os import environ", "dict(environ)", "os.environ"),
    ("import os", "os.getenv('HOME')", "os.getenv"),
    ("from os import *", "getenv('HOME')", "os.getenv"),
    ("import os", "os.getcwd()", "os.getcwd"),
    ("import os", "os.path.expanduser('~')", "os.path.expanduser"),
    ("from pathlib import Path", "Path.home() / 'x'", "pathlib.Path.home"),
    ("import sys", "sys.argv[1]", "sys.argv"),
    ("import sys", "vars(sys)['argv']", "sys.__dict__"),
    ("import sys", "sys.__dict__['argv']", "sys.__dict__"),
    ("import sys", "sys.version", "sys.version"),
    ("import pwd", "pwd.getpwuid(0)", "pwd.getpwuid"),
    (
        "from zoneinfo import available_timezones",
        "sorted(available_timezones())",
        "zoneinfo.available_timezones",
    ),
    ("from dateutil.rrule import DAILY, rrule", "rrule(DAILY, count=2)", "dateutil.rrule.rrule"),
    (
        "from statistics import NormalDist",
        "NormalDist().samples(3)",
        "statistics.NormalDist.().samples",
    ),
    ("import socket", "socket.gethostname()", "socket.gethostname"),
    ("import platform", "platform.node()", "platform.node"),
    ("import getpass", "getpass.getuser()", "getpass.getuser"),
    ("import dagster as dg", "dg.EnvVar('X').get_value()", "dagster.EnvVar.get_value"),
    ("import dagster as dg", "dg.AssetExecutionContext.get().run_id", "dagster.AssetExecutionContext.get"),
    ("from dagster import OpExecutionContext as C", "C.get().run_id", "dagster.OpExecutionContext.get"),
    ("from dagster import EnvVar\nX = EnvVar('X')", "X.get_value()", "dagster.EnvVar.get_value"),
    # files that hold the time at which they were written
    ("import gzip", "gzip.compress(b'a')", "gzip.compress"),
    ("import gzip, io", "gzip.GzipFile(fileobj=io.BytesIO(), mode='wb')", "gzip.GzipFile"),
    ("import io, zipfile", "zipfile.ZipFile(io.BytesIO(), 'w').writestr('a', 'b')", "zipfile.ZipFile"),
    ("import io, tarfile", "tarfile.open(fileobj=io.BytesIO(), mode='w:gz')", "tarfile.open"),
    ("import io", "x.to_csv(io.BytesIO(), compression='gzip')", "to_csv"),
    ("import io", "x.to_excel(io.BytesIO())", "to_excel"),
    # in queries and templates
    ("import duckdb", "duckdb.from_df(x).project('random()').pl()", "random in a query"),
    ("import duckdb", "duckdb.from_df(x).aggregate('now()').pl()", "now in a query"),
    ("", "x.execute(\"select datetime('now')\")", "now in a query"),
    ("", "x.execute(\"select datetime(t, 'localtime') from r\")", "localtime in a query"),
    ("", "x.execute('select randomblob(4)')", "randomblob in a query"),
    ("import sqlalchemy as sa", "x.scalar(sa.select(sa.func.now()))", "sqlalchemy.func.now"),
    ("from pyspark.sql import functions as F", "x.select(F.rand())", "pyspark.sql.functions.rand"),
    ("import ibis", "ibis.memtable(x).mutate(t=ibis.now())", "ibis.now"),
    ("import jinja2", "jinja2.Template('{{ x|random }}').render(x=x)", "random in a template"),
    ("import jinja2", "jinja2.Environment().from_string('{{ lipsum() }}').render()", "random in a template"),
    # by other names
    ("import datetime\nclass D(datetime.datetime): pass", "D.now()", "now"),
    ("import pandas as pd", "pd.Period.now('us')", "now"),
    ("import pandas as pd", "pd.to_datetime(['now'])", "pandas.to_datetime"),
    ("import pandas as pd", "pd.date_range(end='today', periods=1)", "pandas.date_range"),
    ("import numpy as np\nW = 'now'", "np.array([W, 'now'], 'M8[s]')", "numpy.array"),
    ("import pandas as pd\nW = 'now'", "pd.Timestamp(W)", "pandas.Timestamp"),
    ("import timeit", "timeit.default_timer()", "timeit.default_timer"),
    ("import tempfile", "tempfile.mktemp()", "tempfile.mktemp"),
    ("import os", "os.getpid()", "os.getpid"),
    ("import threading", "threading.get_ident()", "threading.get_ident"),
    ("", "id(x)", "id"),
    ("", "hash('abc')", "hash"),
    ("", "list(map(hash, x))", "hash"),
    ("", "sorted(x, key=id)", "id"),
    ("", "x.sample(3)", "sample"),
    ("", "x.sample(frac=1.0)", "sample"),
    ("", "x.a.shuffle()", "shuffle"),
    ("", "x.norm.rvs(size=3)", "rvs"),
    ("import polars as pl", "pl.sql('select CURRENT_DATE')", "current_date in a query"),
    ("", "x.execute('select random() from t')", "random in a query"),
    ("import datetime\nclass D(datetime.datetime): pass\ntick = D.now", "tick()", "now"),
    (
        "import datetime, functools",
        "functools.partial(datetime.datetime.now, None)()",
        "datetime.datetime.now",
    ),
    ("", "list(map(x.now, x))", "now"),
    ("", "(lambda df: [s := df.sample, s(3)])(x)", "sample"),
    ("import numpy as np", "(lambda m: m.random.normal())(np)", "numpy.random.normal"),
    ("import traceback", "traceback.format_exc()", "traceback.format_exc"),
    ("", "__import__('time').gmtime()", "time"),
    # asked of their class, or of its members
    ("import pandas as pd", "pd.DataFrame.sample(x, 3)", "sample"),
    ("import pandas.core.frame", "pandas.core.frame.DataFrame.sample(x)", "sample"),
    ("import polars as pl", "list(map(pl.DataFrame.sample, x))", "sample"),
    ("import datetime", "datetime.datetime.__dict__['now']", "datetime.datetime.__dict__"),
    ("import datetime", "vars(datetime.datetime)['now']", "datetime.datetime.__dict__"),
    ("import time", "time.__dict__['time']()", "time.__dict__"),
    ("import polars", "vars(polars)['read_parquet']('a')", "polars.__dict__"),
    ("", "x.__hash__()", "__hash__"),
    ("", "object.__hash__(x)", "__hash__"),
    ("", "input()", "input"),
    # without a seed that shows
    ("import numpy as np\nSEED = None", "np.random.default_rng(SEED)", "numpy.random.default_rng"),
    (
        "import numpy as np\nSEED = 7 if len([]) else None",
        "np.random.default_rng(SEED)",
        "numpy.random.default_rng",
    ),
    ("import random\nSEED = 0 or None", "random.Random(SEED)", "random.Random"),
    ("import random", "(lambda s=None: random.Random(s))().random()", "random.Random"),
    # by modules of other names
    ("import posix", "posix.environ[b'A']", "os.environ"),
    ("import posixpath", "posixpath.exists('a')", "os.path.exists"),
    ("from polars.io.parquet import read_parquet", "read_parquet('a')", "polars.read_parquet"),
    ("import pandas.io.parquet", "pandas.io.parquet.read_parquet('a')", "pandas.read_parquet"),
    ("import pyarrow.parquet as pq", "pq.core.read_table('a')", "pyarrow.parquet.read_table"),
    ("import importlib", "importlib.import_module('polars').read_parquet('a')", "polars.read_parquet"),
    ("m = __import__('polars')", "m.read_parquet('a')", "polars.read_parquet"),
    # the environment behind values
    ("from pathlib import Path", "Path('~').expanduser()", "expanduser"),
    ("import os", "os.__dict__['environ']", "os.__dict__"),
    ("import os", "getattr(os, 'environ')['A']", "os.environ"),
    ("import os\ng = lambda o: o.environ", "g(os)", "os"),
    ("import pathlib", "pathlib.os.environ['A']", "os.environ"),
    ("import shutil", "shutil.os.getcwd()", "os.getcwd"),
    (
        "from pydantic_settings import BaseSettings",
        "BaseSettings()",
        "pydantic_settings.BaseSettings",
    ),
    ("import dotenv", "dotenv.dotenv_values('.env')", "dotenv.dotenv_values"),
    ("from decouple import config", "config('A')", "decouple.config"),
    ("import locale", "locale.getlocale()", "locale.getlocale"),
    # existence, and other facts about files
    ("from pathlib import Path", "Path('a').exists()", "Path.exists"),
    ("from pathlib import Path", "Path('a').is_symlink()", "Path.is_symlink"),
    ("from pathlib import Path", "Path('a').stat().st_size", "Path.stat"),
    ("from pathlib import Path", "list(Path('a').glob('*'))", "Path.glob"),
    ("import os", "os.access('a', os.R_OK)", "os.access"),
    ("import os", "os.lstat('a')", "os.lstat"),
    ("import os", "os.path.lexists('a')", "os.path.lexists"),
    ("import os", "os.path.getctime('a')", "os.path.getctime"),
    ("import importlib.util", "importlib.util.find_spec('a')", "importlib.util.find_spec"),
    ("import shutil", "shutil.which('a')", "shutil.which"),
    ("import os", "list(filter(os.path.exists, x))", "os.path.exists"),
    ("from pathlib import Path", "list(filter(Path.exists, x))", "pathlib.Path.exists"),
    ("import operator", "list(filter(operator.methodcaller('exists'), x))", "Path.exists"),
    # native readers that are handed on
    ("import polars as pl", "{'a': pl.read_parquet}['a'](x)", "polars.read_parquet"),
    ("import polars as pl", "x.submit(pl.scan_parquet, x)", "polars.scan_parquet"),
    ("import pyarrow.parquet as pq", "(lambda r: r(x))(pq.read_table)", "pyarrow.parquet.read_table"),
    # this package's tables, and Dagster's events
    ("from jammi_dagster import ResultStore", "ResultStore('a').read('b')", "jammi_dagster.ResultStore"),
    (
        "import jammi_dagster",
        "jammi_dagster.ResultStoreResource(root='a').get()",
        "jammi_dagster.ResultStoreResource",
    ),
    ("import dagster as dg", "dg.DagsterInstance.get()", "dagster.DagsterInstance.get"),
    ("", "x.instance.get_latest_materialization_event(x)", "get_latest_materialization_event"),
    ("", "x.get_dynamic_partitions('a')", "get_dynamic_partitions"),
    (
        "import jammi_dagster as j",
        "j.ResultStoreResource.model_validate({}).get()",
        "jammi_dagster.ResultStoreResource.model_validate",
    ),
    (
        "from jammi_dagster import ResultStore",
        "[c('a') for c in (ResultStore,)]",
        "jammi_dagster.ResultStore",
    ),
    ("import dagster as dg", "dg.instance_for_test()", "dagster.instance_for_test"),
    ("import dagster as dg", "dg.build_asset_context().instance", "dagster.build_asset_context"),
]

HARMLESS = [
    ("import random\nclass R(random.Random): pass", "R(3).random()"),
    ("import numpy as np\nSEED = 3", "np.random.default_rng(SEED)"),
    ("import random", "(lambda s=3: random.Random(s))().random()"),
    ("", "vars(x), x.__dict__"),
    ("import time", "time.sleep(1)"),
    ("import time, random, os, secrets", "None"),
    ("import time", "time.localtime(0), time.gmtime(0), time.strftime('%Y', time.gmtime(0))"),
    ("import time", "(lambda time: time.time())(x)"),
    ("import datetime", "datetime.datetime(2020, 1, 1), datetime.datetime.fromisoformat(x)"),
    ("import pandas as pd", "pd.Timestamp('2020-01-01'), pd.to_datetime(x)"),
    ("import random", "random.Random(7).random()"),
    ("import random", "isinstance(x, random.Random)"),
    ("import numpy as np", "np.random.default_rng(42).random()"),
    ("import numpy as np", "np.random.default_rng(seed=x)"),
    ("import numpy as np\nSEED = None or 7", "np.random.default_rng(SEED)"),
    ("import numpy as np", "np.random.RandomState(1).rand()"),
    ("import numpy as np", "np.random.Generator(np.random.PCG64(1))"),
    ("import numpy as np", "np.array([1]).mean()"),
    ("import os", "os.path.join('a', 'b'), os.sep"),
    ("import uuid", "uuid.uuid5(uuid.NAMESPACE_DNS, 'a')"),
    ("import dagster as dg", "dg.EnvVar('X')"),
    ("import datetime", "datetime.datetime(2020, 1, 1).time(), datetime.time(1)"),
    ("", "x.sample(3, seed=1), x.sample(5, random_state=x)"),
    ("import random\nr = 1", "random.Random(1).sample(x, 2), random.Random(1).shuffle(x)"),
    ("class K:\n    def __hash__(self): return hash(self.a)", "K()"),
    ("", "[id for id in x]"),
    ("import pandas as pd", "pd.DataFrame({'now': x}), x['today']"),
    ("import duckdb", "x.execute('select now from t')"),
    ("import concurrent.futures, os.path", "os.path.basename(x)"),
    ("class Clock:\n    pass\nimport math as clock", "clock.today"),
    ("import duckdb, xarray", "isinstance(x, (xarray.Dataset, duckdb.DuckDBPyRelation))"),
    (
        "import io, pandas as pd\nR = {'a': pd.read_parquet}\ndef g(data: io.BytesIO): return R['a'](data)",
        "g(x)",
    ),
    ("class time:\n    @staticmethod\n    def time(): return 1", "time.time()"),
]


def _module(setup: str, expression: str) -> str:
    return f"{setup}\ndef f(x=None):\n    return {expression}\n"


@pytest.mark.parametrize(("setup", "expression", "what"), READS)
def test_a_read_is_found(project: Project, setup: str, expression: str, what: str) -> None:
    """Clock, randomness and environment are found whatever they are called in the module."""
    text = _module(setup, expression)
    found = {(read.what, read.where) for read in _outside(project, text)}
    line = text[: text.index("return")].count("\n") + 1
    assert (what, f"alone.py:{line}") in found


@pytest.mark.parametrize(("setup", "expression"), HARMLESS)
def test_what_reads_nothing_is_not_found(project: Project, setup: str, expression: str) -> None:
    """Seeded generators, arguments that leave nothing open, sleeping and mere imports are fine."""
    assert _outside(project, _module(setup, expression)) == ()


# Names of libraries that are not installed here, in the groups of the tables.
READER_NAMES = """
anyconfig.load dns.resolver.resolve gdown.download geopy.geocoders.Nominatim.().geocode git.Repo gettext.translation
sqlmodel.create_engine sqlalchemy.ext.asyncio.create_async_engine
glob.glob1 hydra.compose ibis.postgres.connect imageio.v3.imread intake.open_catalog jinja2.FileSystemLoader
jinja2.PackageLoader keyring.get_password ldap3.Connection.().search mako.lookup.TemplateLookup
omegaconf.OmegaConf.load pandas_datareader.data.DataReader pooch.retrieve requests_cache.CachedSession.().get
scipy.datasets.face smart_open.open tinydb.TinyDB toml.load wave.open xml.etree.ElementTree.parse
"""
NATIVE_NAMES = """
adbc_driver_postgresql.dbapi.connect ibis.duckdb.connect ibis.duckdb.connect.().read_csv
lmdb.open lxml.etree.parse lxml.html.parse plyvel.DB.().get pygit2.Repository
rdkit.Chem.MolFromMolFile
"""
CLOCK_NAMES = """
asyncio.get_event_loop.().time bson.ObjectId calendar.datetime.date.today dateparser.parse dateutil.utils.today
django.utils.timezone.now freezegun.api.real_time igraph.Graph.Erdos_Renyi maya.now networkx.random_layout
site.getsitepackages sysconfig.get_paths tzlocal.get_localzone
"""


@pytest.mark.parametrize("name", [*READER_NAMES.split(), *NATIVE_NAMES.split()])
def test_a_reader_of_a_library_is_known(name: str) -> None:
    """A library that reads files, the network or a service is found; its input may be declared."""
    found = outside_name(name, Call(("x",), {}))
    assert found is not None
    assert found.is_declarable
    assert (found.unwatched is not None) is (name in NATIVE_NAMES.split())


@pytest.mark.parametrize("name", CLOCK_NAMES.split())
def test_a_clock_of_a_library_is_known(name: str) -> None:
    """A library that asks the clock, chance or the machine is found; nothing may be declared for it."""
    found = outside_name(name, Call((), {}))
    assert found is not None
    assert not found.is_declarable


@pytest.mark.parametrize(
    ("name", "text", "reads"),
    [
        ("polars.sql", "select * from read_csv('x.csv')", True),
        ("polars.SQLContext.().execute", "select * from READ_PARQUET('x.parquet')", True),
        ("polars.sql", "select read_csv from t", False),
        ("duckdb.sql", "select * from t using sample 10", True),
        ("?.execute", "select * from t TABLESAMPLE reservoir(10)", True),
        ("duckdb.sql", "select * from t tablesample reservoir(10) repeatable (42)", False),
        ("duckdb.sql", "select * from t using sample 10% (bernoulli, 42)", False),
        ("duckdb.sql", "select sample, tablesample_id from t", False),
    ],
)
def test_a_query_that_reads_a_file_or_draws_is_found(name: str, text: str, reads: bool) -> None:
    """The query functions of polars read files natively; a sample without a seed is drawn by chance."""
    assert (ambient_word(name, Call((text,), {})) is not None) is reads


@pytest.mark.parametrize(
    "text",
    [
        "def f(x):\n    class C:\n        at = time.time()\n    return C.at",
        "def begin():\n    global AT\n    AT = time.time()\nbegin()\ndef f(x): return AT",
        "class B:\n    def __init_subclass__(cls): cls.at = time.time()\nclass C(B): pass\ndef f(x): return C.at",
        "class C(type):\n    def __getattr__(cls, at): return time.time()\nclass D(metaclass=C): 1\nf = lambda x: D.at",
        "def f(x):\n    def inner(at=time.time()): return at\n    return inner()",
        "print(AT := time.time())\ndef f(x): return AT",
    ],
)
def test_a_clock_in_any_place_is_found(project: Project, text: str) -> None:
    """In a class within a function, in a global that only a function binds, in hooks, and in defaults."""
    assert "time.time" in {read.what for read in project.of_source(f"import time\n{text}\n").outside}


def test_a_global_that_only_functions_bind_counts(project: Project) -> None:
    """The function that loading calls to bind it is a part of its code."""
    text = "def begin():\n    global K\n    K = 1\nbegin()\ndef f(x): return K\n"
    assert project.of_source(text).digest != project.of_source(text.replace("K = 1", "K = 2")).digest


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import random\nclass R(random.Random): pass\ndef f(x): return R().random()", "random.Random"),
        (
            "import random\nclass R(random.Random): pass\nr = R\ndef f(x): return list(map(r, x))",
            "random.Random",
        ),
        ("import random\nclass R(random.Random): pass\ndef f(x): return R(7).random()", ""),
        (
            "from jammi_dagster import ResultStoreResource as R\nclass S(R): pass\ndef f(x): return S(root=x).get()",
            "jammi_dagster.ResultStoreResource",
        ),
    ],
)
def test_a_subclass_reads_as_its_base_does(project: Project, text: str, found: str) -> None:
    """A first-party class is a generator of numbers, or a store, if its base is; a generator may be seeded."""
    assert {read.what for read in project.of_source(text).outside} == ({found} if found else set())


def _outside(project: Project, text: str) -> tuple[OutsideRead, ...]:
    """Return the reads of a module that the source imports and nobody runs."""
    project.write({"alone.py": text})
    project.write({"main.py": "def f():\n    import alone\n    return vars(alone)\n"})
    return project.identity("main.f").outside


def test_setting_the_environment_reads_nothing(project: Project) -> None:
    """An assignment to `os.environ[…]` is no read; `+=` is one."""
    assert _outside(project, "import os\nos.environ['A'] = 'b'\ndel os.environ['A']\n") == ()
    (read,) = _outside(project, "import os\nos.environ['A'] += 'b'\n")
    assert read.what == "os.environ"


@pytest.mark.parametrize(
    ("clock", "use"),
    [
        ("from time import time as now", "from helpers.clock import now\ndef f(): return now()"),
        ("from time import time as now", "from helpers import clock\ndef f(): return clock.now()"),
        ("from time import time as now", "import helpers.clock\ndef f(): return helpers.clock.now()"),
        ("from time import time as now", "from helpers.clock import *\ndef f(): return now()"),
        ("from time import *", "from helpers.clock import time\ndef f(): return time()"),
        ("import time", "from helpers.clock import time\ndef f(): return time.time()"),
        ("import time\nt = time", "from helpers.clock import t\ndef f(): return t.time()"),
    ],
)
def test_a_name_taken_from_another_module_is_followed(project: Project, clock: str, use: str) -> None:
    """A name that first-party modules hand on is found where it is used, not where it is imported."""
    project.write({"helpers/__init__.py": "", "helpers/clock.py": clock + "\n"})
    found = {read.what for read in _outside(project, use + "\n") if read.where == "alone.py:2"}
    assert found == {"time.time"}


def test_only_reached_code_counts(pipelines: Project) -> None:
    """A read counts in reached code, and nowhere else of its module."""
    pipelines.write({"pipelines/aside.py": "import time\ndef unused(): return time.time()\n"})
    pipelines.write({"pipelines/marks.py": "import time\nSTART = time.time()\ndef marked(f): return f\n"})
    assert pipelines.identity().outside == ()
    pipelines.replace("pipelines/marks.py", "return f", "return START and f")
    assert next(read.where for read in pipelines.identity().outside) == "pipelines/marks.py:2"


def test_every_place_is_told(project: Project) -> None:
    """Each place is its own entry, in the order of file and line."""
    text = "import time\ndef f(): return time.time()\ndef g(): return time.time(), time.monotonic()\n"
    assert [(read.what, read.where) for read in _outside(project, text)] == [
        ("time.time", "alone.py:2"),
        ("time.monotonic", "alone.py:3"),
        ("time.time", "alone.py:3"),
    ]


def test_a_local_variable_is_not_the_module_of_its_name(project: Project) -> None:
    """A parameter or local that hides an import is a variable; where both may be meant, the import is."""
    hidden = "import random\ndef f(random):\n    return random.choice\ndef g():\n    random = 1\n    return random\n"
    assert _outside(project, hidden) == ()
    both = "def f(flag):\n    if flag:\n        import random\n    else:\n        random = 1\n    random.random()\n"
    assert [read.what for read in _outside(project, both)] == ["random.random"]


def test_a_comprehension_variable_hides_nothing_else(project: Project) -> None:
    """The variable of a comprehension lives in it alone."""
    text = "import time\ndef f(xs):\n    return [time for time in xs], time.time()\n"
    assert "time.time" in {read.what for read in _outside(project, text)}


def test_variables_that_are_assigned_in_circles_end(project: Project) -> None:
    """Names that stand for each other in ever longer ways are followed so far and no further."""
    circles = "".join(f"    v{a} = v{b}.m{a}()\n" for a in range(12) for b in range(12))
    text = f"import time\ndef f(v0):\n{circles}    v3 = time\n    return v7.time(), v3.time()\n"
    assert "time.time" in {read.what for read in _outside(project, text)}


def test_a_global_import_is_seen_by_other_functions(project: Project) -> None:
    """A function that imports into the module's names does so for all of its functions."""
    text = "def load():\n    global t\n    import time as t\ndef f():\n    return t.time()\n"
    assert [read.where for read in _outside(project, text)] == ["alone.py:5"]


def test_the_main_block_does_not_count_in_an_import(project: Project) -> None:
    """A block for scripts counts by the names that it binds, and not otherwise."""
    text = (
        "def f(): pass\nif __name__ == '__main__':\n    import sys, time\n    print(sys.argv, time.time())\n"
    )
    before = project.of_source(text)
    assert before.outside == ()
    assert project.of_source(text.replace("sys.argv, ", "")) == before
    text = "K = 1\ndef f(): return K\nif __name__ == '__main__':\n    K = 2\n"
    assert project.of_source(text).digest != project.of_source(text.replace("K = 2", "K = 3")).digest


@pytest.mark.parametrize(
    ("setup", "expression", "depends"),
    [
        ("import time", "time.localtime(0)", True),
        ("import time", "time.mktime(x)", True),
        ("import datetime", "datetime.datetime.fromtimestamp(x)", True),
        ("import datetime", "datetime.datetime.fromtimestamp(x, datetime.timezone.utc)", False),
        ("", "x.timestamp()", True),
        ("", "x.timestamp('ms')", False),
        ("", "x.astimezone()", True),
        ("", "x.astimezone(tz=x)", True),  # a naive time is one of the machine
        ("import datetime", "x.apply(datetime.datetime.fromtimestamp)", True),
        ("", "x.strftime('%s')", True),
        ("", "x.strftime('%Y-%m-%d')", False),
        ("from dateutil import parser", "parser.parse(x)", True),
        ("import duckdb", "duckdb.sql('select hour(t) from x').pl()", True),
        ("import time", "time.gmtime(0)", False),
    ],
)
def test_naive_times_depend_on_the_time_zone(
    project: Project, monkeypatch: pytest.MonkeyPatch, setup: str, expression: str, depends: bool
) -> None:
    """Code that works with naive times is pinned to the time zone of the process; other code is not."""
    project.write({"alone.py": _module(setup, expression)})
    digests = []
    for zone in ("UTC", "Asia/Tokyo"):
        monkeypatch.setenv("TZ", zone)
        found = project.identity("alone.f")
        assert found.outside == ()
        digests.append(found.digest)
    assert (digests[0] != digests[1]) is depends


@pytest.mark.parametrize(
    ("expression", "library"),
    [
        ("x.to_pandas()", "pandas"),
        ("x.to_polars()", "polars"),
        ("x.to_numpy()", "numpy"),
        ("x.df()", "pandas"),
    ],
)
def test_the_library_behind_a_method_counts(project: Project, expression: str, library: str) -> None:
    """A conversion by a library that the code does not import has that library's version."""
    assert library in project.of_source(_module("", expression)).libraries
