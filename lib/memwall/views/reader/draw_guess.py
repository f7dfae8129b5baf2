"""Draw your guess: a curve by hand, then the true one and its band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...core.units import InputError, human
from .. import figures
from ..explorer import Curve, Drawn, Expr, name_of
from .pictures import Picture

SAMPLES = 41


@dataclass(frozen=True)
class Sketch(Drawn):
    """The chart of `DrawGuess`."""

    over: Any
    x: tuple[str, str, float, float]
    y: tuple[str, str, float, float]
    curve: Expr
    name: str
    low: Expr
    high: Expr
    others: Sequence[Curve]
    anchor: str
    says: dict[str, str]
    near: float
    words: tuple[str, str]
    log: str

    def build(self, builder: Any, owner: str) -> dict[str, Any]:
        sweep = name_of(self.over, owner)
        spec = {
            "x": builder.axis(self.x[:2], "x" in self.log, self.x[2:], owner),
            "y": builder.axis(self.y[:2], "y" in self.log, self.y[2:], owner),
            "xUnit": self.x[1] or "1", "truth": builder.code(self.curve, owner, sweep), "name": self.name,
            "others": builder.marks(self.others, owner, sweep), "anchor": self.anchor,
            "near": self.near, "words": list(self.words), **self.says,
        }  # fmt: skip
        if self.low is not None:
            spec |= {e: builder.code(getattr(self, e), owner, sweep) for e in ("low", "high")}
        return spec

    def still(self, value: Any, words: Any) -> str:
        sweep = name_of(self.over, "still")
        x = (np.geomspace if "x" in self.log else np.linspace)(*self.x[2:], SAMPLES)

        def along(expression: Expr) -> list[float]:
            return [value(expression, **{sweep: at}) for at in x]

        fig, ax = figures.canvas("", (self.x[0], self.x[1] or "1"), self.y[:2], log=self.log)
        if self.low is not None:
            ax.fill_between(
                x, along(self.low), along(self.high), color=figures.COLORS["money"], alpha=0.16
            )
        figures.curve(ax, x, along(self.curve), "money", self.name)
        for c in self.others:
            figures.curve(ax, x, along(c.y), c.kind, c.label)
        ax.set_ylim(*self.y[2:])
        return figures.svg(fig)


class DrawGuess(Picture):
    """A chart to draw in; then the curve, its band, and how far off the hand was.

    x, y: (name, unit, low, high). over: the symbol along x; curve, low, high and the `others`
    (`Curve`s) are expressions in it. name: what the curve is called. anchor: the words at the left
    end, where the curve is given to begin with; "" gives nothing. close, above, below: sentences
    for who drew near the curve, above it, below it; near: a factor on average that is near.
    log: the logarithmic axes.
    """

    def __init__(
        self, id: str, text: str, *, x: tuple[str, str, float, float],
        y: tuple[str, str, float, float], over: Any, curve: Expr, name: str, close: str, above: str,
        below: str, low: Expr = None, high: Expr = None, others: Sequence[Curve] = (),
        anchor: str = "", near: float = 1.5, words: tuple[str, str] = ("low", "high"),
        log: str = "xy",
    ) -> None:  # fmt: skip
        for name_, (_, unit, least, most) in (("x", x), ("y", y)):
            if not least < most:
                raise InputError(
                    f"{name_} goes from {human(least, unit)} to {human(most, unit)}: no range"
                )
        says = {"close": close, "above": above, "below": below}
        chart = Sketch(
            over=over, x=x, y=y, curve=curve, name=name, low=low, high=high, others=others,
            anchor=anchor, says=says, near=near, words=words, log=log,
        )  # fmt: skip
        super().__init__(
            id, title=text, controls=[], chart=chart,
            alt=f"A chart to draw in: {y[0]} against {x[0]}. {text}",
        )  # fmt: skip
