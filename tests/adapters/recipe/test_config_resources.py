"""Resources that are config alone: an asset that takes one has no undeclared input."""

import itertools
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, table
from fingerprint_kit import installed

from jammi_dagster import code_identity, finalize, result_table
from jammi_dagster.adapters.assets.declaration import function_of
from jammi_dagster.adapters.assets.signature import shape_of
from jammi_dagster.adapters.assets.spec import TableSpec
from jammi_dagster.adapters.recipe.object_classes import is_config

Write = Callable[[str, str], ModuleType]

_number = itertools.count()

HEAD = """
import os, time
import dagster as dg
import pandas as pd
from pydantic import BaseModel, Field, PrivateAttr, field_validator, model_validator

class Plain(dg.ConfigurableResource):
    name: str = "a"

class Reading(dg.ConfigurableResource):
    def now(self): return time.time()

class Base(dg.ConfigurableResource):
    bucket: str = "b"
    def path(self, key): return f"{self.bucket}/{key}"
    def upload(self, key): return os.environ["TOKEN"]

def use(lake): return lake.path("a")
"""
USE = "def made(up, lake: Lake): return lake.path('x')\n"

CONFIG = {
    "fields alone": "class Lake(dg.ConfigurableResource):\n    bucket: str = 'b'\n"
    "def made(up, lake: Lake): return lake.bucket\n",
    "a method that computes": "class Lake(dg.ConfigurableResource):\n    bucket: str = 'b'\n"
    "    def path(self, key): return self.bucket + key\n" + USE,
    "another method reads": "Lake = Base\n" + USE,
    "a property": "class Lake(dg.ConfigurableResource):\n    @property\n    def path(self): return 'a'\n"
    "def made(up, lake: Lake): return lake.path\n",
    "a method by way of another": "class Lake(dg.ConfigurableResource):\n    def path(self, k): return self.inner(k)\n"
    "    def inner(self, k): return k\n    def other(self): return time.time()\n" + USE,
    "a hook that computes": "class Lake(dg.ConfigurableResource):\n    _root: str = PrivateAttr('')\n"
    "    def setup_for_execution(self, context): self._root = 'a' * 2\n    def path(self, k): return self._root + k\n"
    + USE,
    "a hook that makes a table": "class Lake(dg.ConfigurableResource):\n    _table: object = PrivateAttr(None)\n"
    "    def setup_for_execution(self, context): self._table = pd.DataFrame({'x': [1]})\n"
    "    def path(self, k): return self._table\n" + USE,
    "a validator": "class Lake(dg.ConfigurableResource):\n    n: int = 1\n    @field_validator('n')\n    @classmethod\n"
    "    def twice(cls, n): return 2 * n\n    def path(self, k): return k * self.n\n" + USE,
    "a nested resource": "class Lake(dg.ConfigurableResource):\n    plain: Plain\n"
    "    def path(self, k): return self.plain.name + k\n" + USE,
    "a generic base": "class Lake(dg.ConfigurableResource[int]):\n    def path(self, k): return k\n"
    "    def other(self): return time.time()\n" + USE,
    "the function uses nothing of it": "Lake = Base\ndef made(up, lake: Lake): return up\n",
}
READS = {
    "the method reads": "class Lake(dg.ConfigurableResource):\n    def path(self, k): return os.environ[k]\n"
    + USE,
    "a method behind the method": "class Lake(dg.ConfigurableResource):\n    def path(self, k): return self.inner(k)\n"
    "    def inner(self, k): return os.environ[k]\n" + USE,
    "a property": "class Lake(dg.ConfigurableResource):\n    @property\n    def path(self): return time.time()\n"
    "def made(up, lake: Lake): return lake.path\n",
    "setup": "class Lake(dg.ConfigurableResource):\n    _r: str = PrivateAttr('')\n"
    "    def setup_for_execution(self, context): self._r = os.environ['A']\n    def path(self, k): return self._r\n"
    + USE,
    "yield": "from contextlib import contextmanager\nclass Lake(dg.ConfigurableResource):\n    @contextmanager\n"
    "    def yield_for_execution(self, context):\n        self._r = os.environ['A']\n        yield self\n"
    "    def path(self, k): return self._r\n" + USE,
    "teardown": "class Lake(dg.ConfigurableResource):\n"
    "    def teardown_after_execution(self, context): os.environ['A']\n    def path(self, k): return k\n"
    + USE,
    "a helper of setup": "class Lake(dg.ConfigurableResource):\n    def setup_for_execution(self, context): self.go()\n"
    "    def go(self): return time.time()\n    def path(self, k): return k\n" + USE,
    "model_post_init": "class Lake(dg.ConfigurableResource):\n    _r: str = PrivateAttr('')\n"
    "    def model_post_init(self, context): self._r = os.environ['PATH']\n    def path(self, k): return self._r\n"
    + USE,
    "a validator": "class Lake(dg.ConfigurableResource):\n    n: str = 'x'\n    @field_validator('n', mode='before')\n"
    "    @classmethod\n    def env(cls, n): return os.environ.get('N', n)\n    def path(self, k): return self.n\n"
    + USE,
    "a default factory": "class Lake(dg.ConfigurableResource):\n    n: str = Field(default_factory=lambda: str(time.time()))\n"
    "    def path(self, k): return self.n\n" + USE,
    "handed to a helper": "Lake = Base\ndef made(up, lake: Lake): return use(lake)\n",
    "a computed name": "Lake = Base\ndef made(up, lake: Lake, m): return getattr(lake, m)('x')\n",
    "another name for it": "Lake = Base\ndef made(up, lake: Lake):\n    other = lake\n    return other.upload('x')\n",
    "a nested resource": "class Lake(dg.ConfigurableResource):\n    inner: Reading\n"
    "    def path(self, k): return self.inner.now()\n" + USE,
    "a base that reads": "class Lake(Reading):\n    def path(self, k): return self.now()\n" + USE,
    "a counter": "class Lake(dg.ConfigurableResource):\n    _n: int = PrivateAttr(0)\n    def path(self, k):\n"
    "        self._n += 1\n        return self._n\n" + USE,
    "a list that grows": "class Lake(dg.ConfigurableResource):\n    _n: list = PrivateAttr([])\n    def path(self, k):\n"
    "        self._n.append(k)\n        return len(self._n)\n" + USE,
    "an overridden method of the base": "class Lake(dg.ConfigurableResource):\n    def model_dump(self, **k): return os.environ\n"
    "    def path(self, k): return k\n" + USE,
    "a factory": "class Lake(dg.ConfigurableResource):\n    def create_resource(self, context): return time.time()\n"
    "def made(up, lake: Lake): return lake\n",
}


