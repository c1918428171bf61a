"""Every sentence that can reach a reply has its translation, and every translation its sentence."""

import ast
import json
from collections import Counter

import pytest

from app.http.language.choice import Language
from app.http.language.translation import read_translations
from tests.support.sentences import ROOT, Source, placeholders, sources

AT_THE_START = {
    "app/auth/first_admin.py",
    "app/main.py",
    "app/http/server.py",
    "infra/settings.py",
    "infra/timing.py",
    "infra/store/backup/backupfile.py",
    "infra/store/backup/backup.py",
    "infra/store/sentinel.py",
    "infra/store/backup/snapshot.py",
    "infra/store/store.py",
}
"""Files whose errors end a process at its start, when there is nobody yet whose language could be asked for, or a
command that works on the store itself."""
FILE = "app/http/language/zh-CN.yaml"
READ = list(sources("core", "infra", "app"))
TRANSLATED = read_translations(Language.CHINESE)


def said() -> dict[str, str]:
    """Return every template with a place where it is said."""
    return {template: place for source in READ for template, place in source.templates.items()}


def test_every_error_is_said_so_that_it_can_be_translated() -> None:
    problems = [
        problem
        for source in READ
        if str(source.path.relative_to(ROOT)) not in AT_THE_START
        for problem in source.problems
    ]
    assert not problems, "\n".join(["", *problems])


def test_the_files_that_only_speak_at_the_start_are_still_needed() -> None:
    assert {str(source.path.relative_to(ROOT)) for source in READ if source.problems} == AT_THE_START


def test_every_sentence_is_translated() -> None:
    known = dict(TRANSLATED)
    missing = [
        f'# {place}\n- en: {json.dumps(template, ensure_ascii=False)}\n  zh: "…"'
        for template, place in said().items()
        if template not in known
    ]
    assert not missing, "\n".join([f"Add these to {FILE}, with their Chinese in place of …:", *missing])


def test_no_translation_is_left_over() -> None:
    left = [template for template, _ in TRANSLATED if template not in said()]
    assert not left, "\n".join([f"Nobody says these any more. Remove them from {FILE}, or mend their `en`:", *left])


def test_no_sentence_is_translated_twice() -> None:
    twice = [template for template, count in Counter(template for template, _ in TRANSLATED).items() if count > 1]
    assert not twice, "\n".join([f"These stand twice in {FILE}:", *twice])


@pytest.mark.parametrize(("template", "translation"), TRANSLATED)
def test_a_translation_is_filled_as_its_sentence_is(template: str, translation: str) -> None:
    assert placeholders(translation) == placeholders(template), f"{translation} has other fields than {template}"
    assert translation != template


def read(text: str) -> Source:
    """Read a text as if it stood in a file of the service."""
    source = Source(ROOT / "app" / "tasks" / "find.py")
    source.__dict__["tree"] = ast.parse(text)
    source.read()
    return source


WRONG = {
    "an f-string": (
        "def f(id): raise TaskNotFound(f'no task {id}')",
        'say("no task {id}", id=id)',
    ),
    "a literal": ("def f(): raise TaskNotFound('no {}')", 'say("no {{}}")'),
    "a name that may be text": ("def f(s): raise TaskNotFound(s)", "parameter that takes one is declared Text"),
    "a name that is bound to text once": (
        "def f(x):\n    s = say('a')\n    s = 'b' + x\n    raise Unavailable(s)",
        "say(…)",
    ),
    "one branch": ("def f(x): raise Unavailable(say('a') if x else 'b')", "say(…)"),
    "a function that returns text": (
        "def f(x): raise Unavailable(str(x))",
        "A function that makes sentences returns Text",
    ),
    "an error of a validator": ("def f(x): raise ValueError('not a number')", 'say("not a number")'),
    "a template that is computed": ("def f(x): raise Unavailable(say(f'a {x}'))", "one literal"),
    "a field too few": ("def f(x): raise Unavailable(say('a {x}'))", "its template has ['x']"),
    "a field too many": ("def f(x): raise Unavailable(say('a', x=x))", "given the fields ['x']"),
    "English in a field": ("def f(x): raise Unavailable(say('it {x}', x=x or 'is gone'))", "Give it as say(…) too"),
}


@pytest.mark.parametrize(("text", "advice"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_translated_is_found(text: str, advice: str) -> None:
    (problem,) = read(text).problems
    assert advice in problem
    assert problem.startswith("app/tasks/find.py:")


RIGHT = {
    "said at once": "def f(id): raise TaskNotFound(say('no {id}', id=id))",
    "by a name": "def f(x):\n    s = say('a')\n    if x:\n        s = say('b')\n    raise Unavailable(s)",
    "by a parameter": "def f(s: Text): raise Unavailable(s)",
    "by the error before it": "def f(e): raise Unavailable(e.sentence)",
    "by one of two": "def f(x): raise Unavailable(say('a') if x else say('b'))",
}


@pytest.mark.parametrize("text", RIGHT.values(), ids=RIGHT)
def test_what_can_be_translated_passes(text: str) -> None:
    assert read(text).problems == []
