"""The target of a command: code, as the `dagster` command names it, or a store."""

from __future__ import annotations

import contextlib
import difflib
import functools
import json
import os
import shlex
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from jammi_dagster.cli import loading
from jammi_dagster.cli.loading import CodeLocation
from jammi_dagster.cli.render import working
from jammi_dagster.contract.redaction import redacted_text, redacted_url
from jammi_dagster.contract.tables import asset_of
from jammi_dagster.errors import CatalogNotThere, InvalidStore, InvalidTarget, UnknownDeployment, UnknownTable

if TYPE_CHECKING:
    import dagster as dg

    from jammi_dagster.adapters.judgement.evaluator import Evaluator
    from jammi_dagster.store import ResultStore

_F = TypeVar("_F", bound=Callable[..., Any])

_CODE = (
    click.option("-f", "--python-file", metavar="FILE", help="A Python file with the definitions."),
    click.option("-m", "--module-name", metavar="MODULE", help="A module with the definitions."),
    click.option("-a", "--attribute", metavar="NAME", help="Their name in the file or module."),
    click.option(
        "-d", "--working-directory", metavar="FOLDER", help="The folder that the code imports from."
    ),
    click.option("-w", "--workspace", metavar="FILE", help="A workspace.yaml."),
    click.option("-l", "--location", metavar="NAME", help="One code location of several in a workspace."),
)
_STORE = (
    click.option(
        "--store", metavar="ROOT", help="The root of a store: a folder or a URL. No code is loaded."
    ),
    click.option("--catalog", metavar="CATALOG", help="Its catalog: a file or a database URL."),
    click.option("--tenant", metavar="NAME", help="The tenant whose tables are asked for."),
    click.option(
        "--storage-options", metavar="JSON", help="Options of its storage; @FILE reads them from a file."
    ),
)
_DEPLOYMENT = (
    click.option("--deployment", metavar="NAME", help="The deployment whose tables count."),
    click.option(
        "--parent",
        metavar="NAME",
        help="The deployment whose tables it reads where it has none of that name.",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The code or the store that a command asks about. Raises `click.UsageError` where the options name neither."""

    python_file: str | None = None
    module_name: str | None = None
    attribute: str | None = None
    working_directory: str | None = None
    workspace: str | None = None
    location: str | None = None
    store: str | None = None
    catalog: str | None = None
    tenant: str | None = None
    storage_options: str | None = None
    deployment: str | None = None
    parent: str | None = None
    assets: dict[str, bool | None] = field(
        default_factory=dict, init=False
    )  # of the code; on its store, once known

    def __post_init__(self) -> None:
        code = [self.python_file, self.module_name, self.workspace]
        if sum(one is not None for one in code) > 1:
            raise click.UsageError("give one of -f, -m and -w")
        if self.store is not None and any(one is not None for one in code):
            raise click.UsageError("give code (-f, -m, -w) or --store, not both")
        if self.store is None and (self.catalog or self.tenant or self.storage_options):
            raise click.UsageError("--catalog, --tenant and --storage-options belong to --store ROOT")
        if (self.attribute or self.working_directory) and not (self.python_file or self.module_name):
            raise click.UsageError("--attribute and --working-directory belong to -f FILE or -m MODULE")

    @property
    def has_code(self) -> bool:
        """Tell whether the target is code: so it is without --store."""
        return self.store is None

    def again(self, *words: str) -> str:
        """Return another command on the same target, quoted for the shell and without secrets."""
        given: dict[str, str | None] = {one.name: getattr(self, one.name) for one in fields(self) if one.init}
        if given["storage_options"] and not given["storage_options"].startswith("@"):
            given["storage_options"] = "@FILE"
        options = [
            (f"--{name.replace('_', '-')}", redacted_text(value)) for name, value in given.items() if value
        ]
        return shlex.join(("jammi-dagster", *words, *(part for option in options for part in option)))

    # --- code -----------------------------------------------------------------------------------------

    def load(self) -> dg.RepositoryDefinition:
        """Load the code. Raise `CodeNotLoaded`, and `click.UsageError` where none is named."""
        location = self._location()
        with working(f"loading {location.shown}"):
            return location.load()

    @contextlib.contextmanager
    def instance(self) -> Iterator[dg.DagsterInstance]:
        """Open the Dagster instance of `DAGSTER_HOME`, or an empty one."""
        from jammi_dagster.adapters.code_location.location import instance_at_hand

        with instance_at_hand() as instance:
            yield instance

    def as_of_dagster(self) -> tuple[dict[str, Any], str | None]:
        """Return the code as the options of the `dagster` command name it, and the name of the code location."""
        if self.workspace is not None:
            return {"workspace": (self.workspace,)}, self._location().name
        if self.python_file is None and self.module_name is None:
            return {}, self._location().name
        named = {"python_file": self.python_file, "module_name": self.module_name}
        code: dict[str, Any] = {option: (name,) for option, name in named.items() if name is not None}
        return {**code, "attribute": self.attribute, "working_directory": self.working_directory}, None

    @contextlib.contextmanager
    def evaluator(self) -> Iterator[Evaluator]:
        """Load the code, and give a judge of its tables."""
        repository = self.load()
        from jammi_dagster.adapters.code_location.location import Location
        from jammi_dagster.adapters.judgement.evaluator import Evaluator

        with self.instance() as instance:
            evaluator = Evaluator(
                Location(repository, instance, deployment=self.deployment, parent=self.parent)
            )
            self.assets.update((key.to_user_string(), None) for key in evaluator.location.select("*"))
            yield evaluator

    def _location(self) -> CodeLocation:
        directory = self.working_directory
        if self.python_file is not None:
            return CodeLocation(
                kind="file", place=self.python_file, attribute=self.attribute, working_directory=directory
            )
        if self.module_name is not None:
            return CodeLocation(
                kind="module", place=self.module_name, attribute=self.attribute, working_directory=directory
            )
        found = self._listed()
        if self.location is not None:
            found = [one for one in found if self.location in (one.name, one.place)]
        if len(found) != 1:
            names = ", ".join(one.shown for one in self._listed())
            raise click.UsageError(f"name one code location with --location: {names}")
        return found[0]

    def _listed(self) -> list[CodeLocation]:
        if self.workspace is not None:
            return loading.of_workspace(self.workspace)
        if found := loading.of_pyproject():
            return found
        for name in loading.WORKSPACES:
            if os.path.exists(name):
                return loading.of_workspace(name)
        raise click.UsageError(
            "no code and no store: give -f FILE, -m MODULE or -w WORKSPACE, --store ROOT for a command that needs no "
            "code, or run it where pyproject.toml has [tool.dagster] or [tool.dg.project]"
        )

    # --- the store ------------------------------------------------------------------------------------

    def open(self, *, may_make: bool = False) -> ResultStore:
        """Open the store: that of --store, or the one that the code's assets are on. Raise `InvalidStore`.

        Raise `CatalogNotThere`, too: a folder without a catalog is no store, unless a new catalog `may_make` one of it.
        """
        store = self._of_code() if self.store is None else self._of_options(may_make=may_make)
        return self.checked(store, may_make=may_make)

    def checked(self, store: ResultStore, *, may_make: bool = False) -> ResultStore:
        """Check a store that was opened, and return it. Raise `CatalogLost`, unless a new catalog `may_make` one of it.

        Raise `UnknownDeployment`, too, for a deployment without a table, where others have any.
        """
        from jammi_dagster.catalog import CatalogReader

        if not may_make:
            store.binding.check_not_lost()
        named = self.deployment
        if named is not None and isinstance(store.reader, CatalogReader):
            others = store.reader.deployments()
            if others and named not in others and store.scope.parent not in others:
                raise UnknownDeployment(deployment=named, root=store.artifacts.name, others=", ".join(others))
        return store

    def _of_options(self, *, may_make: bool) -> ResultStore:
        from jammi_dagster.artifacts import absolute_root
        from jammi_dagster.catalog.urls import absolute_catalog
        from jammi_dagster.store import ResultStore

        root, options = str(self.store), _json(self.storage_options)
        here = _present_folder(root, self.catalog or "")
        if not may_make:
            _check_there(root, self.catalog)
        store = ResultStore(
            absolute_root(root, project=here),
            self.catalog and absolute_catalog(self.catalog, project=here),
            tenant=self.tenant,
            deployment=self.deployment,
            parent=self.parent,
            storage_options=options,
        )
        return store if store.scope.parent else store.of_deployment(store.scope.deployment)

    def _of_code(self) -> ResultStore:
        with self.evaluator() as evaluator:
            return self.store_of(evaluator)

    def telling(self, stack: contextlib.ExitStack) -> tuple[ResultStore, Callable[[], None]]:
        """Open the store as `open` does, and return a function that tells Dagster of moves made outside of a run.

        It does nothing without code, or without a Dagster instance that lasts.
        """
        if not self.has_code:
            return self.open(), lambda: None
        evaluator = stack.enter_context(self.evaluator())
        store = self.checked(self.store_of(evaluator))
        if evaluator.location.instance.is_ephemeral:
            return store, lambda: None
        from jammi_dagster.adapters.launching.outgoing_events import send_events

        return store, lambda: send_events(evaluator, store)

    def store_of(self, evaluator: Evaluator) -> ResultStore:
        """Return the one store of the code. Raise `InvalidStore` for none, and `click.UsageError` for several."""
        assets = evaluator.assets(evaluator.location.select("*"))
        self.assets.update(dict.fromkeys(self.assets, False) | {asset.shown: True for asset in assets})
        stores = {asset.store.identity: asset.store for asset in assets}
        if not stores:
            problem = next(iter(evaluator.problems.values()), "no asset is on a ResultTableIOManager")
            raise InvalidStore(root="of the code", why=f"{problem}; give --store ROOT")
        if len(stores) > 1:
            roots = ", ".join(sorted(identity.root for identity in stores))
            raise click.UsageError(f"the code has {len(stores)} stores ({roots}): give one with --store")
        return next(iter(stores.values()))


_NEEDS_CODE = "this command reads code: give -f FILE, -m MODULE or -w WORKSPACE, without --store"


def target(*, code: bool = True, store: bool = True, deployment: bool = True) -> Callable[[_F], _F]:
    """Add the options that name a target, and pass the function a `Target` as `target`."""
    options = [*(_CODE if code else ()), *(_STORE if store else ()), *(_DEPLOYMENT if deployment else ())]
    if not store:  # named by mistake, it is answered with the way out
        options.append(click.option("--store", hidden=True, help="Not taken: the command reads code."))
    names = {one.name for one in fields(Target) if one.init}

    def decorate(function: _F) -> _F:
        @functools.wraps(function)
        def run(*args: Any, **given: Any) -> Any:
            own = {name: given.pop(name) for name in names & set(given)}
            if not store and own.pop("store", None) is not None:
                raise click.UsageError(_NEEDS_CODE)
            asked = Target(**own)
            try:
                return function(*args, target=asked, **given)
            except UnknownTable as error:
                if not asked.assets:
                    raise
                raise _beside_assets(error, asked.assets) from None

        for option in reversed(options):
            run = option(run)
        return run  # type: ignore[return-value]  # click takes a function with more arguments

    return decorate


def check_selected(selection: str | None, found: Collection[object]) -> None:
    """Raise `InvalidTarget` for a selection that names nothing: it must not read as nothing to do."""
    if selection is not None and not found:
        raise InvalidTarget(target=selection, why="the code has none that fits it")


def _beside_assets(error: UnknownTable, assets: Mapping[str, bool | None]) -> UnknownTable:
    """Say of a table that is not there if the code has its asset, or assets of near names."""
    asset = asset_of(error.table)
    if assets.get(asset) is False:
        near = (
            ": its asset is on another IO manager, and so no result table (move it to a ResultTableIOManager)"
        )
    elif asset in assets:
        near = error.near or ": its asset was not materialized there"
    else:
        close = difflib.get_close_matches(asset, assets, n=3)
        near = ", and no asset has that name"
        near = f"{near} (near names: {', '.join(close)})" if close else f"{error.near}{near}"
    return UnknownTable(table=error.table, deployment=error.deployment, near=near)


def _present_folder(*paths: str) -> str:
    """Return the folder where a path that is typed at a prompt starts. Raise `InvalidStore` where it is gone."""
    try:
        return os.getcwd()
    except OSError:
        relative = next((p for p in paths if p and "://" not in p and not os.path.isabs(p)), None)
        if relative is not None:
            why = "it is relative, and the present folder is gone; give an absolute path"
            raise InvalidStore(root=relative, why=why) from None
        return os.sep


def _json(text: str | None) -> Any:
    """Read options given as JSON, or as `@FILE`. The message of an error does not show them: they hold secrets."""
    if text is None:
        return None
    try:
        found = json.loads(Path(text[1:]).read_text(encoding="utf-8") if text.startswith("@") else text)
    except (OSError, ValueError) as error:
        raise click.UsageError(f"--storage-options is no JSON ({type(error).__name__})") from None
    if not isinstance(found, dict):
        raise click.UsageError("--storage-options is no JSON object")
    return found


def _check_there(root: str, catalog: str | None) -> None:
    """Raise `InvalidStore` or `CatalogNotThere` where opening the store would make an empty catalog."""
    shown = redacted_url(root)
    is_local = "://" not in root or root.startswith("file://")
    folder = Path(root.removeprefix("file://"))
    if is_local and folder.is_file():
        raise InvalidStore(
            root=shown,
            why="it is a file; give the folder of the tables, and a catalog elsewhere with --catalog",
        )
    if is_local and not folder.is_dir():
        raise InvalidStore(
            root=shown, why="there is no such folder; check that it is mounted and spelt right"
        )
    if catalog is None:
        if not is_local:
            return  # the store says that it needs one
        file = folder / "catalog.db"
    elif "://" not in catalog or catalog.startswith("sqlite:///"):
        file = Path(catalog.removeprefix("sqlite:///"))
    else:
        return
    if not file.is_file():
        raise CatalogNotThere(root=shown, catalog=redacted_url(str(file)))
