"""The forgiving reader: every right answer of every set in many hands, and no wrong one in any."""

import contextlib
import functools
import re
import subprocess
import sys
import time

import classroom_styles as styles
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memwall_classroom.__main__ import main
from memwall_classroom.marking import checking
from memwall_classroom.marking.sets import load_set
from memwall_classroom.reading import selfcheck
from memwall_classroom.reading.amounts import read_amount
from memwall_classroom.reading.answers import Choice, Formula, Number
from memwall_classroom.reading.cells import answers_in, chosen
from memwall_classroom.reading.choices import read_letter
from memwall_classroom.reading.expressions import read_formula
from memwall_classroom.reading.form import Form, may_repeat
from memwall_classroom.reading.grammar import GrammarError, identical, parse_formula
from memwall_classroom.reading.units import unit_complaint

SETS = ("set1", "set2", "set3", "set4", "set5", "project")
opened = functools.cache(load_set)


@functools.cache
def asked(name):
    """What some students of a set are asked: question and what it returned."""
    set, count = opened(name), 4 if name == "project" else 12
    return [
        (label, set.ask(q, f"s{i:04d}", checking.SEED))
        for label, q in set.labels().items() if not q.by_hand for i in range(count)
    ]  # fmt: skip


def of_kind(name, kind):
    return [(label, a) for label, a in asked(name) if isinstance(a, kind)]


# ---------------------------------------------------------------- right answers


@pytest.mark.parametrize("name", SETS)
def test_right_numbers_are_read_in_every_hand(name):
    lost = []
    for label, a in of_kind(name, Number):
        for style, write in styles.NUMBERS.items():
            text = write(a.answer / a.measure.size, a.unit)
            if text and not (verdict := a.mark(text)).right:
                lost.append((label, style, text, verdict.state, verdict.hint))
    assert lost == []


@pytest.mark.parametrize("name", SETS)
def test_right_formulas_are_read_in_every_hand(name):
    lost = []
    for label, a in of_kind(name, Formula):
        for style, write in styles.FORMULAS.items():
            text = write(a.right_answer())
            if text and not (verdict := a.mark(text)).right:
                lost.append((label, style, text, verdict.state, verdict.hint))
    assert lost == []


@pytest.mark.parametrize("name", SETS)
def test_choices_are_read_in_every_hand(name):
    for _, a in of_kind(name, Choice):
        for style in styles.CHOICES:
            for letter in "ABCDEF"[: len(a.options)]:
                assert a.mark(styles.choice(style, letter)).right is (letter == a.letter), style


def test_there_are_twenty_hands_and_more():
    assert min(len(styles.NUMBERS), len(styles.FORMULAS), len(styles.CHOICES)) >= 20


# ---------------------------------------------------------------- wrong answers


@pytest.mark.parametrize("name", SETS)
def test_no_wrong_number_is_accepted_in_any_hand(name):
    accepted = []
    for label, a in of_kind(name, Number):
        value = a.answer / a.measure.size
        off, texts = styles.wrong_numbers(value, a.unit, a.whole)
        accepted += [(label, kind, text) for kind, text in texts.items() if a.mark(text).right]
        for kind, other in off.items():
            if abs(other - value) <= 2 * a.tolerance * abs(value):
                continue
            for style, write in styles.NUMBERS.items():
                text = write(other, a.unit)
                if text and not two_faced(text, kind) and a.mark(text).right:
                    accepted.append((label, kind, style, text, a.right_answer()))
    assert accepted == []


def two_faced(text, kind):
    """12,345 is 12345 to one reader and 12.345 to another: a thousand times off, or right."""
    return kind in ("thousand", "a thousandth") and re.search(
        r"(?<![0-9,])[1-9][0-9]{0,2},[0-9]{3}(?![0-9,.])", text
    )


@pytest.mark.parametrize("name", SETS)
def test_no_wrong_formula_is_accepted_in_any_hand(name):
    for label, a in of_kind(name, Formula):
        for wrong in a.wrong_answers().values():
            for style, write in styles.FORMULAS.items():
                text = write(wrong)
                assert not (text and a.mark(text).right), (label, style, text)


# ---------------------------------------------------------------- one by one

MS = Form("ms", "0.2 ms", "150 ms", "step")
PRICE = Form("$/Mtok", "$0.02 / Mtok", "$15 / Mtok", "million tokens cost")
SPEED = Form("tokens/s", "4 tokens/s", "3000 tokens/s", "tokens user")
CHIPS = Form("chips", "1 chip", "1000 chips", "chips least", "", True)
RATIO = Form("", "0.3", "250")
MORE = Form("%", "0.5 %", "450 %", "more least")
TEXTS = Form("samples", "1 sample", "10^12 samples", "", "texts")


