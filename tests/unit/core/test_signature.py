"""OCP's published signatures, and what a signature binds."""

from dataclasses import replace
from random import Random
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.signature import Signable, body_md5, find_matching_signature, sign

SECRET = "2fc0c299cc94c6be266f2ceece765d4d"
BODY = b'{"name":"test01","description":"test","regionId":1}'
POST = Signable(
    method="POST",
    body_md5=body_md5(BODY),
    content_type="application/json",
    date="Tue, 17 Jan 2023 09:13:57 GMT",
    host="ocp.alibaba.net:8080",
    path="/api/v2/compute/idcs",
    headers={"x-ocp-data": ("A", "1")},
)
GET = Signable(
    method="GET",
    body_md5=body_md5(b""),
    content_type="application/json;charset=utf-8",
    date="Tue, 17 Jan 2023 04:14:02 GMT",
    host="ocp.alibaba.net:8080",
    path="/api/v2/compute/idcs",
    query="size=100",
)
PUBLISHED = [(POST, "XN8P+O+v3vUabB16ZCooq5wMJoY="), (GET, "TsQD6HDOuZuJ409m0wdnZPmijlc=")]


@pytest.mark.parametrize(("request_", "published"), PUBLISHED)
def test_the_published_signatures(request_: Signable, published: str) -> None:
    (message,) = request_.messages()
    assert sign(SECRET, message) == published
    assert find_matching_signature(SECRET, request_, published) == published


def test_the_message_keeps_a_line_for_every_part() -> None:
    assert POST.body_md5 == "186974DB33A090A16D3E2CA35F547B56"
    assert POST.messages() == (
        (
            "POST\n186974DB33A090A16D3E2CA35F547B56\napplication/json\nTue, 17 Jan 2023 09:13:57 GMT\n"
            "ocp.alibaba.net:8080\nx-ocp-data:A,1\n/api/v2/compute/idcs"
        ),
    )
    assert Signable("GET", "", "", "", "", "/").messages() == ("GET\n\n\n\n\n\n/",)


@pytest.mark.parametrize(
    "changed",
    [
        replace(POST, method="DELETE"),
        replace(POST, body_md5=body_md5(BODY + b" ")),
        replace(POST, content_type="text/plain"),
        replace(POST, date="Tue, 17 Jan 2023 09:13:58 GMT"),
        replace(POST, host="ocp.alibaba.net"),
        replace(POST, headers={}),
        replace(POST, headers={"x-ocp-data": ("1", "A")}),
        replace(POST, path="/api/v2/compute/idcs/"),
        replace(POST, query="force=true"),
    ],
)
def test_a_signature_fits_one_request_only(changed: Signable) -> None:
    assert find_matching_signature(SECRET, changed, PUBLISHED[0][1]) is None


@pytest.mark.parametrize("given_", ["", "XN8P+O+v3vUabB16ZCooq5wMJoY", "é", "\udcff"])
def test_what_is_no_signature_fits_nothing(given_: str) -> None:
    assert find_matching_signature(SECRET, POST, given_) is None


@pytest.mark.parametrize(
    ("query", "canonical"),
    [
        ("", ""),
        ("size=10&page=2", "?page=2&size=10"),
        ("name=a+b%2fc~", "?name=a%20b%2Fc~"),
        ("empty=&flag", "?empty=&flag="),
        ("status=FAILED%2CRUNNING", "?status=FAILED%2CRUNNING"),
        ("name=%E4%B8%AD", "?name=%E4%B8%AD"),
        ("name=%ff", "?name=%FF"),
    ],
)
def test_a_query_in_order_and_encoded(query: str, canonical: str) -> None:
    assert replace(GET, query=query).messages()[0].endswith(f"/api/v2/compute/idcs{canonical}")


def test_the_comma_between_a_keys_values_may_be_encoded_or_not() -> None:
    repeated = replace(GET, query="status=RUNNING&status=FAILED")
    for message, ending in zip(repeated.messages(), ("FAILED,RUNNING", "FAILED%2CRUNNING"), strict=True):
        assert message.endswith(f"?status={ending}")
        assert find_matching_signature(SECRET, repeated, sign(SECRET, message))


def test_headers_are_in_order() -> None:
    several = replace(POST, headers={"x-ocp-b": ("2",), "x-ocp-a": ("1", "0")})
    assert several.messages()[0].split("\n")[5:7] == ["x-ocp-a:1,0", "x-ocp-b:2"]


@given(st.lists(st.tuples(st.text(), st.text()), max_size=5), st.randoms())
def test_the_order_in_which_a_query_is_sent_does_not_matter(pairs: list[tuple[str, str]], random: Random) -> None:
    clean = [(key.encode(errors="replace").decode(), value.encode(errors="replace").decode()) for key, value in pairs]
    shuffled = sorted(clean, key=lambda _: random.random())
    one, other = (replace(GET, query=urlencode(order)) for order in (clean, shuffled))
    assert one.messages() == other.messages()
