"""The sign-in and consent pages in a real browser."""

import pytest
from selenium.webdriver.common.keys import Keys

from actors.relying_party import origin_of

NAMELESS_CONTROLS = """
    return [...document.querySelectorAll('input:not([type=hidden]), button, select, textarea, a')]
        .filter(e => !(e.labels && e.labels.length) && !e.textContent.trim() && !e.getAttribute('aria-label'))
        .map(e => e.outerHTML)
"""
REPEATED_IDS = """
    const ids = [...document.querySelectorAll('[id]')].map(e => e.id)
    return ids.filter((id, index) => ids.indexOf(id) !== index)
"""
# WCAG 2.2 §1.4.3. Colours of the text itself and of the nearest painted background.
FAINT_TEXT = """
    const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true})
    const rgba = colour => {
        canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1)
        return [...canvas.getImageData(0, 0, 1, 1).data]
    }
    const luminance = colour => rgba(colour).slice(0, 3).map(v => v / 255)
        .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0)
    const background = e => {
        for (; e; e = e.parentElement) {
            const colour = getComputedStyle(e).backgroundColor
            if (rgba(colour)[3] === 255) return colour
        }
        return matchMedia('(prefers-color-scheme: dark)').matches ? '#121212' : '#ffffff'
    }
    const ownText = e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())
    return [...document.body.querySelectorAll('*')].filter(e => ownText(e) && e.checkVisibility()).map(e => {
        const [a, b] = [luminance(getComputedStyle(e).color), luminance(background(e))]
        return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), e.outerHTML.slice(0, 120)]
    }).filter(([contrast]) => contrast < 4.5)
"""


def check_page(browser):
    assert browser.evaluate("return document.documentElement.lang") == "en"
    assert browser.driver.title
    assert browser.evaluate("return document.querySelectorAll('h1').length") == 1
    assert browser.evaluate("return document.querySelectorAll('main').length") == 1
    assert browser.evaluate(NAMELESS_CONTROLS) == []
    assert browser.evaluate(REPEATED_IDS) == []
    for width in (360, 1280):
        browser.resize(width, 740)
        assert browser.evaluate("return document.scrollingElement.scrollWidth <= innerWidth"), f"{width} px: scrolls"
    for colour_scheme in ("light", "dark"):
        browser.prefer(colour_scheme)
        assert browser.evaluate(FAINT_TEXT) == [], colour_scheme
    outside = "return performance.getEntriesByType('resource').map(e => e.name)"
    assert {origin_of(url) for url in browser.evaluate(outside)} <= {origin_of(browser.url)}


def test_the_pages_are_for_everybody(relying_party, browser, grantor):
    browser.open(relying_party.authorization_url("orders.read orders.admin"))
    check_page(browser)
    for field, purpose in [("username", "username"), ("password", "current-password")]:
        assert browser.find(field).get_attribute("autocomplete") == purpose
    browser.sign_in(grantor.person())
    browser.find("consent-allow")
    check_page(browser)
    browser.open(f"{grantor.issuer}/authorize?client_id=unknown")
    browser.find("error-page")
    check_page(browser)


def test_the_consent_page_says_who_asks_for_what_and_where_the_answer_goes(relying_party, browser, grantor):
    browser.open(relying_party.authorization_url("orders.read"))
    browser.sign_in(grantor.person())
    browser.find("consent-allow")
    for words in ("Bakery", "See your orders", "localhost"):
        assert words in browser.page_text


def test_the_content_security_policy_lets_the_answer_reach_the_app(relying_party, browser, grantor):
    """Chromium holds `form-action` against the whole chain of redirects after a form."""
    browser.open(relying_party.authorization_url("orders.read"))
    browser.sign_in_and_allow(grantor.person())
    browser.find("answered")
    assert relying_party.answer()["code"]
    assert browser.complaints == []


def test_deny_answers_the_app(relying_party, browser, grantor):
    browser.open(relying_party.authorization_url("orders.read"))
    browser.sign_in(grantor.person())
    browser.click("consent-deny")
    browser.find("answered")
    assert relying_party.answer()["error"] == "access_denied"


def test_a_wrong_password_stays_on_the_page_and_says_so(relying_party, browser, grantor):
    person = grantor.person()
    browser.open(relying_party.authorization_url("orders.read"))
    browser.sign_in(person, password="not the password")
    assert browser.find("password").get_attribute("value") == ""
    assert origin_of(browser.url) == grantor.issuer
    assert browser.driver.find_element("css selector", "[role=alert]").text
    browser.sign_in_and_allow(person)
    assert relying_party.redeem()["access_token"]


def test_no_javascript_is_needed(relying_party, browser_without_javascript, grantor):
    browser = browser_without_javascript
    browser.open("data:text/html,<title>off</title><script>document.title = 'on'</script>")
    assert browser.driver.title == "off"
    assert relying_party.tokens(browser, grantor.person(), "orders.read")["access_token"]


def test_the_keyboard_is_enough(relying_party, browser, grantor):
    person = grantor.person()
    browser.open(relying_party.authorization_url("orders.read"))
    browser.tab_to("username")
    browser.press(person.username)
    browser.tab_to("password")
    browser.press(person.password, Keys.ENTER)
    browser.tab_to("consent-allow")
    browser.press(Keys.ENTER)
    browser.find("answered")
    assert relying_party.redeem()["access_token"]


@pytest.mark.parametrize("change", [{"redirect_uri": "https://evil.example/callback"}, {"client_id": "unknown"}])
def test_a_request_that_cannot_be_trusted_gets_a_page(relying_party, browser, grantor, change):
    browser.open(relying_party.authorization_url("orders.read", **change))
    browser.find("error-page")
    assert origin_of(browser.url) == grantor.issuer
