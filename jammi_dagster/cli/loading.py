"""Code locations as the `dagster` command names them, loaded into this process."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

from jammi_dagster.contract.redaction import redacted_text
from jammi_dagster.errors import CodeNotLoaded

if TYPE_CHECKING:
    import dagster as dg

PYPROJECT, WORKSPACES = "pyproject.toml", ("workspace.yaml", "workspace.yml")
_PACKAGE = Path(__file__).parents[1]
_FIELDS = {"python_file": "relative_path", "python_module": "module_name", "python_package": "package_name"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeLocation:
    """One code location: a file, a module, or a module whose `defs` folder is loaded.

    Attributes:
        kind: the way to load it.
        place: the path of the file, or the name of the module.
        attribute: the name of the definitions in it; None to look for them.
        working_directory: the folder from which it imports; by default the present one.
        name: its name in a workspace.
        executable: the Python that the workspace asks for.
    """

    kind: Literal["file", "module", "autoload"]
    place: str
    attribute: str | None = None
    working_directory: str | None = None
    name: str | None = None
    executable: str | None = None

    @property
    def shown(self) -> str:
        """The name for messages."""
        return self.name or self.place

    def load(self) -> dg.RepositoryDefinition:
        """Import the code, and find its definitions. Raise `CodeNotLoaded`, which names the line that failed."""
        self._check_executable()
        with contextlib.suppress(OSError):  # the present folder may be gone
            sys.path.insert(0, os.path.abspath(self.working_directory or os.getcwd()))
        try:
            module = self._import()  # before Dagster: to say that there is none takes no second
            import dagster as dg

            from jammi_dagster.adapters.code_location.location import repository_of

            if self.kind == "autoload":
                return repository_of(dg.load_defs(module))
            return repository_of(self._found(module))
        except CodeNotLoaded:
            raise
        except (Exception, SystemExit) as error:  # the code of a user may raise anything
            raise CodeNotLoaded(place=self.shown, why=_worded(error), way_out=_way_out(error)) from error

    def _import(self) -> ModuleType:
        if self.kind != "file":
            return importlib.import_module(self.place)
        path = Path(self.place)
        if not path.is_file():
            raise CodeNotLoaded(place=self.place, why="there is no such file", way_out="correct the path")
        spec = importlib.util.spec_from_file_location(path.stem, path.resolve())
        if spec is None or spec.loader is None:
            raise CodeNotLoaded(
                place=self.place, why="it is no Python file", way_out="name a file that ends in .py"
            )
        module = importlib.util.module_from_spec(spec)
        sys.modules[path.stem] = module
        spec.loader.exec_module(module)
        return module

    def _found(self, module: ModuleType) -> Any:
        """Find the definitions of a module: the attribute, its one definitions or repository, or all of its assets."""
        import dagster as dg

        if self.attribute is not None:
            if not hasattr(module, self.attribute):
                why = f"it has no attribute {self.attribute}"
                raise CodeNotLoaded(place=self.shown, why=why, way_out="correct --attribute")
            return getattr(module, self.attribute)
        lazy = type(dg.definitions(lambda: dg.Definitions()))
        for kind in (lazy, dg.Definitions, dg.RepositoryDefinition):
            held = {id(value): name for name, value in vars(module).items() if isinstance(value, kind)}
            if len(held) > 1:
                why = f"it holds {len(held)} definitions: {', '.join(sorted(held.values()))}"
                raise CodeNotLoaded(place=self.shown, why=why, way_out="name one of them with --attribute")
            if held:
                return getattr(module, *held.values())
        if any(isinstance(value, dg.AssetsDefinition) for value in vars(module).values()):
            return dg.load_definitions_from_module(module)
        why = "it holds no Definitions, no repository and no assets"
        raise CodeNotLoaded(place=self.shown, why=why, way_out="name the module that holds them")

    def _check_executable(self) -> None:
        wanted = self.executable
        if wanted and os.path.realpath(wanted) != os.path.realpath(sys.executable):
            why = f"the workspace runs it with another Python, {wanted}"
            raise CodeNotLoaded(place=self.shown, why=why, way_out="run jammi-dagster with that Python")


def _way_out(error: BaseException) -> str:
    """Return the way out of an error of a user's code."""
    if isinstance(error, SyntaxError):
        return "correct the line"
    if isinstance(error, ImportError):
        return "install it, or name the folder that it is imported from with -d"
    return "correct the code until `dagster definitions validate` succeeds"