def _is_config(module: Write, text: str) -> bool:
    made = module(f"resource_{next(_number)}", HEAD + text)
    inner = {"plain": made.Plain(), "inner": made.Reading(), "theirs": getattr(made, "THEIRS", None)}
    lake = made.Lake(**{name: one for name, one in inner.items() if name in made.Lake.model_fields})
    spec = TableSpec(function=made.made, shape=shape_of(made.made), resource_keys=("lake",))
    return is_config(lake, spec.members_of("lake"))


@pytest.mark.parametrize("text", CONFIG.values(), ids=CONFIG)
def test_a_resource_whose_used_code_reads_nothing_is_config(module: Write, text: str) -> None:
    """Fields and the methods that the function reaches decide; a method that nobody reaches may read."""
    assert _is_config(module, text)


@pytest.mark.parametrize("text", READS.values(), ids=READS)
def test_a_resource_that_may_read_is_none(module: Write, text: str) -> None:
    """Reached methods, hooks, validators, defaults, bases, nested resources: each may bring in an input."""
    assert not _is_config(module, text)


def test_a_library_in_a_hook_may_read(module: Write) -> None:
    """Nothing watches `setup_for_execution`: a library that is not known to be quiet may read there."""
    text = (
        "import sqlalchemy\nclass Lake(dg.ConfigurableResource):\n    _e: object = PrivateAttr(None)\n"
        "    def setup_for_execution(self, context): self._e = sqlalchemy.MetaData()\n"
        "    def path(self, k): return k\n" + USE
    )
    assert not _is_config(module, text)


LAKE = "import dagster as dg\nclass Lake(dg.ConfigurableResource):\n    def path(self, k): return k\n"
OF_INTEGRATION = {
    "itself": "from dagster_{lib} import Lake\n" + USE,
    "a subclass": "from dagster_{lib} import Lake as Theirs\nclass Lake(Theirs): pass\n" + USE,
    "a nested resource": "import dagster_{lib}\nclass Lake(dg.ConfigurableResource):\n"
    "    theirs: dagster_{lib}.Lake\n    def path(self, k): return self.theirs.path(k)\n"
    "THEIRS = dagster_{lib}.Lake()\n" + USE,
}


