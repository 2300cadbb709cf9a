"""Ways of asking and answering that need a real browser: a form as the answer, and choosing an account."""

import pytest

from test_pages import check_page

FORM_POST = {"response_mode": "form_post"}


def check_posted(relying_party, grantor, answer):
    """The client is told which origin the form came from, and no more."""
    assert answer.pop("Origin") == grantor.issuer
    assert answer.pop("Referer") == f"{grantor.issuer}/"
    return answer


def test_the_answer_is_posted_at_once(relying_party, browser, grantor):
    person = grantor.person()
    browser.open(relying_party.authorization_url("orders.read", **FORM_POST))
    browser.sign_in_and_allow(person)
    # The client has sent the browser on to another host, which a policy on forms would have stopped.
    browser.find("answered")
    assert browser.url == relying_party.redirect_uri.replace("localhost", "127.0.0.1").replace("callback", "signed-in")
    assert set(check_posted(relying_party, grantor, relying_party.answer())) == {"code"}
    assert browser.complaints == []
    # And with nothing left to ask, as the answer to the request itself.
    browser.open(relying_party.authorization_url("orders.read", prompt="none", **FORM_POST))
    browser.find("answered")
    assert check_posted(relying_party, grantor, relying_party.answer())["code"]


def test_a_refusal_is_posted_too(relying_party, browser, grantor):
    browser.open(relying_party.authorization_url("orders.read", **FORM_POST))
    browser.sign_in(grantor.person())
    browser.click("consent-deny")
    browser.find("answered")
    assert check_posted(relying_party, grantor, relying_party.answer())["error"] == "access_denied"
    assert browser.complaints == []


def test_without_javascript_a_button_posts_it(relying_party, browser_without_javascript, grantor):
    browser = browser_without_javascript
    browser.open(relying_party.authorization_url("orders.read", **FORM_POST))
    browser.sign_in_and_allow(grantor.person())
    check_page(browser)
    browser.click("form-post-continue")
    browser.find("answered")
    assert check_posted(relying_party, grantor, relying_party.answer())["code"]


def test_the_way_back_leads_to_no_second_answer(relying_party, browser, grantor):
    browser.open(relying_party.authorization_url("orders.read", **FORM_POST))
    browser.sign_in_and_allow(grantor.person())
    browser.find("answered")
    relying_party.answer()
    browser.driver.back()
    assert relying_party.answers.empty()


@pytest.mark.parametrize("choice", ["account-continue", "account-other"])
def test_an_account_is_chosen(relying_party, browser, grantor, choice):
    first, second = grantor.person(), grantor.person()
    relying_party.tokens(browser, first, "orders.read")
    browser.open(relying_party.authorization_url("orders.read", prompt="select_account"))
    assert browser.text("account-continue") == f"Continue as {first.username}"
    check_page(browser)
    browser.click(choice)
    if choice == "account-other":
        assert browser.find("username").get_attribute("value") == ""
        browser.sign_in_and_allow(second)
    browser.find("answered")
    assert relying_party.redeem()["access_token"]
    assert browser.complaints == []


def test_a_fresh_sign_in_asks_for_the_password_alone(relying_party, browser, grantor):
    person = grantor.person()
    relying_party.tokens(browser, person, "orders.read")
    browser.open(relying_party.authorization_url("orders.read", prompt="login"))
    assert browser.find("username").get_attribute("value") == person.username
    check_page(browser)
    browser.fill("password", person.password)
    browser.click("login-submit")
    browser.find("answered")
    assert relying_party.redeem()["access_token"]
