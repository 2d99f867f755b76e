"""Calls that look like reads of the outside world: some of them do no harm, and the code shows it."""

import pytest
from fingerprint_kit import Project

from jammi_dagster.fingerprint.known_names.harmless import is_local_query

HEAD = """
import datetime, io, logging, os, random, tempfile, time, zipfile
from datetime import datetime as dt
from pathlib import Path
import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv
log = logging.getLogger(__name__)
PATH = "a.csv"
"""
CON = "CON = duckdb.connect()\n"

HARMLESS = {
    "an item of a table for the log": "d = {}\nd['t'] = time.time()\nlog.info(d)\nreturn up",
    "elapsed in the log": "t = time.time()\nlog.info('%s', time.time() - t)\nreturn up",
    "printed": "s = time.perf_counter()\nprint(f'{time.perf_counter() - s:.1f} s')\nreturn up",
    "by way of three variables": "a = time.time()\nb = time.time() - a\nc = round(b, 2)\nlog.debug(c)\nreturn up",
    "a method of it": "a = dt.now()\nlog.info((dt.now() - a).total_seconds())\nreturn up",
    "in a text": "log.info('{} s'.format(time.time()))\nreturn up",
    "a logger of the body": "mine = logging.getLogger('a')\nmine.warning(time.time())\nreturn up",
    "Dagster's logger": "import dagster as dg\ndg.get_dagster_logger().info(time.time())\nreturn up",
    "the log of the context": "context.log.info(time.time())\nreturn up",
    "metadata": "a = time.time()\ncontext.add_output_metadata({'seconds': time.time() - a})\nreturn up",
    "added up": "n = 0\nfor x in up:\n    n += time.time()\nlog.info(n)\nreturn up",
    "an inner function logs it": "t = time.time()\ndef tell(): log.info(t)\ntell()\nreturn up",
    "a trace in the log": "import traceback\ntry: x = up[0]\nexcept KeyError: log.error(traceback.format_exc())\nreturn up",
    "a seed": "random.seed(3)\nreturn random.random()",
    "a seed of numpy": "np.random.seed(len(up))\nx = [np.random.rand() for _ in up]\nreturn x",
    "a seed before a loop": "random.seed(a=3) if False else None\nrandom.seed(4)\nfor x in up: random.shuffle(up)\nreturn up",
    "a buffer": "return pd.read_csv(io.StringIO(up))",
    "a buffer with a name": "b = io.BytesIO(up)\nreturn pd.read_excel(b)",
    "a buffer of polars": "return pl.read_csv(io.StringIO(up))",
    "a buffer of pyarrow": "return pa.csv.read_csv(pa.BufferReader(up))",
    "an archive in memory": "with zipfile.ZipFile(io.BytesIO(up)) as z: return z.namelist()",
    "a temporary file": "with tempfile.NamedTemporaryFile() as t:\n    up.to_csv(t.name)\n    return pd.read_csv(t.name)",
    "a temporary folder": "with tempfile.TemporaryDirectory() as d:\n    p = Path(d) / 'a.csv'\n    up.to_csv(p)\n"
    "    return pd.read_csv(p)",
    "a text of it": "with tempfile.TemporaryDirectory() as d:\n    up.to_csv(f'{d}/a.csv')\n    return open(f'{d}/a.csv').read()",
    "os.path of it": "with tempfile.TemporaryDirectory() as d: return Path(os.path.join(d, 'a')).read_text()",
    "duckdb over a frame": "return duckdb.sql('select * from up').df()",
    "a connection in memory": "con = duckdb.connect()\nreturn con.execute('select x from up where y = 3').df()",
    "a named query": "q = 'with a as (select * from up) select * from a'\nreturn duckdb.query(q).pl()",
    "a registered table": "con = duckdb.connect(':memory:')\ncon.register('t', up)\ncon.execute('create table u as from t')\n"
    "return con.sql('select x from u').fetchall()",
    "parts of a query": "return duckdb.sql('select * from up').filter('x > 3').order('x').df()",
}
HARMFUL = {
    "an item of a table that others hold": "d = up\nd['t'] = time.time()\nlog.info(d)\nreturn up",
    "an item of a part of one": "d = up['m']\nd['t'] = time.time()\nlog.info(d)\nreturn up",
    "an item of a table with two names": "d = {}\ne = d\nd['t'] = time.time()\nlog.info(d)\nreturn e",
    "not used at all": "time.time()\nreturn up",
    "returned": "t = time.time()\nprint(t)\nreturn t",
    "decides": "t = time.time()\nif time.time() - t > 3: return 1\nreturn up",
    "a loop that waits": "t = time.time()\nn = 0\nwhile time.time() - t < 1: n += 1\nreturn n",
    "an attribute": "up.t = time.time()\nreturn up",
    "an item": "up['t'] = time.time()\nreturn up",
    "an argument": "return up.assign(t=time.time())",
    "appended": "a = []\na.append(time.time())\nreturn a",
    "a walrus": "log.info(t := time.time())\nreturn t",
    "a default": "t = time.time()\ndef inner(x=t): return x\nreturn inner()",
    "the log's value is used": "return log.info(time.time()) or up",
    "another object's log": "up.log.info(time.time())\nreturn up",
    "an unknown log": "tracker.info(time.time())\nreturn tracker.last",
    "a context that is made here": "context = up\ncontext.log.info(time.time())\nreturn up",
    "a global": "global T\nT = time.time()\nreturn T",
    "locals": "t = time.time()\nreturn locals()",
    "a test of it": "t = time.time()\nx = 1 if t > 3 else 2\nreturn x",
    "raised": "t = time.time()\nraise ValueError(t)",
    "a data version": "context.add_output_metadata({'dagster/data_version': str(time.time())})\nreturn up",
    "a draw before the seed": "x = random.random()\nrandom.seed(3)\nreturn x",
    "a seed of something else": "np.random.seed(3)\nreturn random.random()",
    "a seed under a test": "if up: random.seed(3)\nreturn random.random()",
    "no seed in it": "random.seed()\nreturn random.random()",
    "seeded anew by chance": "random.seed(3)\nrandom.seed(None)\nreturn random.random()",
    "a generator that is made": "np.random.seed(3)\nreturn np.random.default_rng().random()",
    "chance of the system": "random.seed(3)\nreturn random.SystemRandom().random()",
    "drawn later": "random.seed(3)\nreturn lambda: random.random()",
    "a generator": "random.seed(3)\nyield random.random()",
    "a variable that is a path too": "b = io.BytesIO(up)\nb = PATH\nreturn pd.read_csv(b)",
    "a buffer beside a path": "b = io.BytesIO(up)\nreturn pd.read_csv(PATH)",
    "a buffer of a file": "return pd.read_csv(io.StringIO(open('a.csv').read()))",
    "an absolute path below it": "with tempfile.TemporaryDirectory() as d: return pd.read_csv(Path(d) / '/etc/a.csv')",
    "a path above it": "with tempfile.TemporaryDirectory() as d: return pd.read_csv(f'{d}/../a.csv')",
    "a computed path below it": "with tempfile.TemporaryDirectory() as d: return pd.read_csv(Path(d) / up)",
    "the order of the disk": "with tempfile.TemporaryDirectory() as d: return list(Path(d).iterdir())",
    "the folder of all temporary files": "return open(tempfile.gettempdir() + '/a').read()",
    "the name is another by now": "with tempfile.TemporaryDirectory() as d:\n    d = 'a'\n    return pd.read_csv(f'{d}/a.csv')",
    "its name": "with tempfile.NamedTemporaryFile() as t: return t.name",
    "a name in the data": "with tempfile.TemporaryDirectory() as d:\n    p = f'{d}/a'\n    return {'path': str(p)}",
    "a connection that is handed on": "con = duckdb.connect()\nreturn up.read(con)",
    "a file of duckdb": "return duckdb.sql(\"select * from 'a.csv'\").df()",
    "a reader of duckdb": "return duckdb.sql(\"select * from read_csv('a.csv')\").df()",
    "a reader with a plain name": "return duckdb.sql(\"select * from read_csv('a')\").df()",
    "a double-quoted file": "return duckdb.sql('select * from \"a.csv\"').df()",
    "a second table is a file": "return duckdb.sql(\"select * from up, 'b.csv'\").df()",
    "a database": "con = duckdb.connect('a.duckdb')\nreturn con.sql('select 1').df()",
    "attached": "con = duckdb.connect()\ncon.execute(\"attach 'a.db' as a\")\nreturn con.sql('select 1').df()",
    "a computed query": "return duckdb.sql(f'select * from {up}').df()",
    "a connection that steps share": "return CON.sql('select * from t').df()",
    "the clock in a query": "return duckdb.sql('select now() from up').df()",
    "chance in a query": "return duckdb.sql('select random() from up').df()",
    "a table of the process": "duckdb.sql('create table t as from up')\nreturn duckdb.sql('select * from t').df()",
    "a reader in a part": "return duckdb.sql('select * from up').filter(\"x in (from 'a.csv')\").df()",
    "the environment": "return duckdb.sql(\"select getenv('A') from up\").df()",
}


