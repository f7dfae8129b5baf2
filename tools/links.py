"""Ask every outside address that the built book names whether it still answers.

    make links

Prints those that do not, and the pages they stand on; the exit status says whether any failed. Some
sites refuse programs: an answer of 403 or 429 counts as there.
"""

from __future__ import annotations

import html
import re
import sys
import urllib.error
import urllib.request
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HTML = Path(__file__).resolve().parent.parent / "_build" / "html"
REFUSED = (401, 403, 405, 429, 999)  # somebody is there, and talks to browsers only


def addresses() -> dict[str, list[str]]:
    """Each outside address, without its fragment, and the pages that link to it."""
    found = defaultdict(set)
    for page in HTML.rglob("*.html"):
        for address in re.findall(r'<a [^>]*href="(https?://[^"]+)"', page.read_text("utf-8")):
            found[html.unescape(address).partition("#")[0]].add(str(page.relative_to(HTML)))
    return {address: sorted(pages) for address, pages in sorted(found.items())}


def trouble(address: str) -> str:
    """Why an address does not answer, or nothing."""
    request = urllib.request.Request(address, headers={"User-Agent": "Mozilla/5.0 (link check)"})
    try:
        with urllib.request.urlopen(request, timeout=20):
            return ""
    except urllib.error.HTTPError as error:
        return "" if error.code in REFUSED else f"{error.code} {error.reason}"
    except (OSError, ValueError) as error:
        return str(getattr(error, "reason", error))


def main() -> int:
    found = addresses()
    with ThreadPoolExecutor(8) as pool:
        answers = dict(zip(found, pool.map(trouble, found), strict=True))
    for address, why in answers.items():
        if why:
            print(f"{address}\n    {why}; on {', '.join(found[address])}")
    failed = sum(map(bool, answers.values()))
    print(f"{len(found)} addresses, {failed} of them do not answer")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
