"""How people write: a right answer in many hands, and wrong ones in the same hands.

Each style takes a number in the unit asked, the unit, and what a word for it is; it returns a text,
or None where nobody would write so. Numbers have four figures, as a calculator's display cut short.
"""

import math
import re

LONG = {  # a unit in words, plural
    "ms": "milliseconds", "s": "seconds", "h": "hours", "days": "days", "tokens/s": "tokens per second", "$/Mtok": "dollars per million tokens",
    "$/h": "dollars per hour", "kB/token": "kilobytes per token", "%": "per cent", "billion parameters": "billion parameters",
    "trillion tokens": "trillion tokens", "tokens": "tokens", "sequences": "sequences", "users": "users", "chips": "chips",
    "hits": "hits", "samples": "samples", "pairs": "pairs", "layers": "layers", "": "", "requests": "requests", "machines": "machines", "$": "dollars",
}  # fmt: skip
COUNTS = (
    "requests",
    "machines",
    "sequences",
    "users",
    "chips",
    "hits",
    "samples",
    "pairs",
    "layers",
    "tokens",
)


def plain(value, figures=4):
    """1234.5, never 1.2e+03."""
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    digits = max(figures - 1 - math.floor(math.log10(abs(value))), 0)
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def grouped(value, mark):
    whole, point, rest = plain(value).partition(".")
    sign, whole = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    return sign + f"{int(whole):,}".replace(",", mark) + point + rest


def power(value, template):
    mantissa, exponent = f"{value:.3e}".split("e")
    return template.format(m=mantissa.rstrip("0").rstrip("."), e=int(exponent))


def joined(number, unit):
    if unit == "$":
        return f"${number}"
    return f"${number} / {unit[2:]}" if unit.startswith("$/") else f"{number} {unit}".strip()


def comma(text):
    """With a decimal comma; None where it would look like thousands to anybody."""
    return text.replace(".", ",")


def own(unit):
    """The unit that somebody may convert into: name and how many of the unit asked it is."""
    return {
        "ms": ("s", 1e3), "h": ("days", 24), "days": ("h", 1 / 24), "tokens/s": ("tokens/min", 1 / 60), "$/Mtok": ("cents/Mtok", 0.01),
        "$/h": ("$/day", 1 / 24), "kB/token": ("B/token", 1e-3), "billion parameters": ("trillion parameters", 1e3),
        "trillion tokens": ("billion tokens", 1e-3), "sequences": ("thousand sequences", 1e3), "users": ("thousand users", 1e3),
        "tokens": ("thousand tokens", 1e3), "samples": ("million samples", 1e6), "pairs": ("million pairs", 1e6), "$": ("cents", 0.01),
    }.get(unit)  # fmt: skip


def converted(value, unit):
    other = own(unit)
    return other and joined(plain(value / other[1]), other[0])