def _body(project: Project, body: str) -> tuple[object, ...]:
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    found = project.of_source(f"{HEAD}{CON if 'CON' in body else ''}def f(context, up):\n{lines}\n")
    return (*found.outside, *found.unresolved)


@pytest.mark.parametrize("body", HARMLESS.values(), ids=HARMLESS)
def test_a_read_without_effect_does_no_harm(project: Project, body: str) -> None:
    """No result depends on it: it goes to people alone, is seeded, or is of a value that the body has."""
    assert _body(project, body) == ()


@pytest.mark.parametrize("body", HARMFUL.values(), ids=HARMFUL)
def test_a_read_that_may_reach_the_result_counts(project: Project, body: str) -> None:
    """One way to the result, or one that cannot be told, is enough."""
    assert _body(project, body) != ()


@pytest.mark.parametrize(
    "text", ["from up", "SELECT a.b FROM up a;", "select 'a b' as c from up join v using (x)"]
)
def test_queries_over_local_tables(text: str) -> None:
    """A query that names tables alone reads no file."""
    assert is_local_query(text, only_reads=True)


def test_loading_time_is_no_log(project: Project) -> None:
    """The value of a name of a module may be used by others: the clock counts there, whoever logs it."""
    project.write({"cfg.py": "import time\nNOW = time.time()\nprint(NOW)\n"})
    assert project.of_source("from cfg import NOW\ndef f(): return NOW").outside
