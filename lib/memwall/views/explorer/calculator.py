"""A live figure's expressions in Python, for its still and its readouts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import sympy

from .declarations import Expr, name_of


class Calculator:
    """Evaluates the figure's expressions in Python, one number at a time."""

    def __init__(self, tables: Mapping[str, Any], lets: Mapping[Any, Expr]) -> None:
        self.lets = {name_of(symbol, "lets"): expression for symbol, expression in lets.items()}
        self.tables = {name: self.lookup(np.asarray(t, dtype=float)) for name, t in tables.items()}
        self.compiled: dict[Any, tuple[list[str], Any]] = {}

    @staticmethod
    def lookup(table: Any) -> Any:
        def look(*index: Any) -> Any:
            at = (
                min(max(math.floor(i + 0.5), 0), n - 1)
                for i, n in zip(index, table.shape, strict=True)
            )
            return table[tuple(at)]

        return look

    def __call__(self, expression: Expr, values: Mapping[str, float]) -> Any:
        if expression not in self.compiled:
            expr = sympy.sympify(expression)
            names = sorted(expr.free_symbols, key=lambda s: s.name)
            code = sympy.lambdify(names, expr, modules=[self.tables, "math"])
            self.compiled[expression] = [s.name for s in names], code
        names, code = self.compiled[expression]
        with np.errstate(all="ignore"):
            try:
                return code(*(np.float64(self.value_of(n, values)) for n in names))
            except (OverflowError, ValueError):
                return math.nan
            except ZeroDivisionError:
                return math.inf

    def value_of(self, name: str, values: Mapping[str, float]) -> Any:
        return values[name] if name in values else self(self.lets[name], values)
