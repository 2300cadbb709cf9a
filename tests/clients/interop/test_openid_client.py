"""People use the Node app with openid-client."""

import json
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from steps import sign_in_to


def parameters_of(redirect):
    """Those that an answer sends the browser on with."""
    return dict(parse_qsl(urlsplit(redirect.headers["Location"]).query))


def test_the_id_token_and_userinfo_say_who_signed_in(openid_client_app, browser, grantor):
    person = grantor.person()
    sign_in_to(openid_client_app, browser, person)
    claims, answer = json.loads(browser.text("id-token")), json.loads(browser.text("userinfo"))
    assert claims["iss"] == grantor.issuer
    assert claims["aud"] in (openid_client_app.client.id, [openid_client_app.client.id])
    assert claims["sub"] == answer["sub"] == person.id
    assert claims["nonce"] and claims["at_hash"] and claims["auth_time"] and claims["sid"]
    assert answer["preferred_username"] == person.username
    assert answer["email"] == f"{person.username}@example.com"


def test_an_expired_access_token_is_refreshed_again_and_again(openid_client_app, browser, grantor):
    sign_in_to(openid_client_app, browser, grantor.person())
    for refreshes in ("1", "2", "3"):
        browser.click("expire")
        assert browser.text("refreshes") == refreshes


def test_parallel_requests_refresh_once(openid_client_app, browser, grantor):
    sign_in_to(openid_client_app, browser, grantor.person())
    cookies, url = browser.cookies, openid_client_app.url
    requests.post(f"{url}/expire", cookies=cookies, allow_redirects=False, timeout=10)
    with ThreadPoolExecutor(8) as pool:
        pages = list(pool.map(lambda _: requests.get(url, cookies=cookies, timeout=20).text, range(16)))
    assert all('id="refreshes">1<' in page for page in pages)


def test_access_that_was_taken_away_ends_the_sign_in(openid_client_app, browser, grantor):
    person = grantor.person()
    sign_in_to(openid_client_app, browser, person)
    grantor.run("user", "disable", person.username)
    browser.click("expire")
    browser.find("sign-in")  # by the refusal to refresh, or by a logout token if that was quicker


@pytest.mark.parametrize("wrong", [{"state": "another"}, {"iss": "https://another.example"}, {"iss": None}])
def test_an_answer_to_another_question_is_refused(openid_client_app, grantor, wrong):
    visitor = requests.Session()
    question = parameters_of(visitor.get(f"{openid_client_app.url}/sign-in", allow_redirects=False, timeout=10))
    answer = {"code": "a-code", "state": question["state"], "iss": grantor.issuer} | wrong
    page = visitor.get(f"{openid_client_app.url}/callback", params=answer, timeout=10)
    assert page.status_code == 400
    assert 'id="error">OAUTH_' in page.text


def test_an_answer_without_a_question_is_refused(openid_client_app, grantor):
    answer = {"code": "a-code", "state": "a-state", "iss": grantor.issuer}
    page = requests.get(f"{openid_client_app.url}/callback", answer, timeout=10)
    assert page.status_code == 400


def test_what_is_no_logout_token_signs_nobody_out(openid_client_app, browser, grantor):
    url = openid_client_app.url
    sign_in_to(openid_client_app, browser, grantor.person())
    signed_out = requests.post(f"{url}/sign-out", cookies=browser.cookies, allow_redirects=False, timeout=10)
    id_token = parameters_of(signed_out)["id_token_hint"]
    browser.open(f"{url}/sign-in")
    for form in ({}, {"logout_token": "nonsense"}, {"logout_token": id_token}):
        assert requests.post(f"{url}/back-channel-logout", form, timeout=10).status_code == 400
    browser.open(url)
    browser.find("sign-out")
