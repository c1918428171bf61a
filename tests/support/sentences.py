"""Which sentences the source says, and which it says so that no other language can have them. Read from its syntax.

mypy sees that what is declared as `Text` is; this sees the rest: that every error gets words, and that the templates
are written out and filled.
"""

import ast
import inspect
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from pathlib import Path
from string import Formatter
from types import ModuleType

from core.errors import FleetError
from core.text import Text, say

ROOT = Path(__file__).parents[2]


def placeholders(template: str) -> set[str]:
    """Return the fields of a template as they are written, such as `{seconds:g}`."""
    return {
        f"{{{name}{'!' + conversion if conversion else ''}{':' + spec if spec else ''}}}"
        for _, name, spec, conversion in Formatter().parse(template)
        if name is not None
    }


@dataclass
class Source:
    """One file of the source."""

    path: Path
    templates: dict[str, str] = field(default_factory=dict)
    """Where each template is said."""
    problems: list[str] = field(default_factory=list)
    """What cannot be said in another language, and what to do about it."""

    @cached_property
    def module(self) -> ModuleType:
        """The module, imported, to see what its names stand for."""
        return import_module(".".join(self.path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax."""
        return ast.parse(self.path.read_text(encoding="utf-8"))

    @cached_property
    def functions(self) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Its functions, outer ones before inner ones."""
        return [node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]

    def read(self) -> None:
        """Find its templates and problems."""
        for node in ast.walk(self.tree):
            if not isinstance(node, ast.Call):
                continue
            called = self.value(node.func)
            if called is say:
                self.read_said(node)
            elif (sentence := self.sentence_of(node, called)) is not None and not self.is_words(sentence):
                self.report(node, f"a sentence that no catalogue can have. {_ADVICE.format(suggested(sentence))}")

    def read_said(self, node: ast.Call) -> None:
        """Look at a call of `say`."""
        first = node.args[0]
        if not (isinstance(first, ast.Constant) and isinstance(first.value, str)):
            self.report(node, "say(…) wants its template written out as one literal, not an f-string or a name.")
            return
        self.templates.setdefault(first.value, self.at(node))
        given = {f"{keyword.arg}" for keyword in node.keywords if keyword.arg}
        wanted = {name for _, name, _, _ in Formatter().parse(first.value) if name is not None}
        if given != wanted and all(keyword.arg for keyword in node.keywords):
            self.report(node, f"say(…) is given the fields {sorted(given)}, its template has {sorted(wanted)}.")
        for keyword in node.keywords:
            if has_english(keyword.value):
                self.report(node, f"the field {keyword.arg} of say(…) is English text. Give it as say(…) too.")

    def sentence_of(self, node: ast.Call, called: object) -> ast.expr | None:
        """Return the sentence of a call that makes an error; None of any other call."""
        if called is ValueError:  # of a validator: pydantic hands it to the reply
            return node.args[0] if node.args and self.path.is_relative_to(ROOT / "app") else None
        if isinstance(node.func, ast.Attribute) and node.func.attr == "__init__" and self.in_an_error(node):
            return None if isinstance(node.args[0], ast.Name) and node.args[0].id == "sentence" else node.args[0]
        if not (isinstance(called, type) and issubclass(called, FleetError)):
            return None
        names = list(inspect.signature(called).parameters)
        if "sentence" not in names:
            return None
        named = [keyword.value for keyword in node.keywords if keyword.arg == "sentence"]
        return named[0] if named else node.args[names.index("sentence")]

    def in_an_error(self, node: ast.AST) -> bool:
        """Return whether a node stands in the body of an error's class."""
        classes = [one for one in ast.walk(self.tree) if isinstance(one, ast.ClassDef) and node in ast.walk(one)]
        kinds = [getattr(self.module, one.name, None) for one in classes]
        return any(isinstance(kind, type) and issubclass(kind, FleetError) for kind in kinds)

    def is_words(self, node: ast.expr) -> bool:
        """Return whether an expression surely is `Text`."""
        match node:
            case ast.IfExp():
                return self.is_words(node.body) and self.is_words(node.orelse)
            case ast.Call():
                return self.value(node.func) is say or self.returns_words(node.func)
            case ast.Attribute(attr="sentence"):
                return True
            case ast.Subscript():
                return all(isinstance(value, Text) for value in getattr(self.value(node.value), "values", list)())
            case ast.Name():
                return isinstance(self.value(node), Text) or self.is_local_words(node)
            case _:
                return False

    def is_local_words(self, node: ast.Name) -> bool:
        """Return whether a name is `Text`: a parameter that is declared so, or all that the function binds to it."""
        (*_, function) = [None, *(one for one in self.functions if node in ast.walk(one))]
        if function is None:
            return False
        arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
        declared = [one.annotation for one in arguments if one.arg == node.id]
        if declared:
            return isinstance(declared[0], ast.Name) and declared[0].id == "Text"
        bound = [
            one.value
            for one in ast.walk(function)
            if isinstance(one, ast.Assign)
            and any(isinstance(target, ast.Name) and target.id == node.id for target in one.targets)
        ]
        return bool(bound) and all(map(self.is_words, bound))

    def returns_words(self, function: ast.expr) -> bool:
        """Return whether a function is declared to return `Text`."""
        declared = getattr(self.value(function), "__annotations__", {}).get("return")
        name = function.attr if isinstance(function, ast.Attribute) else None
        ours = [one.returns for one in self.functions if one.name == name]
        return declared is Text or any(isinstance(returns, ast.Name) and returns.id == "Text" for returns in ours)

    def value(self, node: ast.expr) -> object:
        """Return what a name of the module stands for; None where that is not known before it runs."""
        if isinstance(node, ast.Name):
            return getattr(self.module, node.id, ValueError if node.id == "ValueError" else None)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            return getattr(getattr(self.module, node.value.id, None), node.attr, None)
        return None

    def report(self, node: ast.AST, problem: str) -> None:
        """Keep a problem with its place."""
        self.problems.append(f"{self.at(node)}: {problem}")

    def at(self, node: ast.AST) -> str:
        """Return where a node stands."""
        return f"{self.path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"


_ADVICE = (
    "Write it as core.text.say(…) and give its translation in app/http/language/zh-CN.yaml: {}. A function that makes "
    "sentences returns Text, a parameter that takes one is declared Text."
)


def has_english(node: ast.expr) -> bool:
    """Return whether the value of a field is text of the source that ought to be translated."""
    match node:
        case ast.Constant(value=str(text)):
            return any(letter.isalpha() for letter in text)
        case ast.JoinedStr():
            return any(has_english(part) for part in node.values)
        case ast.IfExp():
            return has_english(node.body) or has_english(node.orelse)
        case ast.BoolOp():
            return any(map(has_english, node.values))
        case ast.BinOp():
            return has_english(node.left) or has_english(node.right)
        case _:
            return False


def suggested(sentence: ast.expr) -> str:
    """Return a literal or an f-string as the call of `say` that it should be."""
    if not isinstance(sentence, ast.JoinedStr | ast.Constant):
        return "say(…)"
    template = ""
    fields: dict[str, str] = {}
    for part in sentence.values if isinstance(sentence, ast.JoinedStr) else [sentence]:
        if isinstance(part, ast.FormattedValue):
            code = ast.unparse(part.value)
            name = next((word for word in reversed(code.split(".")) if word.isidentifier()), f"field{len(fields)}")
            template += f"{{{name}}}"
            fields[name] = code
        else:
            template += str(getattr(part, "value", "")).replace("{", "{{").replace("}", "}}")
    filled = "".join(f", {name}={code}" for name, code in fields.items())
    return f"say({json.dumps(template, ensure_ascii=False)}{filled})"


def sources(*folders: str) -> Iterator[Source]:
    """Yield every file of some folders, read."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            source = Source(path)
            source.read()
            yield source
