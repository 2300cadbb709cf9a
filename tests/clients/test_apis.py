"""The two example APIs and every kind of wrong token."""

import time

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa

from actors.grantor import ORDERS


@pytest.fixture(scope="module", params=["api-flask", "api-fastapi"])
def misled_api(request, issuer, start):
    """An API that trusts the issuer of the tests."""
    return start(f"{request.param}/api.py", ISSUER=issuer.url, AUDIENCE=ORDERS)


def get(api, token=None, path="/orders", scheme="Bearer"):
    headers = {"Authorization": f"{scheme} {token}"} if token is not None else {}
    return requests.get(api.url + path, headers=headers, timeout=10)


WRONG_CLAIMS = {
    "expired": {"exp": int(time.time()) - 60},
    "without expiry": {"exp": None},
    "not yet valid": {"nbf": int(time.time()) + 3600},
    "another audience": {"aud": "https://other.example"},
    "the audience as a prefix": {"aud": ORDERS + ".evil.example"},
    "without audience": {"aud": None},
    "another issuer": {"iss": "https://other.example"},
    "without issuer": {"iss": None},
    "without client": {"client_id": None},
}


@pytest.mark.parametrize("changes", WRONG_CLAIMS.values(), ids=WRONG_CLAIMS)
def test_a_token_with_wrong_claims_is_refused(misled_api, issuer, changes):
    answer = get(misled_api, issuer.sign(issuer.claims(ORDERS, **changes)))
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


WRONG_HEADERS = {
    "an ID token": {"typ": "JWT"},
    "without type": {"typ": None},
    "an unknown key": {"kid": "another"},
    "a key with markup": {"kid": '"\r\nSet-Cookie: a=b'},
    "without key": {"kid": None},
    "a kid that is no text": {"kid": ["the-key"]},
    "a type that is no text": {"typ": {"at+jwt": 1}},
    "a critical extension": {"crit": ["exp"]},
}


@pytest.mark.parametrize("header", WRONG_HEADERS.values(), ids=WRONG_HEADERS)
def test_a_token_with_a_wrong_header_is_refused(misled_api, issuer, header):
    answer = get(misled_api, issuer.sign(issuer.claims(ORDERS), **header))
    assert answer.status_code == 401
    assert "Set-Cookie" not in answer.headers


def test_a_token_signed_in_another_way_is_refused(misled_api, issuer):
    claims = issuer.claims(ORDERS)
    for token in (
        issuer.sign(claims, key=rsa.generate_private_key(65537, 2048)),
        issuer.sign(claims, key=issuer.public_pem(), alg="HS256"),  # the classic confusion of algorithms
        issuer.sign(claims, key=b"secret", alg="HS256"),
        issuer.sign(claims, alg="none"),
        issuer.sign(claims, alg="RS512"),
        issuer.sign(claims, alg="PS256"),
        issuer.sign(claims)[:-4],
        issuer.sign(claims).rpartition(".")[0] + ".",
    ):
        assert get(misled_api, token).status_code == 401


@pytest.mark.parametrize("junk", ["x", "a.b.c", "..", "e30.e30.", "é", "Bearer", "a b", "A" * 5000])
def test_junk_is_refused(misled_api, junk):
    headers = {"Authorization": f"Bearer {junk}".encode()}
    assert requests.get(misled_api.url + "/orders", headers=headers, timeout=10).status_code == 401


def test_without_a_token_no_error_code_is_given(misled_api, issuer):
    basic = get(misled_api, "YTpi", scheme="Basic")
    query = requests.get(f"{misled_api.url}/orders?access_token={issuer.sign(issuer.claims(ORDERS))}", timeout=10)
    for answer in (get(misled_api), basic, query):
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="orders"'


def test_the_scheme_is_read_without_regard_to_case(misled_api, issuer):
    assert get(misled_api, issuer.sign(issuer.claims(ORDERS)), scheme="bearer").status_code == 200


def test_a_missing_scope_is_named(misled_api, issuer):
    answer = get(misled_api, issuer.sign(issuer.claims(ORDERS, scope="orders.read.not profile")))
    assert answer.status_code == 403
    assert 'error="insufficient_scope", scope="orders.read"' in answer.headers["WWW-Authenticate"]


def test_an_issuer_that_cannot_be_reached_is_not_the_token_s_fault(issuer, start):
    for name in ("api-flask", "api-fastapi"):
        lonely = start(f"{name}/api.py", ISSUER="http://localhost:9", AUDIENCE=ORDERS)
        answer = get(lonely, issuer.sign(issuer.claims(ORDERS)))
        assert answer.status_code == 503
        assert answer.headers["Retry-After"]


def test_tokens_of_the_real_issuer_count_for_their_audience_alone(api, grantor):
    for audience, status in [(ORDERS, 200), ("https://other.example", 401)]:
        client = grantor.client("--grant", "client_credentials", "--scope", "orders.read", "--audience", audience)
        token = grantor.post("token", client, grant_type="client_credentials").json()["access_token"]
        assert get(api, token).status_code == status
