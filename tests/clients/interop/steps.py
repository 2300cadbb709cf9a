"""What people do, and what is waited for."""

import time


def sign_in_to(app, browser, person):
    begin_at(app, browser)
    browser.sign_in_and_allow(person)
    until(lambda: browser.shows("sign-out"))


def begin_at(app, browser):
    """Goes to the app, and from there to Grantor."""
    browser.open(app.url)
    until(lambda: browser.shows("sign-in"))
    browser.click("sign-in")


def allow_in(app, browser):
    """Signs in to a second app: nothing is asked but what it may do."""
    begin_at(app, browser)
    browser.click("consent-allow")
    until(lambda: browser.shows("sign-out"))


def sign_out_of(app, browser):
    """Ends where the app is, with a way back in."""
    browser.click("sign-out")
    until(lambda: browser.url.startswith(f"{app.url}/") and browser.shows("sign-in"))


def until(holds, seconds=20):
    """Waits until `holds()`, for what other processes do in their own time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it does not come about"
        time.sleep(0.2)
