"""Typography made plain: what is typed, pasted or set in LaTeX, Markdown or HTML, in ASCII.

Letters are never translated, so that a letter of another alphabet stays a stranger.
"""

from __future__ import annotations

import re
import unicodedata

from .grammar import MAX_CHARACTERS, GrammarError

_SIGNS = str.maketrans({
    **dict.fromkeys("−–—‒―‐‑﹣－", "-"), **dict.fromkeys("×·⋅∗•∙✕✖⨯⁎", "*"), **dict.fromkeys("÷∕⁄／", "/"),
    **dict.fromkeys("≈≃≅∼≒≐～", "~"), **dict.fromkeys("‘’‚‛′＇", "'"), **dict.fromkeys("“”„‟«»", " "),
    **dict.fromkeys("\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\t\n\r", " "),
    **dict.fromkeys("⟶⟹➔", "→"), **dict.fromkeys("⇐⟵⟸", "←"), "∴": " ", "∵": " because ", "μ": "µ", "，": ",", "：": ":", "＝": "=", "（": "(", "）": ")", "…": "...", "＄": "$", "％": "%",
})  # fmt: skip
_RAISED = "⁻⁺⁰¹²³⁴⁵⁶⁷⁸⁹⁽⁾"
_LOWERED = re.compile("[₀-₉ₐₑₒₓₕₖₗₘₙₚₛₜᵢⱼᵣᵤᵥ]+")
_KEPT = "µ¢~√⌈⌉⌊⌋±≤≥→⇒←‰"  # signs with a meaning of their own

# commands that only set: a blank in their place
_SETTING = (
    r"\\(?:left|right|[bB]igg?[lr]?|displaystyle|textstyle|limits|quad|qquad)(?![A-Za-z])|\\[,;:! ]"
)
_BOXES = (
    r"\\(?:text|mathrm|mathit|mathbf|mathsf|operatorname|textrm|textbf|textit|mbox|rm|unit|si|num|boxed|boldsymbol|underline|emph)"
    r"\s*\{([^{}]*)\}"
)
_COMMANDS = {
    "cdot": "*", "times": "*", "ast": "*", "div": "/", "approx": "~", "sim": "~", "simeq": "~", "cong": "~",
    "mu": "µ", "lceil": "⌈", "rceil": "⌉", "lfloor": "⌊", "rfloor": "⌋", "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥",
    "pm": "±", "lt": "<", "gt": ">", "percent": "%", "per": "/", "milli": " milli ", "micro": " micro ",
}  # fmt: skip


def tidy(text: str) -> str:
    """The text in plain signs, or a complaint about its length or about a character with no place here."""
    if not isinstance(text, str):
        raise GrammarError("an answer is a text between quotes")
    if len(text) > MAX_CHARACTERS:
        raise GrammarError(f"{len(text):,} characters: an answer has at most {MAX_CHARACTERS}")
    if re.fullmatch(r"""\s*(?:'[^']*'|"[^"]*"|[‘‚‛][^‘’‚‛]*[’‘])\s*""", text):
        text = text.strip()[1:-1]
    if '"' in text or text.lstrip().startswith("'"):
        raise GrammarError(
            "it is code, or its quotes do not match: write it between one pair of quotes"
        )
    for mark, half in (("½", "5"), ("¼", "25"), ("¾", "75")):
        text = re.sub(rf"([0-9])\s?{mark}", rf"\1.{half}", text)
    text = re.sub("[½¼¾⅓⅔⅛]", lambda m: f"({unicodedata.normalize('NFKC', m.group())})", text)
    text = re.sub(f"[{_RAISED}]+", lambda m: f"^({unicodedata.normalize('NFKC', m.group())})", text)
    text = _LOWERED.sub(lambda m: f"_{unicodedata.normalize('NFKC', m.group())}", text)
    text = "".join(" " if _is_picture(c) else c for c in text).translate(_SIGNS)
    for char in text:
        if not (32 <= ord(char) <= 126 or char in _KEPT or _is_letter(char)):
            name = unicodedata.name(char, f"U+{ord(char):04X}").lower()
            raise GrammarError(
                f"it holds the character {char!a} ({name}): type plain letters and digits"
            )
    return re.sub(r"\s+", " ", _unset(text)).strip()


def _is_picture(char: str) -> bool:
    return ord(char) >= 0x2600 and unicodedata.category(char) == "So"


def _is_letter(char: str) -> bool:
    """Accented and Greek letters of words and names; they stand in no unit and no symbol."""
    return (ord(char) < 0x250 or 0x386 <= ord(char) < 0x3D0) and char.isalpha()