def duration(value, unit):
    seconds = {"h": 3600, "days": 86400}.get(unit)
    if seconds is None:
        return None
    minutes = round(value * seconds / 60)
    days, rest = divmod(minutes, 1440)
    parts = [
        f"{n} {word}" for n, word in ((days, "days"), (rest // 60, "h"), (rest % 60, "min")) if n
    ]
    return " ".join(parts) if value > 0 and len(parts) > 1 else None


def binding(value, unit):
    per = {"ms": " per step", "tokens/s": " per user", "$/Mtok": None}.get(unit)
    return per and f"{plain(value)} {unit}{per}"


def each(value, unit):
    words = {
        "tokens/s": "tokens a second", "$/Mtok": "dollars for a million tokens", "$/h": "dollars an hour", "kB/token": "kB for each token",
        "ms": "ms for each step",
    }.get(unit)  # fmt: skip
    return words and f"{plain(value)} {words}"


def no_per(value, unit):
    return f"${plain(value)}" if unit == "$/Mtok" else None


def cents(value, unit):
    return f"{plain(100 * value)} cents per million tokens" if unit == "$/Mtok" else None


def short_scale(value, unit):
    if unit not in COUNTS or abs(value) < 1000:
        return None
    return f"{plain(value / 1000)}k {unit}"


def suffix(value, unit):
    letter = {"billion parameters": "B parameters", "trillion tokens": "T tokens"}.get(unit)
    return letter and f"{plain(value)}{letter}"


def adjective(value, unit):
    word = {"chips": "Kestrel chips", "sequences": "concurrent sequences", "tokens": "context tokens", "users": "happy users",
            "billion parameters": "billion stored parameters", "trillion tokens": "trillion training tokens"}.get(unit)  # fmt: skip
    return word and f"{plain(value)} {word}"


def times(value, unit):
    return f"{plain(value)} times" if unit == "" else None


NUMBERS = {
    "plain": lambda v, u: joined(plain(v), u),
    "no blank": lambda v, u: f"{plain(v)}{u}" if " " not in u and not u.startswith("$") else None,
    "in words": lambda v, u: f"{plain(v)} {LONG[u]}".strip(),
    "capitals": lambda v, u: f"{plain(v)} {LONG[u].title()}".strip(),
    "scientific": lambda v, u: joined(power(v, "{m}e{e}"), u),
    "times ten": lambda v, u: joined(power(v, "{m} x 10^{e}"), u),
    "raised": lambda v, u: joined(power(v, "{m}·10") + str(power(v, "{e}")).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")), u),
    "LaTeX": lambda v, u: "$" + power(v, r"{m} \times 10^{{{e}}}") + r"\ \text{" + u.replace("$", r"\$").replace("%", r"\%") + "}$",
    "siunitx": lambda v, u: rf"\SI{{{plain(v)}}}{{{u}}}" if not u.startswith("$") and u != "%" else None,
    "bold": lambda v, u: f"**{joined(plain(v), u)}**",
    "code": lambda v, u: f"`{joined(plain(v), u)}`",
    "about": lambda v, u: f"about {joined(plain(v), u)}",
    "approx.": lambda v, u: f"approx. {joined(plain(v), u)}",
    "roughly": lambda v, u: f"It is roughly {joined(plain(v), u)}.",
    "tilde": lambda v, u: f"~{joined(plain(v), u)}",
    "almost equal": lambda v, u: f"≈ {joined(plain(v), u)}",
    "equals": lambda v, u: f"= {joined(plain(v), u)}",
    "named": lambda v, u: f"t = {joined(plain(v), u)}",
    "long name": lambda v, u: f"answer: {joined(plain(v), u)}",
    "symbol": lambda v, u: f"t_step ≈ {joined(plain(v), u)}",
    "calculated": lambda v, u: f"N/F = 683e9/24.8e12 = {joined(plain(v), u)}" if u else None,
    "six figures": lambda v, u: joined(plain(v, 6), u),
    "six figures, comma": lambda v, u: joined(comma(plain(v, 6)), u),
    "signed power": lambda v, u: joined(f"{v:.5e}", u),
    "decimal comma": lambda v, u: joined(comma(plain(v)), u),
    "comma, words": lambda v, u: f"{comma(plain(v))} {LONG[u]}".strip(),
    "thousands": lambda v, u: joined(grouped(v, ","), u),
    "thousands apart": lambda v, u: joined(grouped(v, " "), u),
    "thousands, thin": lambda v, u: joined(grouped(v, "\u202f"), u),
    "Swiss": lambda v, u: joined(grouped(v, "’"), u),
    "reason": lambda v, u: f"{joined(plain(v), u)}, because the weights are read once a step",
    "reason in brackets": lambda v, u: f"{joined(plain(v), u)} (memory sets the pace)",
    "sentence": lambda v, u: f"So the result that I get is {joined(plain(v), u)}!",
    "question's words": lambda v, u: f"the machine needs {joined(plain(v), u)} in total",
    "converted": converted,
    "both units": lambda v, u: own(u) and f"{joined(plain(v), u)} = {converted(v, u)}",
    "both, bracketed": lambda v, u: own(u) and f"{joined(plain(v), u)} ({converted(v, u)})",
    "duration": duration,
    "per": binding,
    "each": each,
    "no per": no_per,
    "cents": cents,
    "k": short_scale,
    "suffix": suffix,
    "adjective": adjective,
    "times": times,
    "unit before": lambda v, u: f"[{u}]: {plain(v)}" if u and "$" not in u and u != "%" else None,
    "unit in brackets": lambda v, u: f"{plain(v)} [{u}]" if u else None,
    "or so": lambda v, u: f"{joined(plain(v), u)} or so",
    "hedged": lambda v, u: f"I think {joined(plain(v), u)}",
    "full stop": lambda v, u: f"{joined(plain(v), u)}.",
    "three figures": lambda v, u: joined(plain(v, 3), u),
    "spaces": lambda v, u: f"   {joined(plain(v), u)}   ".replace(" ", "\u00a0"),
}  # fmt: skip


def spaced(text):
    return text.replace("*", " ")


def glued(text):
    """2BN_a/F, where no name would run into another."""
    return re.sub(r"(?<=[\w)])\*(?=[\w(])", "", text) if "**" not in text else None


def latex(text):
    text = text.replace("**", "^").replace("*", r" \cdot ")
    text = re.sub(
        r"\b(max|min|sqrt|ceil|exp|log)\(",
        lambda m: {"sqrt": "sqrt(", "ceil": "ceil("}.get(m[1], rf"\{m[1]}("),
        text,
    )
    return "$" + re.sub(r"_(\w+)", r"_{\\text{\1}}", text) + "$"


FORMULAS = {
    "plain": lambda t: t,
    "named": lambda t: f"T = {t}",
    "long name": lambda t: f"t_total = {t}",
    "a function": lambda t: f"f(x) = {t}",
    "equals": lambda t: f"= {t}",
    "full stop": lambda t: f"{t}.",
    "caret": lambda t: t.replace("**", "^"),
    "spaced signs": lambda t: re.sub(r"(?<!\*)([*/])(?!\*)", r" \1 ", t),
    "glued": glued,
    "space for times": lambda t: None if "**" in t else spaced(t),
    "cross": lambda t: re.sub(r"(?<!\*)\*(?!\*)", " × ", t),
    "dot": lambda t: re.sub(r"(?<!\*)\*(?!\*)", "·", t).replace("**", "^"),
    "division sign": lambda t: t.replace("/", " ÷ "),
    "colon": lambda t: t.replace("/", " : "),
    "square brackets": lambda t: re.sub(r"(?<![a-z])\(([^()]*)\)", r"[\1]", t),
    "braces": lambda t: t.replace("(", "{").replace(")", "}"),
    "MAX": lambda t: re.sub(r"\b(max|min|sqrt|ceil|exp|log)\b", lambda m: m[1].upper(), t),
    "Max": lambda t: re.sub(r"\b(max|min|sqrt|ceil|exp|log)\b", lambda m: m[1].title(), t),
    "numpy": lambda t: re.sub(r"\b(max|min)\(", r"np.\1imum(", re.sub(r"\b(sqrt|ceil|exp|log)\(", r"np.\1(", t)),
    "no subscripts": lambda t: t.replace("_", ""),
    "braced subscripts": lambda t: re.sub(r"_(\w+)", r"_{\1}", t),
    "LaTeX": latex,
    "code": lambda t: f"`{t}`",
    "mathematics": lambda t: f"${t}$",
    "minus sign": lambda t: t.replace("-", "−"),
    "reason": lambda t: f"{t}, because the slower clock sets the pace",
    "where": lambda t: f"{t} where all is as listed",
    "answer": lambda t: f"Answer: {t}",
    "blank before brackets": lambda t: re.sub(r"\b(max|min|sqrt|ceil|exp|log)\(", r"\1 (", t),
}  # fmt: skip

CHOICES = {
    "letter": "{}", "small": "{s}", "bracket": "{})", "brackets": "({})", "dot": "{}.", "option": "Option {}", "small option": "option {s}",
    "answer": "Answer: {}", "sentence": "The answer is {}.", "reason": "{}, because the arithmetic takes longer", "because": "{} because of the weights",
    "colon": "{}: the memory", "dash": "{} - the weights", "bold": "**{}**", "choose": "I choose {}", "equals": "= {}", "square": "[{}]",
    "choice": "choice {}", "it is": "It's {}", "code": "`{}`",
}  # fmt: skip


def choice(style, letter):
    return CHOICES[style].format(letter, s=letter.lower())


def wrong_numbers(value, unit, whole=False):
    """Values that no hand may make right, as (value, unit) or as texts."""
    joined_ = joined(plain(value), unit)
    off = {"ten": 10 * value, "a tenth": value / 10, "thousand": 1000 * value, "a thousandth": value / 1000,
           "sign": -value, "other": 1.37 * value + (1 if whole else 0), "half": value / 2, "less": 0.8 * value}  # fmt: skip
    texts = {
        "two values": f"{joined_} or {joined(plain(1.3 * value), unit)}",
        "a range": f"{plain(value)}-{joined(plain(1.3 * value), unit)}",
        "from to": f"{plain(0.9 * value)} to {joined(plain(value), unit)}",
        "between": f"between {plain(value)} and {joined(plain(1.2 * value), unit)}",
        "a list": f"{joined_}, {joined(plain(2 * value), unit)}",
        "brackets": f"[{plain(value)}, {plain(3 * value)}] {unit}",
        "not": f"not {joined_}",
        "twice": f"twice {joined_}",
        "less than": f"less than {joined_}",
        "greater": f"> {joined_}",
        "sum": f"{joined_} + {joined(plain(value), unit)}",
        "product": f"3 * {joined_}",
        "corrected": f"{joined_} = {joined(plain(5 * value), unit)}",
        "half of": f"half of {joined_}",
        "plus or minus": f"{joined_} ± 50 %",
        "furlongs": f"{plain(value)} furlongs",
        "kilograms": f"{plain(value)} kg",
        "per day": f"{joined_} per day",
        "another kind": f"{plain(value)} {'GB' if unit != 'GB' else 's'}",
        "watts": f"{plain(value)} W",
    }  # fmt: skip
    return off, texts