def of_workspace(file: str) -> list[CodeLocation]:
    """Read the code locations of a workspace file. Raise `CodeNotLoaded`."""
    import yaml

    try:
        with open(file, encoding="utf-8") as text:
            content = yaml.safe_load(text) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CodeNotLoaded(place=file, why=_worded(error), way_out="name a workspace file") from error
    listed = content.get("load_from") if isinstance(content, Mapping) else None
    if not isinstance(listed, Sequence) or isinstance(listed, str) or not listed:
        raise CodeNotLoaded(
            place=file, why="it has no list `load_from`", way_out="see Dagster's workspace files"
        )
    return [_of_entry(entry, file) for entry in listed]


def _of_entry(entry: Any, file: str) -> CodeLocation:
    if not isinstance(entry, Mapping) or len(entry) != 1:
        raise CodeNotLoaded(
            place=file, why=f"`load_from` holds {entry!r}", way_out="see Dagster's workspace files"
        )
    ((kind, given),) = entry.items()
    kind = str(kind)
    if kind not in (*_FIELDS, "autoload_defs_module"):
        why = f"it loads code from a {kind}, which is another process"
        raise CodeNotLoaded(place=file, why=why, way_out="name the code itself with -f or -m")
    field = _FIELDS.get(kind, "module_name")
    values = {field: given} if isinstance(given, str) else dict(given or {})
    folder = os.path.dirname(os.path.abspath(file))
    directory = values.get("working_directory")
    place = str(values.get(field, ""))
    return CodeLocation(
        kind="file" if kind == "python_file" else "module" if kind in _FIELDS else "autoload",
        place=os.path.join(folder, place) if kind == "python_file" else place,
        attribute=values.get("attribute"),
        working_directory=os.path.join(folder, directory) if directory else None,
        name=values.get("location_name") or (os.path.basename(place) if kind == "python_file" else place),
        executable=values.get("executable_path"),
    )


def of_pyproject(file: str = PYPROJECT) -> list[CodeLocation]:
    """Read the code locations that a project names for Dagster; none if it names none. Raise `CodeNotLoaded`."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    try:
        with open(file, "rb") as text:
            tool = tomllib.load(text).get("tool", {})
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CodeNotLoaded(place=file, why=_worded(error), way_out="correct the file") from error
    dagster = tool.get("dagster", {})
    name = dagster.get("code_location_name")
    modules = [dagster["module_name"]] if "module_name" in dagster else []
    modules += [one["name"] for one in dagster.get("modules", ()) if one.get("type") == "module"]
    if modules:
        return [CodeLocation(kind="module", place=str(module), name=name) for module in modules]
    return _of_project(tool.get("dg", {}).get("project", {}))


def _of_project(project: Mapping[str, Any]) -> list[CodeLocation]:
    """Read the code location of a project that Dagster's `dg` made."""
    if "root_module" not in project:
        return []
    root = str(project["root_module"])
    # `dg` projects keep their package below src/, which they install; uninstalled, it is found all the same
    directory = "src" if os.path.isdir(os.path.join("src", root.partition(".")[0])) else None
    made = CodeLocation(
        kind="module",
        place=str(project.get("code_location_target_module", f"{root}.definitions")),
        working_directory=directory,
        name=project.get("code_location_name"),
    )
    if project.get("autoload_defs"):
        return [replace(made, kind="autoload", place=str(project.get("defs_module", f"{root}.defs")))]
    return [made]


def _worded(error: BaseException) -> str:
    """Word an error of somebody else's code: its type, its first line, and the last line of code outside of imports."""
    text = redacted_text(str(error)).strip()
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if not f.filename.startswith("<frozen") and f.filename != __file__]
    own = [f for f in own if f"importlib{os.sep}" not in f.filename]
    own = [f for f in own if not _is_library(f.filename)] or own
    at = f" ({_shown(own[-1].filename)}:{own[-1].lineno})" if own else ""
    if isinstance(error, SyntaxError) and error.filename:
        at = f" ({_shown(error.filename)}:{error.lineno})"
        first = error.msg
    return f"{type(error).__name__}: {first}{at}"


def _is_library(file: str) -> bool:
    """Tell a file of an installed package, or of this one, from one of the user's."""
    path = Path(file)
    return not {"site-packages", "dist-packages"}.isdisjoint(path.parts) or path.is_relative_to(_PACKAGE)


def _shown(file: str) -> str:
    """Return the path of a file as it is seen from the present folder; where that is gone, as it is."""
    try:
        return os.path.relpath(file)
    except (OSError, ValueError):
        return file
