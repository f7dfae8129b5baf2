"""A page that answers back: guesses, exercises, a curve to draw, one step through the machine.

    guess("step", "How long does one step take?", unit="s")
    settle("step", answer=floor, unit="s", low="...", high="...", close="...")

    exercise("which-clock", "The time of the step", answer=t, unit="s",
             slips={"bits for bytes": 8 * t})

    DrawGuess("price", "What does a token cost, by the number who share?",
              x=("People at once", "", 1, 1e4), y=("Price", "$/token", 1e-8, 1e-3),
              over=B, curve=cost, name="forecast", low=0.7 * cost, high=1.6 * cost)

    machine_step(model("DeepSeek-V3"), rack, show=("weights", "arithmetic", "caches"))

    drag(figure, "With [batch: people] on board a step takes {step}.")

Each shows itself: in the book as HTML that `reader.js` brings to life, in Jupyter as a widget, and
where no script runs as words or a still. What a reader writes is kept in the reader's browser, under
the page's address, and nowhere else. Answers, slips and curves are computed by the caller; numbers
are read in the page, as people write them (20 ms, 2k, $3, 10 %), by the parser of explorer.js.
"""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Mapping
from typing import Any

import anywidget
import traitlets

from ...core.nouns import suggest
from ...core.units import InputError, human
from ..explorer import Explorer
from .draw_guess import DrawGuess
from .machine import machine_step
from .pictures import Picture

# the module of a notebook's widgets: the same two scripts as a page has
_ESM = (
    Picture._esm.rsplit("export default", 1)[0] + "export default { render: memwallReader.render };"
)

# how a number of a unit is written, and what too low and too high are called
LIKE = {
    "s": "20 ms", "%": "10 %", "x": "30 times", "$/token": "$3 / Mtok", "$/s": "$2 / h", "$": "$20",
    "B": "80 GB", "B/s": "3 TB/s", "FLOP/s": "2 PFLOP/s", "FLOP": "5 TFLOP",
}  # fmt: skip
WORDS = {"s": ("quick", "slow"), "$": ("cheap", "dear"), "token/s": ("slow", "fast")}
# the usual slips, and what is said to who makes one
HINTS = {
    "factor 2": "Off by a factor of two: a multiply and an add count as two operations.",
    "active for total": "That is with the active parameters. Which ones must come out of memory?",
    "total for active": "That is with all parameters. Which ones multiply a token?",
    "bits for bytes": "Off by a factor of eight: bits where bytes were meant, or the other way round.",
    "one direction for two": "Off by the directions of the link: one is asked, two are often quoted.",
    "per chip for all": "That is for one chip. How many work together?",
    "all for per chip": "That is for all chips together. One was asked.",
    "wrong width": "The width of a number: how many bytes has one as it is stored?",
    "weights only": "The weights are counted, the caches are not.",
    "no batch": "That is for one sequence. How many are there?",
}
# what any answer may be off by, tried last
FACTORS = [
    (1000.0**k, f"Right digits, but {1000**k:,} times off: look at the prefixes.") for k in (1, 2, 3, 4)
] + [
    (2.0, "Off by exactly two. Is something counted twice, or once where it happens twice?"),
    (8.0, "Off by exactly eight. Bits or bytes?"),
]  # fmt: skip


def _words(unit: str) -> tuple[str, str]:
    return WORDS.get("$" if unit.startswith("$") else unit, ("low", "high"))


def _like(unit: str, like: str) -> str:
    """An example of a number in a unit; never the answer itself."""
    return like or LIKE.get(unit) or ("2k" if unit == "1" else f"50 {unit}")


def _checked_id(id: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9-]*", id):
        raise InputError(f"id {id!r}: a short word of small letters, digits and hyphens")
    return id


