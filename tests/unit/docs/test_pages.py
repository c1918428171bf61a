"""The pages say what is there: every link, path, make target, setting, command and route that they name exists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from typer import Exit
from typer.main import get_command

from cli.commands.processes.settings import GROUPS, list_rows
from cli.commands.root import cli
from tests.support.api import running_api
from tests.support.pages import (
    CHANGELOG,
    CONTRIBUTING,
    DOCS,
    PAGES,
    README,
    ROOT,
    find_anchors,
    find_blocks,
    find_link_targets,
    find_spans,
    parse_curl,
    read_prose,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.support.pages import Block

WIDTH = 120
FOLDERS = "app|bench|cli|core|demo|docs|infra|tests|tools|workers"
PATH = re.compile(rf"(?:{FOLDERS})/[\w./-]*|(?:Procfile|Makefile|Dockerfile|[\w-]+\.(?:toml|yml|md))")
MODULE = re.compile(rf"(?:{FOLDERS})(?:\.[a-z_]\w*)+")
ROUTE = re.compile(r"(?:(GET|POST|DELETE) )?(/[\w{}/.-]+)(?:\?[\w=&]*)?")
ELSEWHERE = {
    "/api/v2",
    "/docs",
    "/openapi.json",
    "/healthcheck",  # Flower's
    "/metrics",  # Flower's
    "/home/admin/ocp_agent",  # a directory on a host
}
"""What begins with a slash and is no route of the OpenAPI document."""
MADE_BY_USERS = {"client.toml", "task_info.txt", "fleet.csv"}
by_name = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def test_the_readme_fits_on_two_screens() -> None:
    lines = README.read_text().splitlines()
    assert len(lines) <= 120
    assert [line for line in lines if len(line) > WIDTH] == []


@by_name
def test_lines_are_wrapped_except_in_tables(page: Path) -> None:
    lines = (line for line in read_prose(page).splitlines() if not line.startswith("|"))
    assert [line for line in lines if len(line) > WIDTH] == []


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_a_page_begins_with_a_sentence_that_says_what_it_is_for(page: Path) -> None:
    title, empty, first, *_ = page.read_text().splitlines()
    assert title.startswith("# ")
    assert not empty
    assert first.startswith("This page is for ")


@by_name
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = [
        f"{path.relative_to(ROOT)}#{anchor}"
        for path, anchor in find_link_targets(page)
        if not path.exists() or (anchor and anchor not in find_anchors(path))
    ]
    assert broken == []


def test_every_page_is_reached_from_the_readme() -> None:
    linked = {path for path, _ in find_link_targets(README)}
    assert {*DOCS, CONTRIBUTING, CHANGELOG} - linked == set()


@by_name
def test_every_path_and_every_module_exists(page: Path) -> None:
    if page == CHANGELOG:  # a changelog names what was there at its time
        return
    said = {word for span in find_spans(page) for word in span.split()}
    said |= {word for words in _commands(page) for word in words}
    missing = [word for word in sorted(said) if PATH.fullmatch(word) and not (ROOT / word).exists()]
    modules = [*find_spans(page), *_words_of_drawings(page)]
    missing += [name for name in modules if MODULE.fullmatch(name) and not _module_exists(name)]
    assert [name for name in missing if name not in MADE_BY_USERS] == []


def _words_of_drawings(page: Path) -> Iterator[str]:
    for block in find_blocks(page):
        if not block.language:
            yield from MODULE.findall(block.text)


def _module_exists(name: str) -> bool:
    """Return whether a dotted name is a module, or something that stands in one."""
    path, _, last = name.rpartition(".")
    if _file_of(name):
        return True
    file = _file_of(path)
    return file is not None and re.search(rf"\b{re.escape(last)}\b", file.read_text()) is not None


def _file_of(module: str) -> Path | None:
    base = ROOT.joinpath(*module.split("."))
    files = (base.with_suffix(".py"), base / "__init__.py")
    return next((file for file in files if file.exists()), None)


@by_name
def test_every_make_target_exists(page: Path) -> None:
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    said = {span.split()[1] for span in find_spans(page) if re.match(r"make [a-z]", span)}
    said |= {words[1] for words in _commands(page) if words[0] == "make"}
    assert said - known == set()


@by_name
def test_every_setting_exists(page: Path) -> None:
    known = {row.variable for _, settings in GROUPS for row in list_rows(settings)}
    assert set(re.findall(r"OCPFLEET_[A-Z_0-9]*[A-Z0-9]", page.read_text())) - known == set()


@by_name
def test_every_command_of_ocpfleet_is_understood(page: Path) -> None:
    lines = [words for words in _commands(page) if "ocpfleet" in words[0]]
    lines += [
        span.replace("api|worker|flower", kind).split()
        for span in find_spans(page)
        if span.startswith("ocpfleet ") and page != CHANGELOG
        for kind in (("api", "worker", "flower") if "|" in span else ("",))
    ]
    for words in lines:
        _parse(words[1:])


def _commands(page: Path) -> Iterator[list[str]]:
    for block in find_blocks(page):
        if block.language == "sh":
            yield from block.commands()


def _parse(words: Sequence[str]) -> None:
    """Let the command line read words without doing what they say. Raises as it does where it does not know one."""
    command: Any = get_command(cli)
    context, rest = None, list(words)
    name = "ocpfleet"
    while True:
        try:
            context = command.make_context(name, rest, parent=context)
        except Exit:  # --help
            return
        rest = [*context._protected_args, *context.args]  # noqa: SLF001 - where a group keeps the name of its command
        if not hasattr(command, "resolve_command"):
            return
        name, command, rest = command.resolve_command(context, rest)


async def test_every_request_has_a_route() -> None:
    async with running_api() as api:
        paths = (await api.client.get("/openapi.json")).json()["paths"]
    known = {(method.upper(), _without_names(path)) for path, methods in paths.items() for method in methods}
    missing = []
    for page in (README, *DOCS):
        for words in _commands(page):
            if words[0] == "curl":
                request = parse_curl(words)
                path = _without_names(re.sub(r"/\d+", "/{}", urlsplit(request.url).path))
                if (request.method, path) not in known:
                    missing.append(f"{page.name}: {request.method} {path}")
        for span in find_spans(page):
            if (match := ROUTE.fullmatch(span)) and match[2] not in ELSEWHERE:
                tail = _without_names(match[2])
                if not any(match[1] in {None, method} and path.endswith(tail) for method, path in known):
                    missing.append(f"{page.name}: {span}")
    assert missing == []


def _without_names(path: str) -> str:
    return re.sub(r"\{\w*\}", "{}", path)


EXAMPLES = [block for block in find_blocks(CONTRIBUTING) if block.language != "sh"]


@pytest.mark.parametrize("block", EXAMPLES, ids=lambda block: f"line-{block.line}")
def test_an_example_of_code_stands_in_the_file_that_it_names(block: Block) -> None:
    assert block.note.startswith("from "), "say which file it is from"
    file = ROOT / block.note.removeprefix("from ")
    assert block.text in file.read_text()


def test_every_block_of_commands_is_run_or_says_why_not() -> None:
    """See `tests/acceptance/test_pages.py`, which runs them."""
    for page in PAGES:
        for block in find_blocks(page):
            if block.language != "sh" or re.match(r"not run: .", block.note):
                continue
            strange = [words[0] for words in block.commands() if words[0] not in {"curl", "export"}]
            assert {word.rpartition("/")[2] for word in strange} <= {"ocpfleet"}, block.place