def accepts(form, text, value):
    """True if a text is read as this value, in a unit that fits and without doubt."""
    read = read_amount(text, form)
    fits = not unit_complaint(read.quantity.measure, form.measure, form.unit, form.binds)
    return fits and read.other is None and abs(read.quantity.value / value - 1) < 0.011


@pytest.mark.parametrize(
    ("form", "value", "texts"),
    [
        (MS, 27.5e-3, [
            "27.54 ms per step", "27.5 ms/token", "27.5 ms -> memory bound", "t/ms = 27.5", "t [ms] = 27.5", "in ms: 27.5",
            "27.5 ms (3 s.f.)", "0.0275 seconds, which is 27.5 ms", "27.5 ms or 0.0275 s", "It takes 27.5 ms to do one step",
            "the longer one: 27.5 ms", "27.5 ms because weights take longer than arithmetic", "With 24 chips it takes 27.5 ms",
            "27.5ms/step (memory-bound: 80 GB / 2.9 TB/s)", "27.5 ms, since 80 GB / 2.9 TB/s = 27.5 ms", "27.5 ms (≈0.028 s)",
            "max(27.5 ms, 12 ms) = 27.5 ms", "27.5 ms ≈ 0.03 s", "Δt = 27.5 ms", "<b>27.5 ms</b>", r"\boxed{27.5\,\text{ms}}",
            "0,0275 s", "27 500 µs", "27.5 m" + "secs", "just under 27.6 ms", "2.75·10⁻² s", "27.5 thousand µs", "275e-4 s", r"\qty{27.5}{\milli\second}", r"\SI{27.5}{ms}",
            "2.75 times 10 to the minus 2 s", "27.5 ms, I think; not sure", "0.0275 of a second", "27.5 ms each step",
        ]),
        (PRICE, 0.4747e-6, [
            "$0.4747", "0.4747 dollars", "47.47 cents per million tokens", "$0.4747 per 1,000,000 tokens", "$0.4747/1M tokens",
            "a million tokens cost $0.4747", "1M tokens: $0.4747", "0.4747 US$/Mtok", "4.747*10^-7 $ per token", "47.47¢",
            "$474.7 per billion tokens", "0,4747 $ per million output tokens", "$0.4747 a million", "$0.4747 per mtok",
        ]),
        (SPEED, 218.5, [
            "218.5 tokens/s per user", "218.5 tps", "218.5 t/s", "218.5 tokens s^-1", "218.5/s", "218.5 tokens in a second",
            "13 110 tokens per minute", r"218.5\ \frac{\text{tokens}}{\text{s}}", "218.5 tokens/(s user)", "218,5 tokens/s",
        ]),
        (CHIPS, 9, ["9 Kestrel chips", "at least 9 chips", "nine chips", "9 (nine) chips", "9 chips, rounded up", "9 pcs", "minimum 9"]),
        (RATIO, 12, ["12-fold", "x12", "12 : 1", "12 times longer", "a factor of 12", "twelve times", "12.0 x"]),
        (MORE, 0.431, ["43.1 per cent", "43.1 % more", "+43.1 %", "0.431", "43.1 % (0.431)", "43,1%"]),
        (TEXTS, 5 * 2**24, ["5*2^24", r"5\cdot 2^{24}", "83 886 080 texts", "83.9M", "83.9 million random texts", "8.39·10⁷"]),
        (Form("h"), (41 + 5 / 6) * 3600, ["41 h 50 min", "41 hours and 50 minutes", "41h50", "1 d 17 h 50 min", "2510 min"]),
        (Form("billion parameters"), 13.2e12, ["13.2T parameters", "13.2 trillion", "13,200 billion", "13200B", "13.2e12", "13 200 bn"]),
    ],
)  # fmt: skip
def test_ordinary_words_are_read(form, value, texts):
    refused = []
    for text in texts:
        try:
            if not accepts(form, text, value):
                refused.append((text, read_amount(text, form)))
        except GrammarError as error:
            refused.append((text, str(error)))
    assert refused == []


