"""The translations, and how a reply's texts are put into a language.

A catalogue is a YAML file named after its language: a list of pairs, `en` the template as it stands in the source, `zh`
the translation with the same `{fields}`. A test holds it to the source: nothing is missing, nothing is left over.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

import yaml

from app.http.language.choice import Language
from core.text import Text

_TRANSLATED: Final = {Language.CHINESE: "zh"}


def pairs(language: Language) -> list[tuple[str, str]]:
    """Return the templates of a language's file with their translations, in the order of the file."""
    text = (files("app.http.language") / f"{language}.yaml").read_text(encoding="utf-8")
    return [(entry["en"], entry[_TRANSLATED[language]]) for entry in yaml.safe_load(text)]


@cache
def catalogue(language: Language) -> Mapping[str, str]:
    """Return the translations of a language by template; none of English."""
    return dict(pairs(language)) if language in _TRANSLATED else {}


def in_language(document: Any, language: Language) -> Any:
    """Return a JSON document with everything in it that was said as `Text` in a language; the rest stays as it is."""
    match document:
        case Text():
            return document.translate_with(catalogue(language))
        case dict():
            return {name: in_language(value, language) for name, value in document.items()}
        case list():
            return [in_language(value, language) for value in document]
        case _:
            return document
