"""Sentences for people as values: an English template and the fields that fill it.

The value is a `str`, the English sentence, so whoever knows no other language uses it as one. Who does know another one
renders the same template from a catalogue, in the manner of gettext: what is said and in which language are decided in
different places, and nobody ever matches patterns on English text.
"""

from collections.abc import Mapping
from typing import LiteralString, Self

from typing_extensions import override


class Text(str):
    """A sentence, or a part of one, that can be said in several languages. Made by `say`.

    Joining it with other text (`+`, an f-string) gives a plain `str`, which can not. Let other words be a field.
    """

    template: str
    """The English text with its `{fields}`, which stands for it in a catalogue."""
    fields: Mapping[str, object]
    """What fills it; a field may be words itself."""

    __slots__ = ("fields", "template")

    def __new__(cls, template: str, fields: Mapping[str, object]) -> Self:
        """Fill a template."""
        words = super().__new__(cls, template.format_map(fields))
        words.template, words.fields = template, fields
        return words

    @override
    def __reduce__(self) -> tuple[type["Text"], tuple[str, Mapping[str, object]]]:
        return Text, (self.template, self.fields)

    def translate_with(self, catalogue: Mapping[str, str]) -> str:
        """Return this as a catalogue, translations by English template, has it; in English where it has not."""
        fields = {
            name: value.translate_with(catalogue) if isinstance(value, Text) else value
            for name, value in self.fields.items()
        }
        return catalogue.get(self.template, self.template).format_map(fields)


def say(template: LiteralString, /, **fields: object) -> Text:
    """Return a sentence.

    Args:
        template: English, written out where it is said, so that a test finds it and asks for its translation. Braces
            that are meant as such are doubled.
        fields: what stands for `{name}` in it.
    """
    return Text(template, fields)
