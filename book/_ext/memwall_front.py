"""The front page: ten questions, each with its small picture; a chapter's page opens with the same."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from pathlib import Path

from memwall_figures import welcome

README = Path(__file__).parents[2] / "README.md"


def questions() -> list[tuple[int, str, str]]:
    """Number, name and question of each chapter, from the README's table."""
    rows = re.findall(r"^\| (\d+) ([^|]+?) \| ([^|]+?) \|$", README.read_text("utf-8"), re.M)
    return [(int(n), name, question.replace("*", "")) for n, name, question in rows]


def svg(drawn: str) -> str:
    return f'<svg viewBox="0 0 {welcome.WIDTH} {welcome.HEIGHT}" aria-hidden="true">{drawn}</svg>'


def opening(number: int) -> str:
    """The picture and the fact with which a chapter's page opens: those of its card."""
    drawn, fact = welcome.PICTURES[number - 1]()
    return f'<figure class="mw-opening">{svg(drawn)}<figcaption>{html.escape(fact)}</figcaption></figure>'


def cards(found: Iterable[str]) -> str:
    """The ten questions; each a link once its chapter is in the book."""
    pages = {int(p.split("/")[1][:2]): p for p in found if p.startswith("notebooks/")}
    made = []
    for (number, name, question), picture in zip(questions(), welcome.PICTURES, strict=True):
        drawn, fact = picture()
        inside = (
            f'{svg(drawn)}<small>{number} {html.escape(name)}</small>'
            f"<strong>{html.escape(question)}</strong><span>{html.escape(fact)}</span>"
        )
        page = pages.get(number)
        made.append(f'<li><a href="../{page}.html">{inside}</a></li>' if page else f"<li><div>{inside}</div></li>")
    return f'<ul class="mw-cards">{"".join(made)}</ul>'


def welcome_figure() -> str:
    return welcome.sharing_a_rack().html()
