"""Sentences for people, as values: an English template and the fields that fill it.

The value is a `str`, the English sentence, so code that needs no other language uses it as one. Code that does looks
up the template in a catalogue, as gettext does. So different places decide what is said and in which language, and
nothing ever matches patterns on English text.
"""

from collections.abc import Mapping
from typing import LiteralString, Self

from typing_extensions import override


class Text(str):
    """A sentence, or a part of one, that can be translated. `say` makes it.

    Joining it with other text (`+`, an f-string) gives a plain `str`, which cannot be translated. Make the other text a
    field instead.
    """

    template: str
    """The English text with its `{fields}`: the key of its translation."""
    fields: Mapping[str, object]
    """What fills the template. A field may be a `Text` itself."""

    __slots__ = ("fields", "template")

    def __new__(cls, template: str, fields: Mapping[str, object]) -> Self:
        """Fill a template."""
        text = super().__new__(cls, template.format_map(fields))
        text.template, text.fields = template, fields
        return text

    @override
    def __reduce__(self) -> tuple[type["Text"], tuple[str, Mapping[str, object]]]:
        return Text, (self.template, self.fields)

    def translate_with(self, catalogue: Mapping[str, str]) -> str:
        """Return the text as a catalogue, translations by English template, has it; in English where it has none."""
        fields = {
            name: value.translate_with(catalogue) if isinstance(value, Text) else value
            for name, value in self.fields.items()
        }
        return catalogue.get(self.template, self.template).format_map(fields)


def say(template: LiteralString, /, **fields: object) -> Text:
    """Return a text.

    Args:
        template: English, written out at the call, so that a test finds it and asks for its translation. Braces that
            are meant literally are doubled.
        fields: what replaces each `{name}`.
    """
    return Text(template, fields)
