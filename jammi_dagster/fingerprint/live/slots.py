"""Slots: places in a form for texts that may be secrets.

A text that stands in no reached source came from elsewhere, perhaps from the environment. An identity shows its place
only; whoever records the identity fills the slot with a hash under a key.
"""

from __future__ import annotations

import json
import os
from collections.abc import Container, Mapping, Sequence

from jammi_dagster.fingerprint.hashing import Form, HeldText, UnorderedParts, encode, utf8
from jammi_dagster.fingerprint.kept import kept

# Shorter values of the environment (`1`, `C`, `root`) equal literals by chance, in one process and not in the next.
_TELLING = 8


class Slots:
    """Slots for the texts of forms that are not among the shown ones.

    A text of eight characters or more that an environment variable holds gets a slot in any case.

    >>> slots = Slots(frozenset({"eu"}), {}, {"PASSWORD": "hunter2"})
    >>> slots.separated(("tuple", (HeldText("hunter2", b""), HeldText("eu", b"str 2:eu"))))
    (('tuple', (('slot', 'str'), HeldText())), ['s:hunter2'])
    """

    def __init__(
        self,
        shown: Container[str | bytes],
        names: Mapping[str, str],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._shown, self._names = shown, names
        self._environment = os.environ if environment is None else environment

    @kept
    def _telling(self) -> frozenset[str | bytes]:
        """The values of the environment that are long enough, as texts and as bytes."""
        values = [value for value in self._environment.values() if len(value) >= _TELLING]
        return frozenset([*values, *map(utf8, values)])

    def separated(self, form: Form) -> tuple[Form, list[str]]:
        """Return the form with slots, and the texts for the slots in their order."""
        if isinstance(form, HeldText):
            return self._separated_text(form)
        if isinstance(form, UnorderedParts):
            pairs = [self.separated(part) for part in form.parts]
            pairs.sort(key=lambda pair: (encode(pair[0], self._names), pair[1]))
            return UnorderedParts(tuple(part for part, _ in pairs)), [
                text for _, texts in pairs for text in texts
            ]
        if isinstance(form, tuple):
            pairs = [self.separated(part) for part in form]
            return tuple(part for part, _ in pairs), [text for _, texts in pairs for text in texts]
        return form, []

    def encoded(self, form: Form) -> tuple[bytes, list[str]]:
        """Return the encoding of the form with slots, and the texts for them."""
        with_slots, texts = self.separated(form)
        return encode(with_slots, self._names), texts

    def _separated_text(self, form: HeldText) -> tuple[Form, list[str]]:
        value = form.value
        if value in self._shown and value not in self._telling:
            return form, []
        text = f"s:{value}" if isinstance(value, str) else f"b:{value.hex()}"
        return ("slot", type(value).__name__), [text]


def filling(texts: Sequence[object]) -> str:
    """Return one text for all that fill the slots of a component; empty if there are none."""
    return json.dumps(texts) if any(texts) else ""
