"""Inventory files: what is read from good ones, and everything that is said of bad ones."""

from pathlib import Path

import pytest

from cli.commands.hosts.files import read_rows
from cli.commands.hosts.host_keys import fingerprint
from cli.commands.hosts.inventory import Inventory, check_rows
from core.errors import InvalidRequest
from core.host import Target
from infra.settings import InventorySettings
from infra.store.host_values import HostEntry
from tests.support.api import KEY

DEFAULTS = InventorySettings(ssh_port=2222, ssh_user="ocp", agent_home="/opt/agent", agent_prefix="ob", sudo=True)


def read(path: Path, text: str | bytes, taken: dict[str, int] | None = None) -> Inventory:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return check_rows(read_rows(path), DEFAULTS, taken or {}, fingerprint)


FULL = HostEntry(Target(1001, "10.0.0.1", 22, "admin", "/home/admin/ocp_agent", "ocp", False, KEY), "one")
BARE = HostEntry(Target(1002, "fd00::2", 2222, "ocp", "/opt/agent", "ob", True, None), None)


FILES = {
    "hosts.csv": f"""\
id,innerIpAddress,sshPort,sshUser,agentHome,agentPrefix,sudo,hostKey,alias\r
1001,10.0.0.1,22,admin,/home/admin//ocp_agent/,ocp,no,{KEY} root@host,one\r
\r
1002,fd00:0::2,,,,,,,\r
""",
    "columns-in-another-order.CSV": f"""\
\ufeffalias, id , innerIpAddress,sshPort,sshUser,agentHome,agentPrefix,sudo,hostKey
one, 1001, 10.0.0.1,22,admin,/home/admin/ocp_agent,ocp,false,"{KEY}"
,1002,fd00::2
""",
    "hosts.yaml": f"""\
# the first
- id: 1001
  innerIpAddress: 10.0.0.1
  sshPort: 22
  sshUser: admin
  agentHome: /home/admin/ocp_agent
  agentPrefix: ocp
  sudo: False
  hostKey: {KEY}
  alias: one
- {{id: 1002, innerIpAddress: 'fd00::2', sshPort: null, alias: ~}}
""",
}


def test_whether_hosts_are_protected(tmp_path: Path) -> None:
    text = "id,innerIpAddress,protected\n1,10.0.0.1,yes\n2,10.0.0.2,\n3,10.0.0.3,FALSE\n"
    found = read(tmp_path / "hosts.csv", text)
    assert (len(found.entries), found.problems, found.protection) == (3, (), {1: True, 3: False})
    (problem,) = read(tmp_path / "hosts.csv", text.replace("yes", "very")).problems
    assert str(problem) == "line 2, protected='very': not a yes or no. Write true or false."


@pytest.mark.parametrize(("name", "text"), FILES.items(), ids=FILES)
def test_a_valid_file(tmp_path: Path, name: str, text: str) -> None:
    assert read(tmp_path / name, text) == Inventory((FULL, BARE), ())


GOOD = {"id": "5", "innerIpAddress": "10.0.0.5"}


@pytest.mark.parametrize(
    ("column", "value", "right"),
    [
        ("id", "", "Write a whole number from 1 to 9223372036854775807."),
        ("id", "0", "Write a whole number from 1 to 9223372036854775807."),
        ("id", "-1", "Write a whole number from 1 to 9223372036854775807."),
        ("id", "1.0", "Write a whole number from 1 to 9223372036854775807."),
        ("id", "9223372036854775808", "Write a whole number from 1 to 9223372036854775807."),
        ("id", "\u0661", "Write a whole number from 1 to 9223372036854775807."),
        ("innerIpAddress", "", "Write one such as 10.0.0.7 or fd00::7."),
        ("innerIpAddress", "ff02::1", "Write one such as 10.0.0.7 or fd00::7."),
        ("innerIpAddress", "host.example", "Write one such as 10.0.0.7 or fd00::7."),
        ("innerIpAddress", "0.0.0.0", "Write one such as 10.0.0.7 or fd00::7."),
        ("sshPort", "0", "Write a whole number from 1 to 65535."),
        ("sshPort", "65536", "Write a whole number from 1 to 65535."),
        ("sshUser", "-oProxyCommand=x", "not starting with -."),
        ("sshUser", "a b", "without spaces and colons"),
        ("agentHome", "relative", "such as /home/admin/ocp_agent."),
        ("agentHome", "/", "such as /home/admin/ocp_agent."),
        ("agentHome", "/home/../etc", "such as /home/admin/ocp_agent."),
        ("agentPrefix", "OCP", "Write ocp or ob."),
        ("sudo", "perhaps", "Write true or false."),
        ("hostKey", "10.0.0.1 ssh-ed25519 AAAA", "such as ssh-ed25519 AAAA…"),
        ("hostKey", "ssh-ed25519 AAAA", "such as ssh-ed25519 AAAA…"),
        ("alias", "a\tb", "Write at most 255 printable characters."),
        ("alias", "x" * 256, "Write at most 255 printable characters."),
        ("colour", "red", "The columns are id, innerIpAddress, sshPort"),
    ],
)
def test_a_bad_cell_is_named_with_line_column_value_and_what_is_right(
    tmp_path: Path, column: str, value: str, right: str
) -> None:
    cells = GOOD | {column: value}
    text = "- {id: 1, innerIpAddress: 10.0.0.1}\n- " + "\n  ".join(f'{name}: "{cell}"' for name, cell in cells.items())
    inventory = read(tmp_path / "hosts.yml", text.replace("\t", "\\t"))
    assert inventory.entries == ()
    (problem,) = inventory.problems
    assert (problem.line, problem.column, problem.value) == (2, column, value)
    assert right in problem.sentence
    assert str(problem).startswith(f"line 2, {column}=")
    assert len(str(problem)) < 400


