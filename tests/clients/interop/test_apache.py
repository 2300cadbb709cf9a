"""People use the site that Apache guards with mod_auth_openidc."""

import requests
from steps import sign_in_to, until


def info(site, cookies):
    """What the module tells the site's scripts."""
    return requests.get(f"{site.url}/members/callback", {"info": "json"}, cookies=cookies, timeout=10).json()


def test_a_page_is_told_who_signed_in(apache, browser, grantor):
    person = grantor.person()
    sign_in_to(apache, browser, person)
    assert browser.url == f"{apache.url}/members/"
    assert browser.text("sub") == browser.text("remote-user") == person.id
    assert browser.text("iss") == grantor.issuer
    assert browser.text("username") == person.username
    assert browser.text("email") == f"{person.username}@example.com"


def test_the_site_refreshes_tokens_by_itself(apache, browser, grantor):
    person = grantor.person()
    sign_in_to(apache, browser, person)
    cookies = browser.cookies
    first = info(apache, cookies)

    def is_refreshed():
        browser.driver.refresh()
        return info(apache, cookies)["access_token_expires"] > first["access_token_expires"]

    until(is_refreshed)
    assert info(apache, cookies)["userinfo"]["sub"] == person.id


def test_access_that_was_taken_away_ends_the_sign_in(apache, browser, grantor):
    person = grantor.person()
    sign_in_to(apache, browser, person)
    grantor.run("user", "disable", person.username)

    def is_signed_out():
        browser.open(f"{apache.url}/members/")
        return browser.has("password")

    until(is_signed_out)


def test_an_app_behind_the_site_is_told_in_headers_which_no_browser_can_set(apache, browser, grantor):
    person = grantor.person()
    sign_in_to(apache, browser, person)
    lies = {"OIDC_CLAIM_sub": "somebody", "OIDC-CLAIM-sub": "somebody", "Oidc-Claim_Email": "root@example.com"}
    answer = requests.get(f"{apache.url}/members/app", headers=lies, cookies=browser.cookies, timeout=10)
    told = [(name.upper().replace("-", "_"), value) for name, value in answer.json()]
    assert [value for name, value in told if name == "OIDC_CLAIM_SUB"] == [person.id]
    assert [value for name, value in told if name == "OIDC_CLAIM_EMAIL"] == [f"{person.username}@example.com"]


def test_nobody_gets_to_the_app_without_signing_in(apache, grantor):
    answer = requests.get(f"{apache.url}/members/app", allow_redirects=False, timeout=10)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(grantor.metadata["authorization_endpoint"])
