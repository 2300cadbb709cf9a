"""People use the two example web apps."""

import json
from concurrent.futures import ThreadPoolExecutor

import requests


def sign_in_to(app, browser, person):
    browser.open(app.url)
    browser.click("sign-in")
    browser.sign_in_and_allow(person)


def test_a_person_signs_in_allows_and_the_app_calls_the_api(web_app, browser, grantor):
    person = grantor.person()
    sign_in_to(web_app, browser, person)
    assert browser.text("api-status") == "200"
    token = json.loads(browser.text("api-answer"))["token"]
    assert token["sub"] == person.id
    assert token["client_id"] == web_app.client.id
    assert browser.url == f"{web_app.url}/"


def test_an_expired_access_token_is_refreshed_again_and_again(web_app, browser, grantor):
    sign_in_to(web_app, browser, grantor.person())
    for refreshes in ("1", "2", "3"):
        browser.click("expire")
        assert browser.text("refreshes") == refreshes
        assert browser.text("api-status") == "200"
    assert "orders.read" in browser.text("scope").split()


def test_parallel_requests_refresh_once_and_all_succeed(web_app, browser, grantor):
    sign_in_to(web_app, browser, grantor.person())
    browser.find("api-status")
    cookies = browser.cookies
    requests.post(f"{web_app.url}/expire", cookies=cookies, allow_redirects=False, timeout=10)
    with ThreadPoolExecutor(8) as pool:
        pages = list(pool.map(lambda _: requests.get(web_app.url, cookies=cookies, timeout=20).text, range(16)))
    assert all('id="api-status">200<' in page for page in pages)
    assert all('id="refreshes">1<' in page for page in pages)


def test_signing_out_of_the_app_forgets_the_person_there(web_app, browser, grantor):
    sign_in_to(web_app, browser, grantor.person())
    browser.click("sign-out")
    browser.find("sign-in")
    assert not browser.has("api-status")


def test_a_person_who_denies_is_told_so_by_the_app(web_app, browser, grantor):
    browser.open(web_app.url)
    browser.click("sign-in")
    browser.sign_in(grantor.person())
    browser.click("consent-deny")
    assert browser.text("error") == "access_denied"


def test_the_id_token_names_issuer_app_and_person(web_apps, browser, grantor):
    app, person = web_apps["web-authlib"], grantor.person()
    sign_in_to(app, browser, person)
    claims = json.loads(browser.text("id-token"))
    assert claims["iss"] == grantor.issuer
    assert claims["aud"] in (app.client.id, [app.client.id])
    assert claims["sub"] == person.id
    assert claims["nonce"] and claims["at_hash"] and claims["auth_time"]


def test_a_second_app_needs_no_second_sign_in(web_apps, browser, grantor):
    sign_in_to(web_apps["web-requests-oauthlib"], browser, grantor.person())
    browser.find("api-status")
    browser.open(web_apps["web-authlib"].url)
    browser.click("sign-in")
    browser.find("consent-allow")
    assert not browser.has("password")
    browser.click("consent-allow")
    assert browser.text("api-status") == "200"


def test_what_was_allowed_once_is_not_asked_again(web_app, browser, grantor):
    sign_in_to(web_app, browser, grantor.person())
    browser.click("sign-out")
    browser.click("sign-in")
    assert browser.text("api-status") == "200"
