"""Clocks that are only told, and seeds that a caller leaves out."""

# ruff: noqa: E501 - each row is one module

import pytest
from fingerprint_kit import Project

LOGS = (
    "import logging\nimport time, datetime as dt\nimport dagster as dg\nlog = logging.getLogger(__name__)\n"
)
TOLD = [
    "t = time.time()\n    log.info('%s s', time.time() - t)\n    return x",
    "t = dt.datetime.now(tz=dt.timezone.utc)\n    took = dt.datetime.now(tz=dt.timezone.utc) - t\n    context.log.info(f'{took.total_seconds():.1f}')\n    return x",
    "t = time.perf_counter()\n    context.add_output_metadata({'seconds': round(time.perf_counter() - t, 2)})\n    return x",
    "t = time.monotonic()\n    return dg.Output(x, metadata={'s': dg.MetadataValue.float(time.monotonic() - t)})",
    "t = time.monotonic()\n    return dg.MaterializeResult(value=x, metadata={'s': time.monotonic() - t, 'rows': len(x)})",
    "told = {'at': str(dt.datetime.now())}\n    told['rows'] = len(x)\n    context.add_output_metadata(told)\n    return x",
    "t = time.time()\n    y = [a for a in x]\n    print('took', time.time() - t, 'seconds')\n    return y",
    "import os\n    from concurrent.futures import ThreadPoolExecutor\n    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:\n        return list(pool.map(str, x))",
    "import uuid\n    log.debug('batch %s', uuid.uuid4())\n    return x",
    "for a in x:\n        log.info('%s at %s', a, dt.datetime.now().isoformat())\n    return x",
]
USED = [
    "return time.time()",
    "t = time.time()\n    log.info('%s', t)\n    return t",
    "t = time.time()\n    if time.time() - t > 1:\n        return x\n    return x",
    "t = time.time()\n    log.info('%s', t)\n    return [lambda: t]",
    "t = time.time()\n    x.log.append(t)\n    return x",
    "t = dt.datetime.now()\n    return dg.Output(x, data_version=dg.DataVersion(str(t)))",
    "t = dt.datetime.now()\n    return dg.Output(t, metadata={'at': str(t)})",
    "t = time.time()\n    told = {'at': t}\n    context.add_output_metadata(told)\n    return told",
    "x['at'] = time.time()\n    context.add_output_metadata(x)\n    return x",
    "import io\n    out = io.StringIO()\n    print(time.time(), file=out)\n    return out.getvalue()",
    "return log.info('%s', time.time()) or time.time_ns()",
    "while time.time() % 2:\n        pass\n    return x",
    "import os\n    return os.cpu_count()",
    "import os\n    return [x[i] for i in range(os.cpu_count())]",
    "global T\n    T = time.time()\n    log.info('%s', T)\n    return x",
    "t = time.time()\n    def inner():\n        return t\n    log.info('%s', t)\n    return inner()",
    "return sorted(x, key=lambda a: time.time())",
]


@pytest.mark.parametrize("body", TOLD)
def test_a_clock_that_is_only_told_is_no_read(project: Project, body: str) -> None:
    """A value that goes into the log, into metadata or into a number of workers changes no table."""
    project.write({"told.py": f"{LOGS}def f(context, x):\n    {body}\n"})
    assert project.identity("told.f").outside == ()


@pytest.mark.parametrize("body", USED)
def test_a_clock_that_is_used_is_a_read(project: Project, body: str) -> None:
    """A value that is returned, decides anything, or goes into a container of the caller is a read."""
    project.write({"used.py": f"{LOGS}def f(context, x):\n    {body}\n"})
    assert project.identity("used.f").outside


DRAW = "import numpy as np\ndef draw(x, seed=None, *, rng=None):\n    return np.random.default_rng(seed).choice(x)\n"


@pytest.mark.parametrize(
    ("call", "is_chance"),
    [
        ("draw(x, 7)", False),
        ("draw(x, seed=7)", False),
        ("draw(x, config.seed)", False),
        ("draw(x)", True),
        ("draw(x, None)", True),
        ("draw(x, rng=7)", True),
        ("[draw(x, 7), draw(x)]", True),
        ("list(map(draw, x))", True),
        ("(lambda d: d(x))(draw)", True),
    ],
)
@pytest.mark.parametrize("style", ["own", "imported", "module"])
def test_a_seed_that_is_left_out_is_chance(project: Project, call: str, is_chance: bool, style: str) -> None:
    """A helper with `seed=None` draws by chance where a reached call does not give the seed."""
    if style == "own":
        project.write({"flow.py": f"{DRAW}def f(x, config):\n    return {call}\n"})
    elif style == "imported":
        project.write(
            {"lib.py": DRAW, "flow.py": f"from lib import draw\ndef f(x, config):\n    return {call}\n"}
        )
    else:
        qualified = call.replace("draw", "lib.draw")
        project.write({"lib.py": DRAW, "flow.py": f"import lib\ndef f(x, config):\n    return {qualified}\n"})
    assert bool(project.identity("flow.f").outside) is is_chance