@pytest.mark.parametrize(
    ("form", "value", "texts"),
    [
        (MS, 27.5e-3, [
            "27.5 ms or 28 ms", "27.5-28 ms", "27 to 28 ms", "between 27.5 and 28 ms", "27.5 ms, 3 ms", "[27.5, 28] ms", "27.5..28 ms",
            "not 27.5 ms", "less than 27.5 ms", "> 27.5 ms", "27.5 ms ± 1 ms", "27.5 ms / 2", "2*27.5 ms", "twice 27.5 ms", "half of 27.5 ms",
            "-27.5 ms", "minus 27.5 ms", "27.5 s", "27.5", "27.5 GB", "27.5 ms per day", "27.5 ms per layer", "27.5 ms/GPU", "27.5 furlongs",
            "27.5 ms + 1 ms", "27.5 ms = 3 ms", "27.5 Ms", "27.5 ms; 2 ms", "27.5 ms (or 2 ms)", "anything but 27.5 ms",
            "27.5 ms^2", "27.5 ms ms", "27.5 ms is wrong", "27.5 ms at most", "27.5 ms or more", "27.5 ms too short", "27.5 or 0.0275 ms",
            "(27.5 ms + 2 ms)", "27.5 ms × 3", "27.5 ms times 3", "27.5 ms. No, 30 ms.", "27.5 ms <- no, 30 ms", "27.5 ms\n\n30 ms", "1000 ms = 27.5 ms",
            "twenty-seven point five or six ms", "twenty-seven to twenty-eight ms", "not twenty-seven ms", "half of twenty-seven ms",
            "27.5 (twenty) ms", "27.5~28 ms", "one of 27.5 ms and 31 ms", "27.5 ms to 1 s", "up to 27.5 ms",
        ]),
        (PRICE, 0.4747e-6, ["$0.4747 per token", "$0.4747 per thousand tokens", "0.4747 €", "$0.4747/h", "0.4747", "0.4747 tokens/$", "0.4747c per million tokens"]),
        (SPEED, 218.5, ["218.5 tokens", "218.5 s/token", "218.5 sequences/s", "218.5 tokens/min", "218.5 tokens/s/layer", "218.5 kB/s"]),
        (CHIPS, 9, ["9 racks", "9 or 10 chips", "8-9 chips", "9 dozen chips", "at most 9 chips", "9 chips too few", "9 extra chips", "9.4"]),
        (RATIO, 12, ["12 ms", "12 %", "12 chips", "12 metres", "-12", "1/12", "12/13", "12 times 2", "1:12", "12 times less", "12 of 15", "12 in 13", "12 here or 13 there", "12 b"]),
        (MORE, 0.431, ["43.1", "43.1 % less", "-43.1 %", "1.431", "143.1 %"]),
    ],
)  # fmt: skip
def test_what_is_not_one_value_of_this_kind_is_not_read_as_it(form, value, texts):
    accepted = []
    for text in texts:
        try:
            if accepts(form, text, value):
                accepted.append(text)
        except GrammarError as error:
            assert str(error)
    assert accepted == []


@pytest.mark.parametrize(
    ("text", "value", "other"),
    [
        ("9,447 ms", 9.447e-3, None),  # 9,447 ms are no step of this world
        ("2,750 ms", 2.75, None),  # nobody ends decimals in a nought
        ("0,447 ms", 0.447e-3, None),
        ("1,234.5 ms", 1.2345, None),
        ("1.234,5 ms", 1.2345, None),
        ("2,750·10^-2 s", 27.5e-3, None),  # a mantissa may end in one
    ],
)
def test_a_comma_is_settled_by_the_size_of_the_answer(text, value, other):
    read = read_amount(text, MS)
    assert (read.quantity.value, read.other) == (pytest.approx(value), other)


def test_a_comma_that_stays_two_faced_is_the_teachers():
    wide = Number("?", 9.447e-3, "ms", ("1 us", "100 s"))
    verdict = wide.mark("9,447 ms")
    assert verdict.state == "unreadable" and "teacher" in verdict.hint
    told = selfcheck.report("9,447 ms", unit="ms", least="1 us", most="100 s")
    assert "as 9447 ms, and with a decimal comma as 9.447" in told
    assert wide.mark("9,446 s").state == "wrong"  # neither reading is right
    assert Number("?", 9447, "sequences", ("1 sequence", "1e9 sequences")).mark("9,447").right


SYMBOLS = {
    "B": "1",
    "N_a": "1",
    "N_t": "1",
    "w": "B",
    "F": "FLOP/s",
    "W": "B/s",
    "L": "1",
    "k": "B",
    "P": "1",
}
STEP = "max(2*B*N_a/F, (N_t*w + B*(L - P)*k)/W)"


