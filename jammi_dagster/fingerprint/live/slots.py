"""Slots: places in a form for texts that may be secrets.

A text that stands in no reached source came from elsewhere, perhaps from the environment. An identity shows its place
only; whoever records the identity fills the slot with a hash under a key.
"""

from __future__ import annotations

import json
import os
from collections.abc import Container, Mapping, Sequence

from jammi_dagster.fingerprint.hashing import Form, HeldText, PlainData, UnorderedParts, encode, framed, utf8
from jammi_dagster.fingerprint.kept import kept

# Shorter values of the environment (`1`, `C`, `root`) equal literals by chance, in one process and not in the next.
_TELLING = 8


class Slots:
    """Slots for the texts of forms that are not among the shown ones.

    A text of eight characters or more that an environment variable holds gets a slot in any case.

    >>> slots = Slots(frozenset({"eu"}), {}, {"PASSWORD": "hunter2"})
    >>> encoded, texts = slots.encoded(("tuple", (HeldText("hunter2", b""), HeldText("eu", b"str 2:eu"))))
    >>> texts, encoded == encode(("tuple", (("slot", "str"), HeldText("eu", b"str 2:eu"))), {})
    (['s:hunter2'], True)
    """

    def __init__(
        self,
        shown: Container[str | bytes],
        names: Mapping[str, str],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._shown, self._names = shown, names
        self._own: dict[str | bytes, bool] = {}  # the texts that were met, True for those of the source
        self._environment = os.environ if environment is None else environment

    @kept
    def _telling(self) -> frozenset[str | bytes]:
        """The values of the environment that are long enough, as texts and as bytes."""
        values = [value for value in self._environment.values() if len(value) >= _TELLING]
        return frozenset([*values, *map(utf8, values)])

    def encoded(self, form: Form) -> tuple[bytes, list[str]]:
        """Return the encoding of the form with slots, and the texts for the slots in their order."""
        texts: list[str] = []
        return self._encoded(form, texts), texts

    def _encoded(self, form: Form, texts: list[str]) -> bytes:
        """Encode a form; the texts for its slots are added to `texts`."""
        if isinstance(form, HeldText):
            return self._encoded_text(form, texts)
        if isinstance(form, tuple):
            return b"t" + framed([self._encoded(part, texts) for part in form])
        if isinstance(form, UnorderedParts):
            pairs = sorted(map(self.encoded, form.parts))
            texts += (text for _, further in pairs for text in further)
            return b"u" + framed([part for part, _ in pairs])
        if isinstance(form, PlainData):
            hidden = frozenset(text for text in form.texts if not self._is_own(text))
            if hidden not in form.encodings:
                form.encodings[hidden] = self.encoded(form.form)
            encoded, further = form.encodings[hidden]
            texts += further
            return encoded
        return encode(form, self._names)

    def _is_own(self, text: str | bytes) -> bool:
        if text not in self._own:
            self._own[text] = text in self._shown and text not in self._telling
        return self._own[text]

    def _encoded_text(self, form: HeldText, texts: list[str]) -> bytes:
        value = form.value
        if self._is_own(value):
            return encode(form, self._names)
        texts.append(f"s:{value}" if isinstance(value, str) else f"b:{value.hex()}")
        return encode(("slot", type(value).__name__), self._names)


def filling(texts: Sequence[object]) -> str:
    """Return one text for all that fill the slots of a component; empty if there are none."""
    return json.dumps(texts) if any(texts) else ""
