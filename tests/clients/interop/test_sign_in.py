"""What all the apps do: somebody signs in, says no, signs out, and is signed out from elsewhere."""

import pytest
from steps import allow_in, begin_at, sign_in_to, sign_out_of, until


def test_the_one_who_signs_out_is_signed_out_of_grantor_too(app, browser, grantor):
    sign_in_to(app, browser, grantor.person())
    sign_out_of(app, browser)
    browser.click("sign-in")
    browser.find("password")


def test_the_one_who_says_no_is_told_so_by_the_app(app, browser, grantor):
    begin_at(app, browser)
    browser.sign_in(grantor.person())
    browser.click("consent-deny")
    assert browser.url.startswith(app.url)
    until(lambda: "access_denied" in browser.page_text)
    browser.open(app.url)
    until(lambda: browser.shows("sign-in"))


@pytest.mark.parametrize("told", ["openid_client_app", "apache"])
def test_a_sign_out_elsewhere_reaches_the_app(told, single_page_app, browser, grantor, request):
    told = request.getfixturevalue(told)
    sign_in_to(told, browser, grantor.person())
    signed_in_at = browser.url
    allow_in(single_page_app, browser)
    sign_out_of(single_page_app, browser)

    def is_signed_out():
        browser.open(signed_in_at)
        return not browser.shows("sign-out")

    until(is_signed_out)


def test_the_end_of_one_session_leaves_the_others(
    openid_client_app, single_page_app, browser, second_browser, grantor
):
    person = grantor.person()
    for each in (browser, second_browser):
        begin_at(openid_client_app, each)
        each.sign_in(person)
        if each is browser:
            each.click("consent-allow")
        each.find("sign-out")
    allow_in(single_page_app, browser)
    sign_out_of(single_page_app, browser)

    def is_signed_out():
        browser.open(openid_client_app.url)
        return browser.shows("sign-in")

    until(is_signed_out)
    second_browser.open(openid_client_app.url)
    assert second_browser.has("sign-out")