@pytest.mark.parametrize(
    "text",
    [
        "T = max(2 B N_a / F, (N_t w + B (L - P) k) / W)", "max{2BN_a/F, (N_tw + B(L-P)k)/W}", "MAX[2*B*Na/F; (Nt*w + B*(L-P)*k)/W]",
        r"\max\left(\frac{2 B N_a}{F}, \frac{N_t w + B (L-P) k}{W}\right)",
        r"$T = \max\left\{\frac{2BN_a}{F},\ \frac{N_t\,w + B\,(L-P)\,k}{W}\right\}$", "max(2·B·Nₐ/F, (Nₜ·w + B·(L−P)·k)/W)",
        "t_step = max( 2 x B x N_a / F , (N_t x w + B x (L-P) x k) / W ).", "max(2B N_a F^-1, (N_t w + B(L-P)k) W^{-1})",
        "Answer: max(2*B*N_a/F, (N_t*w + B*(L-P)*k)/W) seconds", "T(B) = max(2*B*n_a/F, (n_t*w + B*(L-P)*k)/W)",
        "max(2*B*N_a/F, (N_t*w + B*(L-P)*k)/W) [s]", "max (2 B N_a over F, (N_t w + B (L-P) k) over W)",
        "T = max(t_c, t_m) = max(2*B*N_a/F, (N_t*w + B*(L-P)*k)/W)", "the larger of 2*B*N_a/F and (N_t*w + B*(L-P)*k)/W",
        "max(2,0*B*N_a/F; (N_t*w + B*(L-P)*k)/W)", "max(2*B*N_a/F, (N_t*w + B*(L-P)*k)/W) (memory against arithmetic)",
        "return np.maximum(2*B*N_a/F, (N_t*w + B*(L-P)*k)/W)", "lambda B: max([2*B*N_a/F, (N_t*w + B*(L-P)*k)/W])",
        r"$$ T = \max\left({2 B {N_a} \over F}, {{N_t} w + B (L-P) k \over W}\right) $$", "Math.max(2*B*N_active/F, (N_total*w + B*(L-P)*k)/W)",
        "T: max(2*B*N_a/F, (N_t*w + B*(L-P)*k)/W), in seconds", "So max(2*B*N_a/F, (N_t*w + B*(L-P)*k)/W). The slower one counts.",
    ],
)  # fmt: skip
def test_formulas_as_people_write_them(text):
    read = read_formula(text, SYMBOLS, "s")
    rearranged = re.sub(r"max\((.*)\)$", r"\1", read.text)
    assert read.text.startswith("max(") and rearranged
    parts, key = read.tree.parts, parse_formula(STEP, SYMBOLS).parts
    assert all(identical(part, due, SYMBOLS) for part, due in zip(parts, key, strict=True))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("N_t w / W P", "can be read as"),
        ("1/2B", "can be read as"),
        ("2 B N_a/F = N_t w/W", "two formulas"),
        ("B or L", "not among its symbols"),
        ("B, L", "comma"),
        ("max(B)", "takes 2 to 4"),
        ("B + N_a k L) ", "too many"),
        ("(" * 40 + "B" + ")" * 40, "nested"),
        ("√" * 40 + "B", "nested"),
        ("Ν*w/W", "greek capital letter nu"),
        ("__import__('os')", "not among its symbols"),
        ("B = __import__('os')", "not among its symbols"),
        ("N_t if B else 0", "not among its symbols"),
        ("N_t*w/W if B is small, otherwise 0", "not among its symbols"),
        ("N_t*w/W, not B*L*k/W", "not among its symbols"),
        ("N_t*w/W. Half of it.", "no meaning"),
    ],
)
def test_what_stays_two_faced_or_strange_is_refused(text, why):
    with pytest.raises(GrammarError) as caught:
        read_formula(text, SYMBOLS, "s")
    assert why in str(caught.value)


def test_units_decide_what_a_slash_divides_by():
    letters = {"N": "1", "w": "B", "W": "B/s", "R": "$/s", "t": "s"}
    assert read_formula("N w / W R", letters, "$").text == "N*w/W*R"
    assert read_formula("w / W t", letters, "").text == "w/(W*t)"


