"""`jammi-dagster explain`: the components of the code identity of assets, pinned or not, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from jammi_dagster.cli.render import Output, Table, output, working
from jammi_dagster.cli.target import Target, check_selected, target
from jammi_dagster.contract.wording import counted

if TYPE_CHECKING:
    from jammi_dagster.adapters.code_identity import CodeIdentity


@click.command()
@click.argument("selection", required=False, metavar="[ASSET]")
@click.option("--all", "every_part", is_flag=True, help="List the components of every asset.")
@target(store=False, deployment=False)
@output
def explain(selection: str | None, every_part: bool, target: Target, out: Output) -> None:
    """Tell if the code of each asset is pinned; where it is not, why: the place, the way to it, and the way out.

    ASSET is one asset or a selection, and its components are listed: the functions, classes, constants and libraries
    that its result depends on. An asset that is not pinned is never reused.
    """
    repository = target.load()
    from jammi_dagster.adapters.code_identity import code_identities

    with working("reading code"):
        found = {key.to_user_string(): one for key, one in code_identities(repository, selection).items()}
    check_selected(selection, found)
    is_long = every_part or selection is not None
    pinned = sum(identity.pinned for identity in found.values())
    data = {
        "assets": {name: _as_json(identity, is_long) for name, identity in found.items()},
        "pinned": pinned,
        "not_pinned": len(found) - pinned,
    }
    blocks = [block for name, identity in found.items() for block in _text(name, identity, is_long)]
    out.show(data, *blocks, f"{pinned:,} of {counted(len(found), 'asset')} pinned.")


def _as_json(identity: CodeIdentity, is_long: bool) -> Mapping[str, Any]:
    components = [
        {"kind": one.kind, "name": one.name, "where": one.where, "digest": one.digest}
        for one in identity.components
    ]
    reasons = [
        {"place": one.place, "path": list(one.path), "finding": one.finding, "way_out": one.way_out}
        for one in identity.reasons
    ]
    parts = {"components": components, "libraries": dict(identity.libraries)} if is_long else {}
    return {"pinned": identity.pinned, "digest": identity.digest, "reasons": reasons, **parts}


def _text(name: str, identity: CodeIdentity, is_long: bool) -> list[str | Table]:
    blocks: list[str | Table] = [Table([("pinned" if identity.pinned else "not pinned", name)])]
    for reason in identity.reasons:
        blocks += [f"  {reason.reached_finding}", f"    -> {reason.way_out}"]
    if is_long:
        rows = [(str(one), one.digest[:12]) for one in identity.components]
        rows += [(f"library {library}", version) for library, version in sorted(identity.libraries.items())]
        blocks += [Table(rows, indent=2), ""]
    return blocks