def _unset(text: str) -> str:
    """Without the marks of HTML, Markdown and LaTeX."""
    text = re.sub(r"<sup>\s*([^<>]{1,20})</sup>", r"^(\1)", text)
    text = re.sub(r"<sub>\s*([^<>]{1,20})</sub>", r"_\1", text)
    text = re.sub(r"</?(?:b|i|em|strong|code|span|p|br)\s*/?>", " ", text)
    text = text.replace("&nbsp;", " ")
    text = re.sub(r"(?<![\w)\]*])(\*{2,3})(?=[^\s*])(.+?)(?<=[^\s*])\1(?![\w(*])", r" \2 ", text)
    text = re.sub(r"^\s*\*([^\s*]+)\*(?=\s+[A-Za-z])", r"\1", text.replace("`", " "))
    text = re.sub(r"^\s*([*_]{1,3})(?=[^\s*_])([^*]+?)(?<=[^\s*_])\1\s*$", r"\2", text)
    text = re.sub(r"^\s*(?:\*|#+|•)\s+", "", text)
    if "\\" in text or "$" in text or "{" in text:
        text = _latex(text)
    return re.sub(r"(?<=[0-9])~(?=[A-Za-zµ])", " ", text)  # a blank that does not break


def _latex(text: str) -> str:
    text = re.sub(r"\\(?:begin|end)\s*\{(?:equation|displaymath|math|align|gather)\*?\}", " ", text)
    text = re.sub(r"&(?=\s*[=~\\])", "", text)  # where lines are aligned
    text = re.sub(r"^\s*\$\s+([^$]*\S)\s+\$\s*$", r"\1", text)
    text = re.sub(r"\\[()\[\]]|(?<!\\)\$\$", " ", text)
    # a pair of dollars sets mathematics, as Markdown has it, where money would stand apart
    text = re.sub(r"(?<!\\)\$(?![ /])((?:\\\$|[^$])*?[^$ \\])(?<!\\)\$(?![0-9])", _set, text)
    text = re.sub(_SETTING, " ", text)
    text = text.replace(r"\$", "$").replace(r"\%", "%").replace(r"\_", "_").replace("{,}", ",")
    text = text.replace(r"\{", "(").replace(r"\}", ")")
    text = re.sub(r"\\(?:SI|qty)\s*\{([^{}]*)\}\s*\{([^{}]*)\}", r"\1 \2", text)
    text = re.sub(r"(?<=[0-9])~(?=[A-Za-zµ$%\\])", " ", text)
    text = re.sub(r"(frac|sqrt|\}|\])\s+(?=[{\[])", r"\1", text)
    for _ in range(6):
        text = re.sub(rf"([_^])\s*{_BOXES}", r"\1{\2}", text)
        text = re.sub(r"\\(?:mathrm|mathbf|text|rm)\s+(\w)(?!\w)", r"\1", text)
        text = re.sub(_BOXES, r" \1 ", text)
        text = re.sub(r"_\s*\{\s*(\w+)\s*\}", r"_\1", text)
        text = re.sub(r"\^\s*\{([^{}]*)\}", r"^(\1)", text)
        text = re.sub(r"\\sqrt\s*\[([0-9]+)\]\s*\{([^{}]*)\}", r"((\2)^(1/\1))", text)
        text = re.sub(r"\\sqrt\s*\{([^{}]*)\}", r"sqrt(\1)", text)
        text = re.sub(r"\\[dtc]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}", _fraction, text)
        text = re.sub(r"\{([^{}]*?)\\over(?![A-Za-z])([^{}]*)\}", _fraction, text)
        text = re.sub(
            r"(?<=[\s(+*/=,{-])\{([^{}]*)\}", r"(\1)", text
        )  # braces that only hold together
    text = re.sub(r"^([^{}=]*=)?([^{}=]*)\\over(?![A-Za-z])([^{}=]*)$", r"\1(\2)/(\3)", text)
    text = re.sub(r"\\[dt]?frac\s*([0-9A-Za-z])\s*([0-9A-Za-z])", r"(\1/\2)", text)
    return re.sub(r"\\([A-Za-z]+)", lambda m: _COMMANDS.get(m.group(1), f" {m.group(1)}"), text)


def _set(match: re.Match[str]) -> str:
    inner = match.group(1)
    return f" {inner} " if re.search(r"[0-9A-Za-z]", inner) else match.group()


def _fraction(match: re.Match[str]) -> str:
    above, below = (part.strip() for part in match.groups())
    simple = re.fullmatch(r"[\w.$]+", above) and re.fullmatch(r"[\w.]+", below)
    return f" ({above}/{below}) " if simple else f" (({above})/({below})) "
