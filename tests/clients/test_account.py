"""People end a session elsewhere and take an app's access back, in real browsers."""

import pytest
from selenium.webdriver.common.keys import Keys

from actors.browser import Browser
from test_pages import check_page

SCOPE = "openid offline_access orders.read"


@pytest.fixture
def elsewhere(tmp_path):
    browser = Browser(tmp_path / "elsewhere")
    yield browser
    browser.stop()


def sign_in(browser, grantor, person, path):
    """Opens one of Grantor's own pages, over the sign-in page."""
    browser.open(grantor.issuer + path)
    browser.sign_in(person)
    assert browser.url == grantor.issuer + path


def test_a_session_elsewhere_is_ended(browser, elsewhere, grantor):
    person = grantor.person()
    sign_in(elsewhere, grantor, person, "/account")
    sign_in(browser, grantor, person, "/account/sessions")
    for words in ("Chrome on Linux", "This browser", "127.0.0.1", "in the last few minutes", "UTC"):
        assert words in browser.page_text
    check_page(browser)
    # With the keyboard alone; the first entry is this browser.
    browser.tab_to("end-2")
    browser.press(Keys.ENTER)
    assert browser.text("outcome") == "Done: that browser is signed out."
    assert not browser.has("end-2") and not browser.has("end-others")
    assert browser.complaints == []
    elsewhere.open(f"{grantor.issuer}/account")
    elsewhere.find("login-submit")
    check_page(browser)


def test_everywhere_else_is_ended(browser_without_javascript, elsewhere, grantor):
    browser, person = browser_without_javascript, grantor.person()
    sign_in(elsewhere, grantor, person, "/account")
    sign_in(browser, grantor, person, "/account/sessions")
    browser.click("end-others")
    assert browser.text("outcome") == "Done: you are signed out everywhere else."
    elsewhere.open(f"{grantor.issuer}/account")
    elsewhere.find("login-submit")


def test_an_apps_access_is_taken_back(relying_party, browser, grantor):
    person = grantor.person()
    tokens = relying_party.tokens(browser, person, SCOPE)
    browser.open(f"{grantor.issuer}/account")
    check_page(browser)
    browser.click("apps")
    for words in ("Bakery", "See your orders", "localhost", "also while you are away"):
        assert words in browser.page_text
    check_page(browser)
    browser.click("withdraw-1")
    check_page(browser)
    browser.click("withdraw-confirm")
    assert "Bakery has no access any more" in browser.page_text
    assert browser.complaints == []
    refused = relying_party.refresh(tokens)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    # The person is still signed in, and is asked again.
    browser.open(relying_party.authorization_url(SCOPE))
    browser.click("consent-allow")
    assert relying_party.redeem()["access_token"]


def test_what_is_new_stands_apart_on_the_consent_page(relying_party, browser, grantor):
    person = grantor.person()
    relying_party.tokens(browser, person, "openid orders.read")
    browser.open(relying_party.authorization_url(SCOPE))
    browser.find("consent-allow")
    assert browser.page_text.index("Keep this access") < browser.page_text.index("As you have allowed before")
    assert browser.page_text.index("As you have allowed before") < browser.page_text.index("See your orders")
    check_page(browser)
