"""The front page: a question a chapter, each with its small picture; a chapter's page opens with the same."""

from __future__ import annotations

import html
from collections.abc import Iterable

from memwall_figures import welcome

from memwall.core.chapters import chapter, chapters


def svg(drawn: str) -> str:
    return f'<svg viewBox="0 0 {welcome.WIDTH} {welcome.HEIGHT}" aria-hidden="true">{drawn}</svg>'


def opening(number: int) -> str:
    """The picture and the fact with which a chapter's page opens: those of its card."""
    drawn, fact = welcome.PICTURES[chapter(number).picture]()
    return f'<figure class="mw-opening">{svg(drawn)}<figcaption>{html.escape(fact)}</figcaption></figure>'


def cards(found: Iterable[str]) -> str:
    """The questions, one a chapter; each a link once its chapter is in the book."""
    pages = set(found)
    made = []
    for one in chapters():
        drawn, fact = welcome.PICTURES[one.picture]()
        inside = (
            f"{svg(drawn)}<small>{one.number} {html.escape(one.title)}</small>"
            f"<strong>{html.escape(one.plain_question)}</strong><span>{html.escape(fact)}</span>"
        )
        page = f"notebooks/{one.page}"
        made.append(
            f'<li><a href="../{page}.html">{inside}</a></li>'
            if page in pages
            else f"<li><div>{inside}</div></li>"
        )
    return f'<ul class="mw-cards">{"".join(made)}</ul>'


def welcome_figure() -> str:
    return welcome.sharing_a_rack().html()
