"""People use the single-page app with oidc-client-ts: all of it in a real browser."""

import json

import pytest
import requests
from steps import sign_in_to, sign_out_of


@pytest.fixture(autouse=True)
def no_complaints(browser):
    """Neither about CORS nor about the app's own Content-Security-Policy."""
    yield
    assert [text for text in browser.complaints if "400 (Bad Request)" not in text] == []


def stored(browser):
    """What oidc-client-ts keeps for the tab."""
    script = "return Object.entries(sessionStorage).find(([key]) => key.startsWith('oidc.user:'))?.[1]"
    return json.loads(browser.evaluate(script))


def test_a_person_signs_in_and_the_app_asks_with_the_access_token(single_page_app, browser, grantor):
    person = grantor.person()
    sign_in_to(single_page_app, browser, person)
    assert browser.text("name") == person.username
    assert browser.url == f"{single_page_app.url}/"
    browser.push("call")
    browser.wait_for("status", "200")
    answer = json.loads(browser.text("answer"))
    assert answer["sub"] == person.id
    assert answer["email"] == f"{person.username}@example.com"


def test_a_reload_keeps_the_person_signed_in(single_page_app, browser, grantor):
    person = grantor.person()
    sign_in_to(single_page_app, browser, person)
    browser.driver.refresh()
    browser.wait_for("name", person.username)


def test_tokens_are_renewed_with_the_refresh_token(single_page_app, browser, grantor):
    sign_in_to(single_page_app, browser, grantor.person())
    first = stored(browser)
    for renewals in ("1", "2"):
        browser.push("renew")
        browser.wait_for("renewals", renewals)
    last = stored(browser)
    assert last["refresh_token"] != first["refresh_token"]
    assert last["access_token"] != first["access_token"]
    browser.push("call")
    browser.wait_for("status", "200")


def test_tokens_are_renewed_before_they_end_without_a_hand(restless_single_page_app, browser, grantor):
    sign_in_to(restless_single_page_app, browser, grantor.person())
    browser.wait_for("renewals", "1")
    browser.wait_for("renewals", "2")
    browser.push("call")
    browser.wait_for("status", "200")


def test_access_that_was_taken_away_ends_the_sign_in_at_the_next_renewal(single_page_app, browser, grantor):
    person = grantor.person()
    sign_in_to(single_page_app, browser, person)
    grantor.run("user", "disable", person.username)
    browser.push("renew")
    browser.wait_for("error", "invalid_grant")
    assert browser.find("sign-in").is_displayed()


def test_signing_out_revokes_the_tokens(single_page_app, browser, grantor):
    sign_in_to(single_page_app, browser, grantor.person())
    refresh_token = stored(browser)["refresh_token"]
    sign_out_of(single_page_app, browser)
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token, "client_id": single_page_app.client.id}
    answer = requests.post(grantor.metadata["token_endpoint"], form, timeout=10)
    assert answer.json()["error"] == "invalid_grant"