@pytest.mark.parametrize(
    "text",
    [
        "A or B",
        "not A",
        "A, B",
        "both A and C",
        "E",
        "",
        "A/B",
        "it depends",
        "A not B",
        "A step waits",
        "a, b",
        "(a) and (b)",
        "a) or b)",
        "A | B",
        "A = C",
        "A\nB",
        "-> A or B",
        "?",
    ],
)
def test_no_choice_is_made_for_anybody(text):
    with pytest.raises(GrammarError):
        read_letter(text, "ABCD")


# ---------------------------------------------------------------- nothing else happens


@given(
    st.text(max_size=120) | st.text(alphabet="0123456789.,+-*/^()[]{}$ \\msBkt~=<>%'e", max_size=80)
)
def test_any_text_is_read_or_refused(text):
    for read in (
        lambda t: read_amount(t, MS), lambda t: read_amount(t, PRICE), lambda t: read_amount(t, TEXTS),
        lambda t: read_formula(t, SYMBOLS, "s"), lambda t: read_letter(t, "ABCD"),
    ):  # fmt: skip
        try:
            read(text)
        except GrammarError as error:
            assert 0 < len(str(error)) < 400


@pytest.mark.parametrize(
    "piece",
    [
        "(",
        "[",
        "{",
        "√",
        "^",
        "-",
        "1 ",
        "1,",
        "a ",
        "per ",
        "\\frac{",
        "**",
        "$",
        "=",
        "9 of ",
        "5*",
        "B^",
        "h5",
        "one ",
        "one and ",
        "ten thousand ",
        "{a \\over ",
        "1 (one) ",
        "a. So ",
        "a, b ",
    ],
)
def test_long_texts_take_no_time(piece):
    text = (piece * 600)[:600]
    start = time.perf_counter()
    for read in (
        lambda t: read_amount(t, MS),
        lambda t: read_formula(t, SYMBOLS, "s"),
        lambda t: read_letter(t, "AB"),
    ):
        with contextlib.suppress(GrammarError):
            read(text)
    assert time.perf_counter() - start < 2


def test_the_question_says_what_an_answer_may_repeat():
    asked = "A law office ... up to 9.\n\nHow many texts must one user send at least?"
    assert may_repeat(asked) == ("user least", "texts")


# ---------------------------------------------------------------- the self-check and the marker see the same


@pytest.mark.parametrize("name", SETS)
def test_the_self_check_reads_what_the_marker_reads(name):
    """Well formed to the one is read by the other, and what the one refuses the other cannot read."""
    for _, a in asked(name)[::3]:
        form = eval(f"dict({a.self_check()})")
        if isinstance(a, Number):
            texts = [w(a.answer / a.measure.size, a.unit) for w in styles.NUMBERS.values()]
            texts += list(styles.wrong_numbers(a.answer / a.measure.size, a.unit)[1].values())
        elif isinstance(a, Formula):
            texts = [w(a.right_answer()) for w in styles.FORMULAS.values()] + [
                "N_a B",
                "x + 1",
                "1/2B",
            ]
        else:
            texts = [styles.choice(s, a.letter) for s in styles.CHOICES] + ["A or B", "Z"]
        for text in filter(None, texts):
            told, state = selfcheck.report(text, **form), a.mark(text).state
            assert ("cannot be read" in told) is (state == "unreadable"), (text, told, state)


@pytest.mark.parametrize(
    ("source", "due"),
    [
        ('q2 = "27.5 ms"\nq2 = 683.09e9/24.8e12', "27.5 ms"),  # scratch work replaces nothing
        ('q2 = 683.09e9/24.8e12\nq2 = "27.5 ms"', "27.5 ms"),
        ('q2 = "30 ms"\nq2 = "27.5 ms"', "27.5 ms"),
        ('q2: str = "27.5 ms"', "27.5 ms"),
        ('q1, q2 = "A", "27.5 ms"', "27.5 ms"),
        ('q1 = "A"; q2 = "27.5 ms"', "27.5 ms"),
        ('t = q2 = "27.5 ms"', "27.5 ms"),
        ('q2 = q3 = "27.5 ms"', "27.5 ms"),
        ("q2 = 27.5 ms", "27.5 ms"),
        ('q2 = "27.5 ms"\nq2 = ""', "27.5 ms"),
    ],
)
def test_assignments_as_people_write_them(source, due):
    assert chosen(answers_in(source, ["q1", "q2", "q3"]))["q2"].text == due


