"""Verification of a step's inputs: the first of run tag, decorator and IO manager that states one."""

from __future__ import annotations

from collections.abc import Mapping

from jammi_dagster.adapters.metadata_keys import VERIFY_INPUTS_TAG
from jammi_dagster.contract import Verification


def effective_verification(
    *, tags: Mapping[str, str], decorator: Verification | None, io_manager: Verification
) -> Verification:
    """Return the verification of a step. Raise `InvalidField` for a tag that states none.

    >>> pages, full = Verification.PAGES, Verification.FULL
    >>> effective_verification(tags={"jammi/verify_inputs": "off"}, decorator=full, io_manager=pages).value
    'off'
    """
    tag = tags.get(VERIFY_INPUTS_TAG)
    if tag is not None:
        return Verification.parse(tag.strip(), of="run tags", field=VERIFY_INPUTS_TAG)
    return decorator or io_manager
