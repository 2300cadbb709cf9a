"""The newcomer's walk: from the start page through the demo app to tokens that work."""

import json
import subprocess

from actors.processes import clean_environment
from test_pages import check_page


def boxes(browser):
    """The texts to be pasted into a terminal, as a click on each would select them."""
    return [box.get_attribute("textContent") for box in browser.driver.find_elements("css selector", ".copy")]


def shell(*commands):
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(commands)],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def walk(browser, grantor):
    """From the start page to the demo app's tokens."""
    browser.open(f"{grantor.issuer}/")
    browser.click("try-demo")
    browser.sign_in(grantor.demo_person)
    if browser.has("consent-allow"):
        browser.click("consent-allow")
    browser.find("demo-tokens")


def test_a_newcomer_gets_tokens_that_work_in_a_terminal(grantor, api, browser):
    walk(browser, grantor)
    check_page(browser)
    assert browser.complaints == []
    settings, call, introspect, refresh, revoke = boxes(browser)
    call = call.replace("http://localhost:5001", api.url)
    curl = "curl() { command curl --silent --show-error --fail-with-body --noproxy '*' \"$@\"; }"

    assert json.loads(shell(curl, settings, call))["sub"] in browser.page_text
    assert json.loads(shell(curl, settings, introspect))["active"]
    assert json.loads(shell(curl, settings, refresh))["refresh_token"]
    shell(curl, settings, revoke)
    assert not json.loads(shell(curl, settings, introspect))["active"]


def test_what_was_allowed_once_is_shown_again_without_a_question(grantor, browser):
    walk(browser, grantor)
    browser.click("again")
    browser.find("demo-tokens")
    browser.click("sign-out")
    browser.click("logout-confirm")
    browser.find("logout-done")


def test_loading_the_page_again_does_not_spoil_the_tokens(grantor, browser):
    walk(browser, grantor)
    settings, _, introspect, *_ = boxes(browser)
    browser.driver.refresh()
    browser.find("error-page")
    assert json.loads(shell(settings, introspect.replace("curl", "curl --silent --noproxy '*'")))["active"]


def test_the_demo_needs_no_javascript(grantor, browser_without_javascript):
    walk(browser_without_javascript, grantor)


def test_a_newcomer_may_say_no(grantor, browser):
    browser.open(f"{grantor.issuer}/demo")
    browser.sign_in(grantor.person())
    browser.click("consent-deny")
    assert "did not allow" in browser.page_text
    check_page(browser)