@pytest.mark.parametrize(
    ("line", "warned"),
    [
        ('q2 = "27.5 ms"', ""),
        ('q2: str = "27.5 ms"', ""),
        ('q1, q2 = "A", "27.5 ms"', ""),
        ('q1 = "A"; q2 = "27.5 ms"', ""),
        ('t = q2 = "27.5 ms"', ""),
        ('q2 = "27.5 ms"\nq2 = 683.09e9/24.8e12', "reads '27.5 ms'"),
        ('q1, q2 = ("A", "27.5 ms")', "the marker runs nothing and reads"),
        ('for q2 in ("27.5 ms",): pass', "finds no answer here"),
        ('(q2 := "27.5 ms")', "finds no answer here"),
        ('globals()["q2"] = "27.5 ms"', ""),
    ],
)
def test_the_self_check_says_what_the_marker_will_see(monkeypatch, capsys, line, warned):
    from types import SimpleNamespace

    import IPython

    shell = SimpleNamespace(user_ns={"In": ["", f'{line}\ncheck("q2", q2, unit="ms")']})
    monkeypatch.setattr(IPython, "get_ipython", lambda: shell)
    names = {}
    exec(line, names)
    selfcheck.check("q2", names["q2"], unit="ms", least="0.2 ms", most="150 ms")
    told = capsys.readouterr().out
    assert warned in told and bool(warned) is ("But the marker" in told)


# ---------------------------------------------------------------- on the command line


@pytest.mark.parametrize(
    ("arguments", "code", "first"),
    [
        (["--unit", "ms", "about 27,5 ms per step"], 0, "0.0275"),
        (["--unit", "$/Mtok", "$0.4747"], 0, "4.747e-07"),
        (["--unit", "h", "41 h 50 min"], 0, "150600"),
        (["2.4k sequences"], 0, "2400"),
        (["-3 s"], 0, "-3"),
        (["--formula", "B,N_a,F", "T = 2 B N_a/F."], 0, "2*B*N_a/F"),
        (["--formula", "B N_a F", "2·B·Na÷F"], 0, "2*B*N_a/F"),
        (["--unit", "ms", "27 to 28 ms"], 1, "refused:"),
        (["--unit", "ms", "27 GB"], 1, "refused:"),
        (["--formula", "B", "B + x"], 1, "refused:"),
    ],
)
def test_read_says_how_an_answer_is_read(capsys, arguments, code, first):
    assert main(["read", *arguments]) == code
    assert capsys.readouterr().out.split()[0] == first


def test_a_students_environment_needs_the_wheel_alone(tmp_path):
    """Every self-check of every set runs with the wheel on the path, and nothing else of this project."""
    from memwall_classroom.marking.papers import write_wheel

    path = write_wheel(tmp_path)
    lines = [
        "import sys",
        f"sys.path.insert(0, {str(path)!r})",
        "from memwall_classroom.reading.selfcheck import check",
    ]
    for name in SETS:
        for label, a in asked(name)[::7]:
            lines.append(f"check({label!r}, {a.right_answer()!r}, {a.self_check()})")
    lines += [
        "from memwall import chip, model, roofline, plan",  # the library is the student's calculator
        "print(roofline.balance_batch(model('DeepSeek-V3'), chip('H100').system(chips=8, precision='fp8')))",
        "ours = {m for m in sys.modules if m.split('.')[0] in ('memwall', 'memwall_classroom')}",
        f"assert all(sys.modules[m].__file__.startswith({str(path)!r}) for m in ours)",
        "print(sorted(m for m in ours if 'marking' in m or 'experiments' in m or 'views' in m or 'claims' in m))",
    ]
    done = subprocess.run(
        [sys.executable, "-I", "-c", "\n".join(lines)], capture_output=True, text=True, check=True
    )
    told = done.stdout.splitlines()
    assert all(line.endswith("Well formed.") for line in told[:-2]), told
    assert told[-1] == "[]"


def test_a_letter_in_brackets_is_no_billion(capsys):
    assert main(["read", "--unit", "sequences", "2.4B"]) == 0
    assert capsys.readouterr().out.startswith("2400000000 ")
    for text in ("2,400 (B)", "2,400 [B]"):
        assert main(["read", "--unit", "sequences", text]) == 1
        assert "byte" in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    ("text", "unit", "seconds"),
    [("1 min 20 s", "min", 80), ("1 h 5 min", "h", 3900), ("1h30", "h", 5400)],
)
def test_a_time_in_two_units_is_said_in_its_first(text, unit, seconds):
    found = read_amount(text).quantity
    assert found.unit == unit and found.value == pytest.approx(seconds)