@pytest.mark.parametrize("is_installed", [True, False], ids=["installed", "of the own source tree"])
@pytest.mark.parametrize("text", OF_INTEGRATION.values(), ids=OF_INTEGRATION)
def test_a_resource_of_an_integration_is_none(
    module: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, is_installed: bool
) -> None:
    """Code of `dagster_duckdb` and the like is not read: an asset that takes its resource may read a database."""
    library = f"dagster_lake_{next(_number)}"
    files = installed(library, "1.0", [f"{library}/__init__.py"]) if is_installed else {}
    for name, content in (files | {f"{library}/__init__.py": LAKE}).items():
        (tmp_path / "lib" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "lib" / name).write_text(content)
    monkeypatch.syspath_prepend(str(tmp_path / "lib"))
    asks = text.replace("dagster_{lib}", library)
    assert _is_config(module, asks) is not is_installed


@result_table
def base() -> pa.Table:
    return table(1)


def test_the_bound_instance_decides(lab: Lab, module: Write) -> None:
    """The function names a base class; the class that is bound may read where the base does not."""
    made = module(
        "bound_lake",
        """
        import os
        import dagster as dg
        import pyarrow as pa
        from jammi_dagster import result_table
        class Lake(dg.ConfigurableResource):
            bucket: str = "b"
            def path(self): return self.bucket
        class Other(Lake):
            def path(self): return os.environ.get("LAKE", "none")
        @result_table
        def stored(base: pa.Table, lake: Lake) -> pa.Table:
            return pa.table({"x": [lake.path()]})
        """,
    )
    declared = result_table(reads=[])(function_of(base))
    lab.more = {"lake": made.Lake(bucket="c")}
    assert lab.run([declared, made.stored]).why_unpinned("stored") == ""
    assert lab.run([declared, made.stored]).outcomes == {"base": "reused", "stored": "reused"}
    lab.more = {"lake": made.Lake(bucket="d")}
    assert lab.run([declared, made.stored]).outcomes["stored"] == "computed"
    lab.more = {"lake": made.Other()}
    why = lab.run([declared, made.stored]).why_unpinned("stored")
    assert "os.environ" in why
    assert "takes resources (lake)" in why


def test_a_resource_of_the_context_is_config_likewise(lab: Lab, module: Write) -> None:
    """`context.resources.lake` counts as the whole resource."""
    made = module(
        "context_lake",
        """
        import dagster as dg
        import pyarrow as pa
        from jammi_dagster import result_table
        class Lake(dg.ConfigurableResource):
            bucket: str = "b"
        @result_table(reads=[])
        def first() -> pa.Table:
            return pa.table({"x": [1]})
        @result_table(required_resource_keys={"lake"})
        def stored(context, first: pa.Table) -> pa.Table:
            return pa.table({"x": [context.resources.lake.bucket]})
        """,
    )
    lab.more = {"lake": made.Lake()}
    assert lab.run([made.first, made.stored]).why_unpinned("stored") == ""


def test_finalize_tells_the_bound_resources(lab: Lab, module: Write) -> None:
    """`code_identity` of an asset knows its resources once its definitions are finalized."""
    made = module(
        "finalized_lake",
        """
        import time
        import dagster as dg
        import pyarrow as pa
        from jammi_dagster import result_table
        class Lake(dg.ConfigurableResource):
            bucket: str = "b"
            def stamp(self): return 1
        class Clock(Lake):
            def stamp(self): return time.time()
        @result_table(reads=[])
        def first() -> pa.Table:
            return pa.table({"x": [1]})
        @result_table
        def stored(first: pa.Table, lake: Lake) -> pa.Table:
            return pa.table({"x": [lake.stamp()]})
        """,
    )
    assert not code_identity(made.stored).pinned
    for lake, pinned in ((made.Lake(), True), (made.Clock(), False)):
        resources = {**lab.resources, "lake": lake}
        defs = finalize(dg.Definitions(assets=[made.first, made.stored], resources=resources))
        found = code_identity(defs.resolve_assets_def("stored"))
        assert found.pinned is pinned, found.reasons
