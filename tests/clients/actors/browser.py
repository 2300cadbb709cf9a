"""A real Chromium without a window, which can reach this computer only."""

import os
import shutil

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, TimeoutException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

FLAGS = """
    --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-dev-shm-usage
    --disable-background-networking --disable-component-update --disable-sync --hide-scrollbars
""".split()
ONLY_THIS_COMPUTER = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"
JAVASCRIPT_BLOCKED = {"profile.managed_default_content_settings.javascript": 2}


class Browser:
    def __init__(self, profile, javascript=True):
        options = webdriver.ChromeOptions()
        options.binary_location = os.environ.get("CHROMIUM") or shutil.which("chromium")
        for flag in [*FLAGS, ONLY_THIS_COMPUTER, f"--user-data-dir={profile}"]:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        if not javascript:
            options.add_experimental_option("prefs", JAVASCRIPT_BLOCKED)
        # Both paths are given, so that selenium looks for neither and downloads nothing.
        driver = os.environ.get("CHROMEDRIVER") or shutil.which("chromedriver")
        self.driver = webdriver.Chrome(options, webdriver.ChromeService(driver))
        self.driver.set_page_load_timeout(30)

    def stop(self):
        self.driver.quit()

    def open(self, url):
        self.driver.get(url)

    @property
    def url(self):
        return self.driver.current_url

    @property
    def page_text(self):
        return self.driver.find_element(By.TAG_NAME, "body").text

    @property
    def complaints(self):
        """What the console says, for example about the Content-Security-Policy."""
        return [entry["message"] for entry in self.driver.get_log("browser") if "favicon" not in entry["message"]]

    def find(self, name):
        """The element with this id, waited for."""
        wait = WebDriverWait(self.driver, 15)
        return wait.until(lambda driver: driver.find_element(By.ID, name), f"no #{name} at {self.url}")

    def has(self, name):
        return bool(self.driver.find_elements(By.ID, name))

    def shows(self, name):
        return any(element.is_displayed() for element in self.driver.find_elements(By.ID, name))

    def text(self, name):
        return self.find(name).text

    def click(self, name):
        """Follows a link or sends a form, and waits for the page that comes of it."""
        before = self.driver.find_element(By.TAG_NAME, "html")
        self.find(name).click()
        wait = WebDriverWait(self.driver, 15)
        wait.until(lambda driver: driver.find_element(By.TAG_NAME, "html") != before, f"#{name} leads nowhere")

    def push(self, name):
        """Clicks what acts on this page, and leads to no other."""
        self.find(name).click()

    def wait_for(self, name, text):
        """Waits until the element with this id says `text`."""
        wait = WebDriverWait(self.driver, 15, ignored_exceptions=[StaleElementReferenceException])
        try:
            wait.until(lambda _: self.text(name) == text)
        except TimeoutException:
            raise AssertionError(f"#{name} does not say {text!r} at {self.url}: {self.page_text}") from None

    def fill(self, name, value):
        field = self.find(name)
        field.clear()
        field.send_keys(value)

    def sign_in(self, person, password=None):
        """Fills in Grantor's sign-in page."""
        self.fill("username", person.username)
        self.fill("password", password or person.password)
        self.click("login-submit")

    def sign_in_and_allow(self, person):
        self.sign_in(person)
        self.click("consent-allow")

    @property
    def cookies(self):
        """Those that the browser would send to the page it shows."""
        return {cookie["name"]: cookie["value"] for cookie in self.driver.get_cookies()}

    def press(self, *keys):
        """Presses keys wherever the focus is."""
        self.driver.switch_to.active_element.send_keys(*keys)

    def tab_to(self, name):
        """Moves the focus with the tab key alone."""
        self.find(name)
        for _ in range(30):
            if self.driver.switch_to.active_element.get_attribute("id") == name:
                return
            self.press(Keys.TAB)
        raise AssertionError(f"the tab key does not reach #{name}")

    def resize(self, width, height, scale=1):
        """Shows pages as on a screen of this many CSS pixels."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def prefer(self, colour_scheme):
        # Without transitions the new colours are there at once.
        media = {"prefers-color-scheme": colour_scheme, "prefers-reduced-motion": "reduce"}
        features = [{"name": name, "value": value} for name, value in media.items()]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def evaluate(self, script):
        return self.driver.execute_script(script)