def test_all_problems_are_reported_in_the_order_of_the_lines(tmp_path: Path) -> None:
    text = 'id,innerIpAddress,alias\n1,10.0.0.1,a\nx,nowhere,b\n"1",10.0.0.2,"a"\n'
    assert [str(problem) for problem in read(tmp_path / "h.csv", text).problems] == [
        "line 3, id='x': not an id. Write a whole number from 1 to 9223372036854775807.",
        "line 3, innerIpAddress='nowhere': not the IP address of a host. Write one such as 10.0.0.7 or fd00::7.",
        "line 4, id='1': line 2 has the same id. Give each host its own.",
        "line 4, alias='a': line 2 has the same alias. Aliases are unique.",
    ]


def test_an_alias_of_another_host_in_the_store(tmp_path: Path) -> None:
    text = "id,innerIpAddress,alias\n1,10.0.0.1,a\n"
    assert not read(tmp_path / "h.csv", text, {"a": 1}).problems
    (problem,) = read(tmp_path / "h.csv", text, {"a": 2}).problems
    assert str(problem) == "line 2, alias='a': host 2 in the store has this alias. Aliases are unique."


def test_hosts_of_one_file_may_swap_their_aliases(tmp_path: Path) -> None:
    text = "id,innerIpAddress,alias\n1,10.0.0.1,b\n2,10.0.0.2,a\n"
    assert not read(tmp_path / "h.csv", text, {"a": 1, "b": 2}).problems


def test_a_cell_over_several_lines_counts_them(tmp_path: Path) -> None:
    text = 'id,innerIpAddress,alias\n1,10.0.0.1,"a\nb"\n2,nowhere,c\n'
    assert [problem.line for problem in read(tmp_path / "h.csv", text).problems] == [2, 4]


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("h.txt", "id", "its name ends in .txt"),
        ("hosts", "id", "its name ends in nothing"),
        ("h.csv", "", "it contains no hosts"),
        ("h.csv", "id,innerIpAddress\n", "it contains no hosts"),
        ("h.csv", "id,ip\n1,10.0.0.1\n", "a column 'ip', which does not exist"),
        ("h.csv", "id;innerIpAddress\n", "a column 'id;innerIpAddress', which does not exist"),
        ("h.csv", "id,id\n1,2\n", "has the column id twice"),
        ("h.csv", "id,innerIpAddress\n1,10.0.0.1,x\n", "line 2 has 3 cells, the header has 2 columns"),
        ("h.csv", 'id,innerIpAddress\n1,"10.0.0.1', "line 2 is not CSV"),
        ("h.csv", b"id,innerIpAddress\n1,\xff\n", "byte 20 is not UTF-8"),
        ("h.yaml", "", "it contains no hosts"),
        ("h.yaml", "a: [", "is not YAML"),
        ("h.yaml", "- id: 1\n  a: b: c\n", "line 2 is not YAML"),
        ("h.yaml", "hosts: []", "it is not a list"),
        ("h.yaml", "- id: 1\n- text\n", "line 2 is not a host"),
        ("h.yaml", "- id: 1\n  alias: [a]\n", "line 2 contains a list or a mapping"),
        ("h.yaml", "- id: 1\n  id: 2\n", "line 2 has id a second time"),
        ("h.yaml", "- id: 1\n--- \n- id: 2\n", "not YAML"),
        ("h.yaml", "- !!python/object/apply:os.system [x]\n", "line 1 is not a host"),
    ],
)
def test_a_file_that_is_not_an_inventory(tmp_path: Path, name: str, text: str | bytes, reason: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(tmp_path / name, text)
    assert refused.value.sentence.startswith(f"Nothing was imported from {tmp_path / name}: ")
    assert reason in refused.value.sentence


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="it cannot be read: No such file or directory"):
        read_rows(tmp_path / "none.csv")