@pytest.mark.parametrize(
    "helper",
    [
        "def g(x, seed=None): return x.sample(2, random_state=seed)",
        "import random\ndef g(x, seed=None): return random.Random(seed).choice(x)",
        "import random\nclass C:\n    def __init__(self, seed=None): self.r = random.Random(seed)\ndef g(x): return C(3).r.random()",
        "import random\ndef h(x, seed=None): return random.Random(seed).choice(x)\ndef g(x, seed=None): return h(x, seed)",
    ],
)
def test_siblings_of_a_seed_that_is_left_out(project: Project, helper: str) -> None:
    """The same for samples, other generators, constructors, and seeds that are handed on."""
    project.write({"flow.py": f"{helper}\ndef f(x):\n    return g(x)\n"})
    assert project.identity("flow.f").outside


@pytest.mark.parametrize(("default", "is_chance"), [("None", True), ("7", False)])
def test_the_function_itself_may_be_called_without_its_seed(
    project: Project, default: str, is_chance: bool
) -> None:
    """Nobody gives the seed of the function that is identified: with the default None it draws by chance."""
    project.write({"flow.py": f"def f(x, seed={default}):\n    return x.sample(2, random_state=seed)\n"})
    assert bool(project.identity("flow.f").outside) is is_chance


LOCAL = [
    ("import io, tarfile", "tarfile.open(fileobj=io.BytesIO(x), mode='r:gz').getmembers()"),
    ("import gzip, io", "gzip.GzipFile(fileobj=io.BytesIO(x)).read()"),
    ("import duckdb", "duckdb.sql('select * from x').arrow().read_all()"),
    ("import polars as pl", "pl.SQLContext(t=x).execute('select a from t').collect()"),
]
NOT_LOCAL = [
    ("import tarfile", "tarfile.open(fileobj=open('a.tar', 'rb')).getmembers()"),
    ("import tarfile", "tarfile.open(x, mode='r:gz').getmembers()"),
    ("import tarfile", "tarfile.open(name=x).getmembers()"),
    ("import polars as pl", "pl.SQLContext(t=x).execute(\"select * from read_csv('a.csv')\").collect()"),
    ("import polars as pl", "pl.SQLContext(register_globals=True).execute('select a from t').collect()"),
    ("import polars as pl", "pl.SQLContext(t=x).execute(x.text).collect()"),
    ("import polars as pl", "x.use(pl.SQLContext(t=x))"),
]


@pytest.mark.parametrize(("setup", "expression"), LOCAL)
def test_readers_of_values_in_memory_read_nothing(project: Project, setup: str, expression: str) -> None:
    """An open file that is given by name, a result of a query, and a context of frames are the body's own."""
    project.write({"flow.py": f"{setup}\ndef f(x):\n    return {expression}\n"})
    identity = project.identity("flow.f")
    assert (identity.outside, identity.unresolved) == ((), ())


@pytest.mark.parametrize(("setup", "expression"), NOT_LOCAL)
def test_siblings_that_read_files_are_found(project: Project, setup: str, expression: str) -> None:
    """A path, a file of the disk, a query that names a file or is computed, and a context that is handed on."""
    project.write({"flow.py": f"{setup}\ndef f(x):\n    return {expression}\n"})
    identity = project.identity("flow.f")
    assert identity.outside or identity.unresolved


def test_a_context_in_a_variable(project: Project) -> None:
    """All uses of the variable must be queries over the frames that it was given."""
    text = (
        "import polars as pl\ndef f(x):\n    c = pl.SQLContext(t=x)\n    c.register('u', x)\n"
        "    return c.execute('select * from t join u using (a)').collect()\n"
    )
    assert project.of_source(text).outside == ()
    assert project.of_source(text.replace("return", "x.keep(c)\n    return")).outside


PACKAGED = (
    "import importlib.resources\nimport pandas as pd\ndef f(x):\n"
    "    source = importlib.resources.files('pkg') / 'codes.csv'\n"
    "    with source.open() as file:\n        return pd.read_csv(file)\n"
)


def test_a_packaged_file_in_a_variable(project: Project) -> None:
    """A file of the package that is opened by a variable counts by its content; a folder that is listed is a read."""
    files = {"pkg/__init__.py": "", "pkg/codes.csv": "a,b\\n", "pkg/flow.py": PACKAGED}
    project.write(files)
    before = project.identity("pkg.flow.f")
    assert before.outside == ()
    project.write({"pkg/codes.csv": "a,c\\n"})
    assert project.identity("pkg.flow.f").digest != before.digest
    listed = PACKAGED.replace("with source", "list(source.iterdir())\n    with source")
    assert project.write({"pkg/flow.py": listed}).identity("pkg.flow.f").outside
    computed = PACKAGED.replace("/ 'codes.csv'", "/ x")
    assert project.write({"pkg/flow.py": computed}).identity("pkg.flow.f").outside
