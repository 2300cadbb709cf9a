"""Introspection, revocation and client credentials with nothing but `requests`."""

import pytest

from actors.grantor import ORDERS


@pytest.fixture(scope="module")
def resource_server(grantor):
    """The Orders API as a client: it may introspect the tokens that are meant for it."""
    return grantor.client("--grant", "client_credentials", "--resource-server", ORDERS)


def introspect(grantor, resource_server, token):
    answer = grantor.post("introspection", resource_server, token=token)
    assert answer.status_code == 200
    return answer.json()


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_a_revoked_token_is_inactive_at_once(relying_party, browser, grantor, resource_server, kind):
    person = grantor.person()
    tokens = relying_party.tokens(browser, person, "orders.read")
    before = introspect(grantor, resource_server, tokens["access_token"])
    assert before["active"] and before["sub"] == person.id and before["scope"] == "orders.read"
    assert grantor.post("revocation", relying_party.client, token=tokens[kind]).status_code == 200
    assert introspect(grantor, resource_server, tokens["access_token"]) == {"active": False}


def test_a_revoked_refresh_token_refreshes_nothing(relying_party, browser, grantor):
    tokens = relying_party.tokens(browser, grantor.person(), "orders.read")
    grantor.post("revocation", relying_party.client, token=tokens["refresh_token"])
    refused = relying_party.refresh(tokens)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


def test_a_lost_answer_to_a_refresh_can_be_asked_for_again(relying_party, browser, grantor):
    tokens = relying_party.tokens(browser, grantor.person(), "orders.read")
    first, second = relying_party.refresh(tokens).json(), relying_party.refresh(tokens).json()
    assert first["refresh_token"] == second["refresh_token"] != tokens["refresh_token"]


def test_another_client_learns_nothing(relying_party, browser, grantor):
    tokens = relying_party.tokens(browser, grantor.person(), "orders.read")
    stranger = grantor.client("--grant", "client_credentials")
    assert introspect(grantor, stranger, tokens["access_token"]) == {"active": False}


def test_a_service_gets_a_token_for_itself(grantor, resource_server):
    service = grantor.client("--grant", "client_credentials", "--scope", "orders.read", "--audience", ORDERS)
    answer = grantor.post("token", service, grant_type="client_credentials", scope="orders.read")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert "refresh_token" not in answer.json()
    claims = introspect(grantor, resource_server, answer.json()["access_token"])
    assert claims["active"] and claims["client_id"] == service.id


def test_a_wrong_secret_is_refused(grantor):
    service = grantor.client("--grant", "client_credentials", "--scope", "orders.read")
    wrong = type(service)(service.id, service.secret + "x")
    answer = grantor.post("token", wrong, grant_type="client_credentials")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.headers["WWW-Authenticate"].startswith("Basic")
