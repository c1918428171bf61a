"""Translates the texts of replies.

A catalogue is a YAML file that is named after its language. It is a list of pairs: `en` is the template in the source,
`zh` its translation with the same `{fields}`. A test checks that no sentence of the source is missing and none is left
over.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

import yaml

from app.http.language.choice import Language
from core.text import Text

_TRANSLATED: Final = {Language.CHINESE: "zh"}


def read_translations(language: Language) -> list[tuple[str, str]]:
    """Return the templates of a language's file with their translations, in the order of the file."""
    text = (files("app.http.language") / f"{language}.yaml").read_text(encoding="utf-8")
    return [(entry["en"], entry[_TRANSLATED[language]]) for entry in yaml.safe_load(text)]


@cache
def load_catalogue(language: Language) -> Mapping[str, str]:
    """Return the translations into a language, by template. English has none."""
    return dict(read_translations(language)) if language in _TRANSLATED else {}


def translate(document: Any, language: Language) -> Any:
    """Return a JSON document whose `Text` are in a language. Everything else stays as it is."""
    match document:
        case Text():
            return document.translate_with(load_catalogue(language))
        case dict():
            return {name: translate(value, language) for name, value in document.items()}
        case list():
            return [translate(value, language) for value in document]
        case _:
            return document
