"""Symbols that typeset themselves. Imports SymPy, so `algebra` imports this only for a symbol."""

from __future__ import annotations

from typing import Any

import sympy


class Letter(sympy.Symbol):  # type: ignore[misc]
    """A symbol with a name for code and a letter for the blackboard.

    Like any symbol, and another than the plain one of its name.

    >>> sympy.latex(1 / Letter("batch", "B", positive=True)), str(Letter("batch", "B"))
    ('\\\\frac{1}{B}', 'batch')
    """

    __slots__ = ("letter",)

    def __new__(cls, name: str, letter: str, **assumptions: Any) -> Letter:
        made: Letter = sympy.Symbol.__xnew__(cls, name, **assumptions)
        made.letter = letter
        return made

    def __getnewargs_ex__(self) -> Any:
        return (self.name, self.letter), self._assumptions_orig

    def _hashable_content(self) -> Any:
        return (self.letter, *super()._hashable_content())

    def _latex(self, printer: Any) -> str:
        return self.letter

    @classmethod
    def class_key(cls) -> Any:  # sums stand in the order in which plain symbols would
        return sympy.Symbol.class_key()