def _positive(name: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise InputError(f"{name} must be a number, not {value!r}") from None
    if not (math.isfinite(number) and number > 0):
        raise InputError(f"{name} = {number:g} must be finite and above 0")
    return number


class Asked(anywidget.AnyWidget):
    """A guess, its settlement or an exercise; in Jupyter a widget, on a page HTML."""

    _esm = _ESM
    _css = Picture._css
    spec = traitlets.Dict().tag(sync=True)

    def __init__(self, spec: dict[str, Any], still: str) -> None:
        super().__init__(spec=spec)
        self._still = still

    def html(self) -> str:
        kind, id = self.spec["kind"], self.spec["id"]
        spec = json.dumps(self.spec, ensure_ascii=False, separators=(",", ":")).replace(
            "<", "\\u003c"
        )
        # a settlement's words are for who has no script, and for paper
        words = f"<p>{html.escape(self._still)}</p>"
        still = f'<noscript>{words}</noscript><div class="mw-print">{words}</div>' if kind == "settle" else f'<div class="mw-still">{words}</div>'  # fmt: skip
        return (
            f'<div class="mw-reader mw-{kind}" id="{kind}-{id}">{still}'
            f'<script type="application/json">{spec}</script></div>'
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        return data | {"text/html": self.html(), "text/plain": self._still}, metadata


_questions: dict[str, tuple[str, str, str]] = {}  # of the guesses made so far: text, unit, example


def guess(id: str, text: str, unit: str = "1", *, like: str = "") -> Asked:
    """A question to guess before reading on; `settle` meets the guess under the same id.

    unit: a `Unit` symbol, "%" or "x". like: how such a number is written, if not as usual.

    >>> guess("doc-step", "How long does one step take?", "s").spec["like"]
    '20 ms'
    """
    spec = {
        "kind": "guess",
        "id": _checked_id(id),
        "text": text,
        "unit": unit,
        "like": _like(unit, like),
    }
    _questions[id] = text, unit, spec["like"]
    return Asked(spec, f"Guess first: {text} Write a number down; it is settled further down.")


def settle(
    id: str, answer: Any, unit: str = "1", *, close: str, low: str, high: str, near: float = 1.5,
    words: tuple[str, str] = ("", ""),
) -> Asked:  # fmt: skip
    """What meets a guess: how far off it was, and a sentence for who guessed low, high or close.

    answer: in SI. near: a factor within which a guess is close. words: what too low and too high
    are called here ("quick", "slow"). Who has not guessed may do it here, or ask to be told.
    Raises: InputError for an id without a guess, or another unit than the guess's.

    >>> asked = guess("doc-floor", "How long does one step take?", "s")
    >>> settle("doc-floor", 0.00116, "s", close="", low="", high="").spec["words"]
    ['quick', 'slow']
    """
    if id not in _questions:
        raise InputError(f"settle: no guess {id!r} stands above.{suggest(id, _questions)}")
    text, asked_unit, like = _questions[id]
    if unit != asked_unit:
        raise InputError(f"settle: the guess {id!r} is in {asked_unit!r}, its answer in {unit!r}")
    if not near > 1:
        raise InputError(f"near = {near:g} must be a factor above 1")
    value = _positive("answer", answer)
    spec = {
        "kind": "settle", "id": id, "text": text, "unit": unit, "like": like, "answer": value,
        "near": near, "words": [*(words if any(words) else _words(unit))], "close": close, "low": low,
        "high": high,
    }  # fmt: skip
    return Asked(spec, f"{text} It is {human(value, unit)}. {close}")


def exercise(
    id: str, text: str, *, answer: Any, unit: str = "1", tolerance: float = 0.05,
    slips: Mapping[str, Any] | None = None, right: str = "", solution: str = "", like: str = "",
) -> Asked:  # fmt: skip
    """An exercise that takes a number and a unit, and knows the usual slips.

    slips: what a slip gives, by its name in `HINTS` or by the hint itself. right: a sentence for who
    is right. solution: folded below, paragraphs apart by an empty line.
    Raises: InputError for a slip that would pass as right, or two that cannot be told apart.

    >>> exercise("doc-floor", "The floor", answer=0.02, unit="s", slips={"factor 2": 0.01}).spec["slips"]
    [[0.01, 'Off by a factor of two: a multiply and an add count as two operations.']]
    """
    value = _positive("answer", answer)
    if not 0 < tolerance < 0.3:
        raise InputError(f"tolerance = {tolerance:g} must be above 0 and below 0.3")
    known: list[list[Any]] = []
    for name, amount in (slips or {}).items():
        if name not in HINTS and len(name.split()) < 5:
            raise InputError(
                f"exercise {id!r}: {name!r} is no known slip, nor a sentence.{suggest(name, HINTS)}"
            )
        slip = _positive(f"slip {name!r}", amount)
        for other, owner in [(value, "the answer"), *((x, repr(hint)) for x, hint in known)]:
            if abs(slip - other) <= 2 * tolerance * min(slip, other):
                raise InputError(f"exercise {id!r}: the slip {name!r} cannot be told from {owner}")
        known.append([slip, HINTS.get(name, name)])
    spec = {
        "kind": "exercise", "id": _checked_id(id), "text": text, "unit": unit, "like": _like(unit, like),
        "answer": value, "tolerance": tolerance, "slips": known, "factors": [list(f) for f in FACTORS],
        "words": [*_words(unit)], "right": right, "solution": solution,
    }  # fmt: skip
    return Asked(spec, f"{text}: write a number and its unit.")


class Sentence(anywidget.AnyWidget):
    """A sentence whose numbers are those of a figure on the same page; see `drag`."""

    _esm = _ESM
    _css = Picture._css
    spec = traitlets.Dict().tag(sync=True)

    def __init__(self, made: str, words: str) -> None:
        super().__init__(spec={"kind": "sentence", "html": made})
        self._words = words

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        return data | {"text/html": self.spec["html"], "text/plain": self._words}, metadata


def drag(figure: Explorer, template: str) -> Sentence:
    """A sentence with numbers of a live figure on the same page, some to be dragged.

    template: `[batch]` is a slider's variable, which a hand or the arrow keys move; `[batch: people]`
    prints it with a word of its own; `{step}` is a readout, which follows.
    """
    id, sliders = (
        figure.spec["id"],
        {c["name"]: c for c in figure.spec["controls"] if c["kind"] == "Slider"},
    )
    keys = {r["key"]: r for r in figure.spec["readouts"]}

    def one(match: re.Match[str]) -> str:
        name, word, key = match["name"], match["word"], match["key"]
        if key:
            if key not in keys:
                raise InputError(f"drag: no readout {{{key}}} in {id!r}.{suggest(key, keys)}")
            return f'<span data-show="{key}">{html.escape(figure.text(f"{{{key}}}"))}</span>'
        if name not in sliders:
            raise InputError(f"drag: no slider [{name}] in {id!r}.{suggest(name, sliders)}")
        own = f' data-unit="1" data-word=" {html.escape(word, quote=True)}"' if word else ""
        value = human(figure.values[name], "1" if word else sliders[name]["unit"])
        said = html.escape(value + (f" {word}" if word else ""))
        return f'<span data-set="{name}"{own}>{said}</span>'

    pattern = r"\[(?P<name>\w+)(?::\s*(?P<word>[^\]]+))?\]|\{(?P<key>\w+)\}"
    # text between the numbers is escaped, the numbers' own spans are not
    pieces, end = [], 0
    for match in re.finditer(pattern, template):
        pieces += [html.escape(template[end : match.start()]), one(match)]
        end = match.end()
    inside = "".join([*pieces, html.escape(template[end:])])
    made = f'<p class="mw-sentence" data-figure="{id}">{inside}</p>'
    return Sentence(made, html.unescape(re.sub(r"<[^>]*>", "", inside)))


__all__ = ["DrawGuess", "drag", "exercise", "guess", "machine_step", "settle"]
