"""No app carries an admin's power unasked: restricted scopes, and the roles that bring them."""

import jwt
import pytest
import requests

from actors.grantor import ORDERS


def claims_of(tokens, grantor):
    """The claims of the access token, verified as an API does."""
    token = tokens["access_token"]
    key = jwt.PyJWKClient(grantor.metadata["jwks_uri"]).get_signing_key_from_jwt(token)
    return jwt.decode(token, key, algorithms=["RS256"], issuer=grantor.issuer, audience=ORDERS)


def status_of_all_orders(api, tokens):
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    return requests.get(f"{api.url}/all-orders", headers=headers, timeout=10).status_code


def test_an_admin_who_grants_the_restricted_scope_is_an_admin_there(api, relying_party, browser, grantor):
    tokens = relying_party.tokens(browser, grantor.person("admin"), "orders.read orders.admin")
    assert claims_of(tokens, grantor)["roles"] == ["admin"]
    assert status_of_all_orders(api, tokens) == 200


def test_a_plain_person_is_not(api, relying_party, browser, grantor):
    tokens = relying_party.tokens(browser, grantor.person(), "orders.read")
    assert status_of_all_orders(api, tokens) == 403


def test_an_admin_in_an_app_that_asked_for_less_is_not_either(api, relying_party, browser, grantor):
    tokens = relying_party.tokens(browser, grantor.person("admin"), "orders.read")
    assert "roles" not in claims_of(tokens, grantor)
    assert status_of_all_orders(api, tokens) == 403


def test_a_restricted_scope_that_a_person_may_not_grant_is_dropped_in_sight(relying_party, browser, grantor):
    browser.open(relying_party.authorization_url("orders.read orders.admin"))
    browser.sign_in(grantor.person())
    browser.find("consent-allow")
    assert "orders.admin" in browser.page_text or "See the orders of everybody" in browser.page_text
    browser.click("consent-allow")
    tokens = relying_party.redeem()
    assert tokens["scope"] == "orders.read"
    assert claims_of(tokens, grantor)["scope"] == "orders.read"
    assert relying_party.refresh(tokens).json()["scope"] == "orders.read"


def test_a_refresh_that_repeats_the_scope_first_asked_for_gets_what_was_granted(relying_party, browser, grantor):
    """As requests-oauthlib and Authlib do."""
    asked = "orders.read orders.admin"
    tokens = relying_party.tokens(browser, grantor.person(), asked)
    refreshed = relying_party.refresh(tokens, scope=asked)
    assert refreshed.status_code == 200
    assert refreshed.json()["scope"] == "orders.read"


@pytest.mark.parametrize(("scope", "roles"), [("orders.read", None), ("orders.read roles", ["staff"])])
def test_a_role_without_scopes_shows_under_the_scope_roles(relying_party, browser, grantor, scope, roles):
    tokens = relying_party.tokens(browser, grantor.person("staff"), scope)
    assert claims_of(tokens, grantor).get("roles") == roles


def test_each_role_shows_for_a_reason_of_its_own(relying_party, browser, grantor):
    tokens = relying_party.tokens(browser, grantor.person("admin", "staff"), "orders.read roles")
    assert claims_of(tokens, grantor)["roles"] == ["staff"]


def test_roles_are_read_anew_at_refresh(relying_party, browser, grantor):
    person = grantor.person("admin")
    tokens = relying_party.tokens(browser, person, "orders.read orders.admin")
    grantor.run("user", "set-roles", person.username)
    refreshed = relying_party.refresh(tokens).json()
    assert "roles" not in claims_of(refreshed, grantor)
