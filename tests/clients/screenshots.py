"""Takes the pictures of the README: the real sign-in, consent and apps pages, light and dark.

Not a test by name, so that pytest runs it only when `script/screenshots` asks.
"""

from pathlib import Path

IMAGES = Path(__file__).parents[2] / "docs" / "images"
MOST_BYTES = 150_000
WIDTH = 560


def picture(browser, name):
    shown, height = 0, 640
    while shown < height:  # the margins grow with the screen
        shown = height
        browser.resize(WIDTH, shown, scale=1.5)
        height = browser.evaluate("return document.scrollingElement.scrollHeight")
    for colour_scheme in ("light", "dark"):
        browser.prefer(colour_scheme)
        path = IMAGES / f"{name}-{colour_scheme}.png"
        assert browser.driver.save_screenshot(str(path))
        assert path.stat().st_size < MOST_BYTES, f"{path.name} is too large for a README"


def test_pictures(relying_party, browser, grantor):
    IMAGES.mkdir(parents=True, exist_ok=True)
    person = grantor.person(username="ada")
    browser.open(relying_party.authorization_url("orders.read orders.admin offline_access"))
    browser.find("login-submit")
    picture(browser, "sign-in")
    browser.sign_in(person)
    browser.find("consent-allow")
    picture(browser, "consent")


def test_pictures_of_the_account(relying_party, browser, grantor):
    person = grantor.person(username="grace")
    relying_party.tokens(browser, person, "openid orders.read offline_access")
    browser.open(f"{grantor.issuer}/account/apps")
    browser.find("withdraw-1")
    picture(browser, "apps")
