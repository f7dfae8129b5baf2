"""How people write: a right answer in many hands, and wrong ones in the same hands.

Each style takes a number in the unit asked, the unit, and what a word for it is; it returns a text,
or None where nobody would write so. Numbers have four figures, as a calculator's display cut short.
"""

import ast
import math
import re
from fractions import Fraction

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


SMALL = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
TENS = ["_", "_", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
GROUPS = {10**12: "trillion", 10**9: "billion", 10**6: "million", 1000: "thousand", 100: "hundred"}


def spelled(n):
    """A whole number in words: four thousand eight hundred and seven."""
    if n < 20:
        return SMALL[n]
    if n < 100:
        return TENS[n // 10] + (f"-{SMALL[n % 10]}" if n % 10 else "")
    size = next(size for size in GROUPS if size <= n)
    head, rest = f"{spelled(n // size)} {GROUPS[size]}", n % size
    return f"{head}{' and ' if rest < 100 else ' '}{spelled(rest)}" if rest else head


def in_number_words(value, unit):
    """One hundred and two point five seven."""
    if not 0 < value < 1e15:
        return None
    whole, _, decimals = plain(value).partition(".")
    point = f" point {' '.join(SMALL[int(d)] for d in decimals)}" if decimals else ""
    return f"{spelled(int(whole))}{point} {LONG[unit]}".strip()


def fraction(value):
    """A fraction near enough to the value, of small whole numbers; None if there is none."""
    near = Fraction(value).limit_denominator(40) if value > 0 else Fraction(1)
    return near if near.denominator > 1 and abs(float(near) / value - 1) < 0.002 else None


def broken(value, unit):
    part = fraction(value)
    return part and f"{part.numerator}/{part.denominator} {LONG[unit]}".strip()


def mixed(value, unit):
    part = fraction(value)
    if part is None or part < 1:
        return None
    whole, rest = divmod(part.numerator, part.denominator)
    return f"{whole} {rest}/{part.denominator} {LONG[unit]}".strip()


def lost_caret(value, unit):
    """10-3, pasted from where the exponent was raised."""
    return joined(power(value, "{m} × 10{e}"), unit) if 0 < value < 1 and unit[:1] != "$" else None


def of_a_hundred(value, unit):
    return f"{plain(value)} in 100" if unit == "%" else None


def clock(value, unit):
    """12:45:14."""
    seconds = round(value * 3600)
    if unit != "h" or seconds < 0:
        return None
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def inverse_unit(value, unit):
    top, slash, below = unit.partition("/")
    return f"{plain(value)} {top} {below}^-1" if slash else None


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
    "spelled": in_number_words,
    "fraction": broken,
    "mixed": mixed,
    "lost caret": lost_caret,
    "in a hundred": of_a_hundred,
    "clock": clock,
    "inverse unit": inverse_unit,
    "x glued": lambda v, u: f"{power(v, '{m}x10^{e}')} {LONG[u]}".strip(),
    "underlined": lambda v, u: f"__{joined(plain(v), u)}__",
    "bold and slanted": lambda v, u: f"***{joined(plain(v), u)}***",
    "quoted": lambda v, u: f'"{joined(plain(v), u)}"',
    "German quotes": lambda v, u: f"„{joined(plain(v), u)}“",
    "single quotes": lambda v, u: f"‘{joined(plain(v), u)}’",
    "comment": lambda v, u: f"{joined(plain(v), u)} // memory",
    "arrow": lambda v, u: f"{joined(plain(v), u)} <- memory bound",
    "reason b/c": lambda v, u: f"{joined(plain(v), u)} b/c the caches are large",
    "dash": lambda v, u: f"{joined(plain(v), u)} - memory bound",
    "therefore": lambda v, u: f"∴ {joined(plain(v), u)}",
    "ends up": lambda v, u: f"So we end up with {joined(plain(v), u)} here.",
    "not sure": lambda v, u: f"not sure, but about {joined(plain(v), u)} I think",
    "another sentence": lambda v, u: f"{joined(plain(v), u)}. Memory is slower.",
    "another paragraph": lambda v, u: f"{joined(plain(v), u)}\n\nReason: memory is slower",
    "leading reason": lambda v, u: f"Memory is slower, so {joined(plain(v), u)}",
    "words before": lambda v, u: f"{LONG[u]}: {plain(v)}" if u not in ("", "$") else None,
    "unbroken blank": lambda v, u: f"{plain(v)}~{LONG[u]}" if u else None,
    "displayed": lambda v, u: rf"\[ x \simeq {plain(v)}\,\text{{{u}}} \]" if "$" not in u and u != "%" else None,
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


def tree(text):
    return ast.parse(text.replace("^", "**"), mode="eval").body


def set_in_tex(node, fraction=r"\frac{{{}}}{{{}}}"):
    """A formula as LaTeX sets it, with fractions above one another."""

    def part(node):
        return set_in_tex(node, fraction)

    if isinstance(node, ast.Call):
        inside = ", ".join(map(part, node.args))
        name = node.func.id
        return rf"\sqrt{{{inside}}}" if name == "sqrt" else rf"\{name}\left\{{{inside}\right\}}"
    if isinstance(node, ast.Name):
        return re.sub(r"_(\w+)", r"_{\1}", node.id)
    if not isinstance(node, ast.BinOp):
        return ast.unparse(node)
    left, right = part(node.left), part(node.right)
    if isinstance(node.op, ast.Div):
        return fraction.format(left, right)
    sums = (ast.Add, ast.Sub)
    held = isinstance(node.left, ast.BinOp) and isinstance(node.left.op, (*sums, ast.Div))
    if isinstance(node.op, ast.Pow):
        return (
            rf"\left({left}\right)^{{{right}}}"
            if isinstance(node.left, ast.BinOp)
            else f"{left}^{{{right}}}"
        )
    if isinstance(node.op, ast.Mult):
        right_held = isinstance(node.right, ast.BinOp) and isinstance(node.right.op, sums)
        left = rf"\left({left}\right)" if held and isinstance(node.left.op, sums) else left
        return f"{left} " + (rf"\left({right}\right)" if right_held else right)
    right = rf"\left({right}\right)" if isinstance(node.right, ast.BinOp) and isinstance(node.right.op, sums) and isinstance(node.op, ast.Sub) else right  # fmt: skip
    return f"{left} {'+' if isinstance(node.op, ast.Add) else '-'} {right}"


def subscripts(text):
    return re.sub(r"_([at])\b", lambda m: {"a": "ₐ", "t": "ₜ"}[m[1]], text)


FORMULAS |= {
    "fractions": lambda t: set_in_tex(tree(t)),
    "fractions in a line": lambda t: f"$T_\\text{{step}} = {set_in_tex(tree(t))}$",
    "over": lambda t: set_in_tex(tree(t), r"{{{} \over {}}}"),
    "displayed": lambda t: rf"\begin{{equation}} {set_in_tex(tree(t))} \end{{equation}}",
    "aligned": lambda t: rf"\begin{{align*}} T_1 &= {set_in_tex(tree(t))} \end{{align*}}",
    "lowered letters": lambda t: subscripts(re.sub(r"(?<!\*)\*(?!\*)", "·", t)),
    "long subscripts": lambda t: t.replace("N_a", "N_active").replace("N_t", "N_total"),
    "label": lambda t: f"cost: {t}",
    "found": lambda t: f"I get {t}",
    "so": lambda t: f"So {t}",
    "arrow": lambda t: f"==> {t}",
    "lambda": lambda t: f"lambda L: {t}",
    "root": lambda t: re.sub(r"sqrt\(([^()]*)\)", r"(\1)^½", t),
    "in words": lambda t: re.sub(r"(?<!\*)\*(?!\*)", " times ", t).replace("/", " divided by "),
    "a list": lambda t: re.sub(r"\b(max|min)\(([^()]*)\)", r"\1([\2])", t),
    "Math": lambda t: re.sub(r"\b(max|min|sqrt)\(", r"Math.\1(", t),
    "another sentence": lambda t: f"{t}. The slower clock counts.",
    "comment": lambda t: f"{t} // the slower one",
    "chapter": lambda t: f"{t} (see chapter 2)",
    "bold code": lambda t: f"**`{t}`**",
    "dollars apart": lambda t: f"$ {t} $",
    "quoted": lambda t: f'"{t}"',
    "single quotes": lambda t: f"‘{t}’",
}

CHOICES = {
    "letter": "{}", "small": "{s}", "bracket": "{})", "brackets": "({})", "dot": "{}.", "option": "Option {}", "small option": "option {s}",
    "answer": "Answer: {}", "sentence": "The answer is {}.", "reason": "{}, because the arithmetic takes longer", "because": "{} because of the weights",
    "colon": "{}: the memory", "dash": "{} - the weights", "bold": "**{}**", "choose": "I choose {}", "equals": "= {}", "square": "[{}]",
    "choice": "choice {}", "it is": "It's {}", "code": "`{}`", "quoted": '"{}"', "of course": "{} of course", "it it is": "{} it is",
    "go for": "I'd go for {s})", "arrow": "-> {}", "with its text": "{})  neither of the two", "bar": "{} | not the weights",
    "lines": "{}\nabout 104 of them", "underlined": "__{}__", "boxed": r"\boxed{{{}}}", "right": "{} is right", "believe": "I believe {} is the right one",
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
