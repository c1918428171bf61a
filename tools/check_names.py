"""Counts functions that are named by a participle, as `make check` does: a function is named by a verb.

`chosen_hosts` says what a result is; `choose_hosts` says what the function does. Properties are named by nouns, and
predicates begin with is, has, may or can, so neither is counted. Overrides of a library's methods are its names.
Prints each such function and fails where more than `MAX_SHARE` of all functions are named so.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGES = ("app", "bench", "cli", "core", "demo", "infra", "workers")
MAX_SHARE = 0.02
_IRREGULAR = """
    begun bound broken brought built chosen done drawn driven fallen found given gone grown held hidden kept known laid
    left lent lost made meant met paid proven said seen sent shown sought spent spoken stolen struck taken thrown told
    understood woken won worn written
"""
IRREGULAR = frozenset(_IRREGULAR.split())
"""Participles that do not end in -ed or -ing."""
_NOT_PARTICIPLES = """
    bring embed everything exceed feed need nothing ping proceed ring seed shed something speed string succeed
"""
NOT_PARTICIPLES = frozenset(_NOT_PARTICIPLES.split())
"""Words that only look like participles."""
EXEMPT_DECORATORS = frozenset({"property", "cached_property", "override"})


def is_participle(name: str) -> bool:
    """Return whether a function's name begins with a participle instead of a verb."""
    first = name.strip("_").split("_")[0].lower()
    if first in NOT_PARTICIPLES:
        return False
    return first in IRREGULAR or re.fullmatch(r"[a-z]+(ed|ing)", first) is not None


def list_functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield the functions and methods of a module that the rule is about."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names = {getattr(one, "id", getattr(one, "attr", "")) for one in node.decorator_list}
            if not names & EXEMPT_DECORATORS and not node.name.startswith("__"):
                yield node


def main() -> int:
    """Print the participles among the names and say whether there are too many."""
    total, found = 0, []
    for package in PACKAGES:
        for path in sorted(Path(package).rglob("*.py")):
            for node in list_functions(ast.parse(path.read_text(encoding="utf-8"))):
                total += 1
                if is_participle(node.name):
                    found.append(f"{path}:{node.lineno}: {node.name}")
    share = len(found) / total
    print(*found, sep="\n")
    print(f"{len(found)} of {total} functions are named by a participle ({share:.1%}, at most {MAX_SHARE:.0%}).")
    return int(share > MAX_SHARE)


if __name__ == "__main__":
    sys.exit(main())
