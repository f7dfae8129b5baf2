"""See that a Chromium can be started for the browser tests; install one only if none is there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def works() -> bool:
    """True if a page can be opened, in an installed browser or in Playwright's own."""
    from playwright.sync_api import Error, sync_playwright

    with sync_playwright() as playwright:
        path = next(filter(None, map(shutil.which, NAMES)), None)
        try:
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        except Error:
            return False
        browser.close()
        return True


def main() -> int:
    attempts = [
        [],
        [sys.executable, "-m", "playwright", "install", "chromium"],
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "chromium"],
    ]
    for command in attempts:
        if command and command[0] == "apt-get" and (not shutil.which("apt-get") or os.geteuid()):
            continue
        if command:
            print("no browser yet: " + " ".join(command), flush=True)
            subprocess.run(
                command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
        if works():
            return 0
    print("No browser: install Chromium or Chrome, then run this again.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
