"""What several test files need: one headless browser for the whole run."""

import shutil

import pytest
from hypothesis import settings

# the same examples on every machine, however slow it is
settings.register_profile("book", deadline=None, derandomize=True)
settings.load_profile("book")

INSTALLED = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def browser():
    """An installed Chromium or Chrome, else the one Playwright downloaded."""
    from playwright.sync_api import sync_playwright

    found = next((path for path in map(shutil.which, INSTALLED) if path), None)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield chromium
        chromium.close()
