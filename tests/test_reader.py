"""A page that answers back, in a real browser: guesses, exercises, drawing, the machine, sentences.

The page is written from the HTML a notebook shows, with the four files beside it, and opened from the
file system with the network cut.
"""

import json
import math
import re
from pathlib import Path

import pytest
import rcssmin
import rjsmin
import test_explorer

import memwall
from memwall import InputError, batching, chip, human, model, racks, roofline
from memwall.views.explorer import Bar, Bars, Explorer, Readout, Slider, variables
from memwall.views.reader import DrawGuess, drag, exercise, guess, machine_step, settle

VIEWS = Path(memwall.__file__).parent / "views"
FILES = [VIEWS / "explorer" / "explorer.js", VIEWS / "explorer" / "explorer.css",
         VIEWS / "reader" / "reader.js", VIEWS / "reader" / "reader.css"]  # fmt: skip
AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
MODEL, RACK = model("DeepSeek-V3"), chip("GB200").system(72, "fp8", 2)
FLOOR = roofline.weight_time(MODEL, RACK)
P = variables("people")
COST = batching.cost_per_token(P, 1000, MODEL, RACK)


def machine(**changes):
    return machine_step(MODEL, RACK, **changes)


def sketch():
    return DrawGuess(
        "price", "What does a token cost?", over=P, curve=COST, name="floor", low=COST / 2, high=2 * COST,
        x=("People at once", "", 1, 1e4), y=("Price", "$/token", 1e-9, 1e-3), anchor="alone",
        close="You know it.", above="Seats were empty.", below="Too good.", words=("cheap", "dear"),
    )  # fmt: skip


def asked():
    said = {
        "close": "You have the feel.",
        "low": "Nobody reads so fast.",
        "high": "All read at once.",
    }
    return [
        guess("step", "How long does one step take?", "s"),
        settle("step", FLOOR, "s", **said),
        guess("times", "How many times dearer alone?", "x"),
        exercise("floor", "The floor", answer=FLOOR, unit="s", solution="Read all.\n\nDivide.",
                 slips={"active for total": FLOOR / roofline.sparsity(MODEL), "bits for bytes": 8 * FLOOR}),
    ]  # fmt: skip


def live():
    """The live figure of test_explorer, less what only its own tests want."""
    figure = test_explorer.latency()
    return figure


# ---- declarations -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: guess("Not an id", "?", "s"), "id 'Not an id'"),
        (lambda: settle("stepp", 1, "s", close="", low="", high=""), "Did you mean 'step'"),
        (lambda: settle("step", 1, "%", close="", low="", high=""), "is in 's', its answer in '%'"),
        (lambda: settle("step", -1, "s", close="", low="", high=""), "answer = -1"),
        (lambda: settle("step", 1, "s", close="", low="", high="", near=1), "near = 1"),
        (lambda: exercise("a", "?", answer="x"), "answer must be a number"),
        (lambda: exercise("a", "?", answer=1, tolerance=0.5), "tolerance = 0.5"),
        (lambda: exercise("a", "?", answer=1, slips={"bit for bytes": 8}), "Did you mean 'bits for bytes'"),
        (lambda: exercise("a", "?", answer=1, slips={"factor 2": 1.02}), "cannot be told from the answer"),
        (lambda: exercise("a", "?", answer=1, slips={"factor 2": 2, "bits for bytes": 2.1}), "cannot be told from"),
        (lambda: machine(show=("weight",)), "Did you mean 'weights'"),
        (lambda: machine(show=("stages",), stages=5), "stages = 5"),
        (lambda: drag(live(), "{steptime}"), "Did you mean 'step_time'"),
        (lambda: drag(live(), "[batches]"), "Did you mean 'batch'"),
    ],
)  # fmt: skip
def test_mistakes_are_named(make, words):
    guess("step", "How long?", "s")
    with pytest.raises(InputError, match=re.escape(words)):
        make()


def test_an_example_never_tells_the_answer():
    for unit in ("s", "%", "x", "$/token", "B", "B/s", "token/s", "1"):
        spec = guess("doc", "?", unit).spec
        assert "answer" not in spec and spec["like"]


@pytest.mark.parametrize(
    ("unit", "words"),
    [("s", ["quick", "slow"]), ("$/token", ["cheap", "dear"]), ("sequences", ["low", "high"]), ("x", ["low", "high"])],
)  # fmt: skip
def test_what_is_off_is_called_by_its_unit(unit, words):
    assert exercise("words", "?", answer=2, unit=unit).spec["words"] == words


def test_what_a_notebook_shows():
    for made in [*asked(), sentence_of_latency(), machine(), sketch()]:
        data, _ = made._repr_mimebundle_()
        assert {
            "text/html",
            "text/plain",
            "application/vnd.jupyter.widget-view+json",
        } <= data.keys()
        assert data["text/plain"] and made._esm.rstrip().endswith("};")
    data, _ = asked()[0]._repr_mimebundle_()
    assert "</script><b>" not in guess("evil", "</script><b>", "s").html().split("<script")[1]


def sentence_of_latency():
    return drag(live(), "With [batch: people] & more a step takes {step_time}.")


def test_the_sentence_prints_the_numbers_of_its_figure():
    made = sentence_of_latency()
    step = human(roofline.step_time(256, 8e3, *the_pair()), "s")
    assert made._words == f"With 256 people & more a step takes {step}."


def the_pair():
    return test_explorer.MODELS["DeepSeek-V3"], test_explorer.SYSTEMS["72 GB200"]


# ---- in the browser -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reader")
    for file in FILES:
        (folder / file.name).write_bytes(file.read_bytes())
    parts = [machine().html(), *(a.html() for a in asked()), sentence_of_latency().spec["html"],
             live().html(), sketch().html(),
             machine(show=("weights", "arithmetic", "caches", "network"), id="wired").html(),
             machine(show=("arithmetic", "stages"), id="staged").html(),
             machine(show=("arithmetic", "caches", "requests"), answer=400, id="served").html()]  # fmt: skip
    dark = "html[data-theme=dark] { background: #14181e; color: #ced6dd; --pst-color-background: #14181e }"
    (folder / "page.html").write_text(
        "<!doctype html><html lang=en><meta charset=utf-8><title>Answers</title>"
        '<meta name=viewport content="width=device-width, initial-scale=1">'
        "<link rel=stylesheet href=explorer.css><link rel=stylesheet href=reader.css>"
        "<script src=explorer.js></script><script src=reader.js defer></script>"
        f"<style>body {{ margin: 16px; font-family: sans-serif }} {dark}</style>"
        f"<body><main><h1 id=there>There</h1>{''.join(parts)}<p id=end>The end.</p></main></body></html>",
        encoding="utf-8",
    )
    return folder / "page.html"


@pytest.fixture
def visit(browser, page_file):
    """Opens the page offline; fails afterwards if it asked for anything or complained."""
    contexts, complaints = [], []

    def go(context=None, **options):
        if context is None:
            context = browser.new_context(offline=True, reduced_motion="reduce", **options)
            contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda e: complaints.append(str(e)))
        page.on("console", lambda m: complaints.append(m.text))
        page.on(
            "request", lambda r: r.url.startswith(("file:", "blob:")) or complaints.append(r.url)
        )
        page.goto(page_file.as_uri())
        return page

    yield go
    for context in contexts:
        context.close()
    assert complaints == []


def settled(page):
    page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )


def answer(page, block, text):
    page.locator(f"{block} input").fill(text)
    page.locator(f"{block} input").press("Enter")
    return page.locator(f"{block} .mw-reply").first.inner_text()


@pytest.mark.parametrize(
    ("typed", "unit", "value"),
    [
        ("20 ms", "s", 0.02), ("20ms", "s", 0.02), ("20 msec", "s", 0.02), ("20 milliseconds", "s", 0.02),
        ("about 20 ms", "s", 0.02), ("~20 ms", "s", 0.02), ("1 second", "s", 1), ("2 sec", "s", 2),
        ("300 µs", "s", 3e-4), ("300 us", "s", 3e-4), ("5 ns", "s", 5e-9), ("2 min", "s", 120), ("3 hours", "s", 10800),
        ("20", "s", None), ("1,5 ms", "s", None), ("1,500 ms", "s", 1.5), ("1/4 s", "s", 0.25), ("ms", "s", None),
        ("2k", "1", 2000), ("2 thousand", "1", 2000), ("2,048", "1", 2048), ("1.5M", "1", 1.5e6), ("2e3", "1", 2000),
        ("3 x 10^5", "1", 3e5), ("10^6", "1", 1e6), ("2 dozen", "1", None),
        ("10 %", "%", 0.1), ("10", "%", 0.1), ("10 percent", "%", 0.1),
        ("1000 times", "x", 1000), ("1000x", "x", 1000), ("40-fold", "x", 40), ("12", "x", 12),
        ("$3", "$/token", 3e-6), ("3", "$/token", 3e-6), ("$3 / Mtok", "$/token", 3e-6), ("$3 per million tokens", "$/token", 3e-6),
        ("30 cents", "$/token", 3e-7), ("$2 / h", "$/s", 2 / 3600), ("$20", "$", 20),
        ("80 GB", "B", 8e10), ("80gb", "B", 8e10), ("80", "B", None), ("3.35 TB/s", "B/s", 3.35e12), ("4 TB per second", "B/s", 4e12),
        ("2 PFLOP/s", "FLOP/s", 2e15), ("50", "token/s", 50), ("50 token/s", "token/s", 50),
        ("50 tokens/s", "token/s", 50), ("50 tok/s", "token/s", 50), ("50 tokens per second", "token/s", 50), ("50 ms", "token/s", None),
    ],
)  # fmt: skip
def test_numbers_are_read_as_people_write_them(shared, typed, unit, value):
    found = shared.evaluate("(a) => memwallExplorer.parse(...a)", [typed, unit])
    assert math.isnan(found) if value is None else math.isclose(found, value, rel_tol=1e-12), found


@pytest.fixture(scope="module")
def shared(browser, page_file):
    """One page for questions that leave no trace."""
    context = browser.new_context(offline=True, reduced_motion="reduce")
    page = context.new_page()
    page.goto(page_file.as_uri())
    yield page
    context.close()


def test_a_guess_is_kept_and_met(visit):
    page = visit()
    assert human(FLOOR, "s") not in page.locator("#settle-step").inner_text()
    assert "kept" in answer(page, "#guess-step", "20 ms").lower()
    reply = page.locator("#settle-step").inner_text()
    times = 0.02 / FLOOR
    assert f"You said 20 ms: {times:.0f} times too slow. It is {human(FLOOR, 's')}." in reply
    assert "All read at once." in reply
    # another page of the same browser, later
    again = visit(page.context)
    assert again.locator("#guess-step input").input_value() == "20 ms"
    assert "You said 20 ms" in again.locator("#settle-step").inner_text()
    for typed, words in [("1.2 ms", "close"), ("100 us", "too quick"), ("1 ms", "close")]:
        answer(page, "#guess-step", typed)
        assert words in page.locator("#settle-step").inner_text()
    # what is not understood changes nothing and is explained
    for wrong in ("", "20", "soon", "-3 s", "1,5 ms"):
        assert answer(page, "#guess-step", wrong), wrong
        assert page.locator("#guess-step input").get_attribute("aria-invalid") == "true"
    assert "You said 1 ms" in page.locator("#settle-step").inner_text()
    kept = page.evaluate("Object.entries(localStorage)")
    assert len(kept) == 1 and kept[0][0].startswith("memwall:/") and kept[0][0].endswith(":step")


def test_who_has_not_guessed_may_or_be_told(visit):
    page = visit()
    page.locator("#settle-step").get_by_role("button", name="Just tell me").click()
    assert f"It is {human(FLOOR, 's')}." in page.locator("#settle-step").inner_text()
    page = visit()
    page.locator("#settle-step input").fill("3 s")
    page.locator("#settle-step input").press("Enter")
    assert "You said 3 s" in page.locator("#settle-step").inner_text()
    assert page.locator("#guess-step input").input_value() == "3 s"


def test_a_guess_lasts_as_long_as_the_page_where_storage_is_refused(browser, page_file):
    context = browser.new_context(offline=True, reduced_motion="reduce")
    context.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('refused', 'SecurityError'); } });"
    )
    page = context.new_page()
    errors = []
    page.on("pageerror", lambda e: errors.append(str(e)))
    page.goto(page_file.as_uri())
    answer(page, "#guess-step", "20 ms")
    assert "You said 20 ms" in page.locator("#settle-step").inner_text()
    assert errors == []
    context.close()


def test_an_exercise_knows_the_usual_slips(visit):
    page, here = visit(), "#exercise-floor"
    active = roofline.weight_time(MODEL.replace(n_total=MODEL.n_active), RACK)
    said = {
        human(FLOOR, "s"): "Right",
        f"{FLOOR * 1.03 * 1e3:.4g} ms": "Right",  # within five in a hundred
        f"{FLOOR * 1.2 * 1e3:.4g} ms": "Not yet",
        f"{active * 1e6:.4g} us": "active parameters",
        f"{8 * FLOOR * 1e3:.4g} ms": "factor of eight",
        f"{FLOOR * 1e3:.4g} s": "1,000 times off",
        f"{FLOOR * 1e3:.4g} us": "1,000 times off",
        f"{FLOOR * 1e9:.4g} ns": "Right",
        f"{2e3 * FLOOR:.4g} ms": "exactly two",
        f"{FLOOR / 8 * 1e6:.4g} us": "exactly eight",
        "30 ms": "solution is folded below",  # a second plain miss
        "30": "of what?",
        "soon": "not understood",
    }
    for typed, words in said.items():
        assert words in answer(page, here, typed), typed
    assert page.locator(f"{here} [role=status]").count() == 1
    assert not page.locator(f"{here} details p").first.is_visible()
    page.locator(f"{here} summary").click()
    assert page.locator(f"{here} details p").all_inner_texts() == ["Read all.", "Divide."]
    again = visit(page.context)
    assert "You had it right" in again.locator(here).inner_text()


def test_numbers_in_a_sentence_are_dragged_and_follow(visit):
    page = visit()
    number = page.locator(".mw-sentence [role=slider]")
    assert number.inner_text() == "256 people"
    number.focus()
    page.keyboard.press("ArrowRight")
    settled(page)
    assert number.inner_text() == "280 people"
    box = number.bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 8)
    page.mouse.down()
    page.mouse.move(box["x"] + 220, box["y"] + 8, steps=8)
    page.mouse.up()
    settled(page)
    batch = page.evaluate("document.querySelector('#explorer-latency').memwall.values.batch")
    assert batch > 5000
    assert number.inner_text() == f"{human(batch)} people" == number.get_attribute("aria-valuetext")
    step = human(roofline.step_time(batch, 8e3, *the_pair()), "s")
    assert page.locator(".mw-sentence [data-show]").inner_text() == step
    # and the other way round
    page.evaluate("document.querySelector('#explorer-latency').memwall.set('batch', 64)")
    settled(page)
    assert number.inner_text() == "64 people"
    page.locator(".mw-sentence [role=slider]").press("Home")
    settled(page)
    assert number.inner_text() == "1 people"


def test_a_curve_drawn_by_hand_is_compared_with_the_formula(visit):
    page = visit()
    figure = page.locator("#explorer-price")
    svg = figure.locator("svg")
    svg.scroll_into_view_if_needed()
    figure.get_by_role("button", name="Show me").click()
    assert "Draw the curve" in figure.locator(".mw-reply").inner_text()
    assert figure.locator("path.mw-is-money").evaluate_all(
        "all => all.every((p) => !p.getAttribute('d'))"
    )
    X, Y = (page.evaluate(f"(({{ from, to, low, high }}) => [from, to, low, high])(document.querySelector('#explorer-price').memwall.charts[0].{a})") for a in "XY")  # fmt: skip
    box = svg.bounding_box()

    def at(people, price):
        along = [(math.log(v / s[2]) / math.log(s[3] / s[2])) for v, s in ((people, X), (price, Y))]
        return box["x"] + X[0] + along[0] * (X[1] - X[0]), box["y"] + Y[0] + along[1] * (
            Y[1] - Y[0]
        )

    # ten times too dear all along
    price = [float(batching.cost_per_token(n, 1000, MODEL, RACK)) for n in (1, 10, 100, 1000, 1e4)]
    page.mouse.move(*at(1, 10 * price[0]))
    page.mouse.down()
    for people, true in zip((1, 10, 100, 1000, 1e4), price, strict=True):
        page.mouse.move(*at(people, 10 * true), steps=6)
    page.mouse.up()
    figure.get_by_role("button", name="Show me").click()
    settled(page)
    reply = figure.locator(".mw-reply").inner_text()
    off = float(re.search(r"([\d.]+) times too dear", reply)[1])
    assert 8 < off < 12.5 and "Seats were empty." in reply
    fall = price[0] / price[-1]
    assert f"falls {human(float(f'{fall:.2g}'))}-fold" in reply
    assert figure.locator("path.mw-band").get_attribute("d")
    truth = page.evaluate(
        "(() => { const f = document.querySelector('#explorer-price').memwall; return [...f.charts[0].spec.truth(f.values, new Float64Array([1, 10, 100, 1000, 1e4]))]; })()"
    )
    assert truth == pytest.approx(price, rel=1e-9)
    again = visit(page.context)
    assert "times too dear" in again.locator("#explorer-price .mw-reply").inner_text()
    again.locator("#explorer-price").get_by_role("button", name="Draw again").click()
    settled(again)
    assert again.locator("#explorer-price .mw-reply").inner_text() == ""


def test_a_curve_can_be_drawn_with_the_arrow_keys(visit):
    page = visit()
    figure = page.locator("#explorer-price")
    handles = figure.get_by_role("slider")
    assert handles.count() == 5  # the sixth is the given end
    handles.first.focus()
    for _ in range(5):
        page.keyboard.press("ArrowDown")
        page.keyboard.press("PageDown")
        page.keyboard.press("ArrowRight")
    settled(page)
    assert "Mtok" in handles.first.get_attribute("aria-valuetext")
    assert (
        page.evaluate("document.activeElement.getAttribute('aria-label')") == "Your guess at 10,000"
    )
    figure.get_by_role("button", name="Show me").press("Enter")
    settled(page)
    assert "On average your curve" in figure.locator(".mw-reply").inner_text()


@pytest.mark.parametrize("id", ["machine", "wired", "staged"])
def test_the_machine_keeps_the_time_of_the_formulas(visit, id):
    page = visit()
    for batch in (1, 37, 2000, 10_000):
        got = page.evaluate(
            """([id, b]) => { const f = document.querySelector(`#explorer-${id}`).memwall;
                return [f.charts[0].parts({ ...f.values, batch: b }), f.readouts({ ...f.values, batch: b })]; }""",
            [id, batch],
        )
        parts, readouts = got
        context = 0 if id == "staged" else 1000
        step = roofline.step_time(batch, context, MODEL, RACK)
        talk = 0.0
        if id == "wired":
            talk = racks.network_time(batch, 1, 3, MODEL, RACK.replace(scale_out=RACK.scale_up))
        assert parts["w"] == pytest.approx(FLOOR, rel=1e-9)
        assert parts["c"] == pytest.approx(roofline.compute_time(batch, MODEL, RACK), rel=1e-9)
        assert parts["n"] == pytest.approx(talk, rel=1e-9)
        assert parts["step"] == pytest.approx(step + talk, rel=1e-9)
        assert readouts["step"] == pytest.approx(parts["step"], rel=1e-9)


def test_as_many_board_as_leave(shared):
    """With answers of 400 tokens, each step one person in 400 leaves: Little's law."""
    got = shared.evaluate(
        "[1, 40, 8000].map((batch) => { const f = document.querySelector('#explorer-served').memwall; return f.readouts({ ...f.values, batch }); })"
    )
    for batch, found in zip((1, 40, 8000), got, strict=True):
        step = roofline.step_time(batch, 1000, MODEL, RACK)
        assert found["requests"] * 400 * step == pytest.approx(batch, rel=1e-9)
    assert [found["swap"] for found in got] == [
        "one leaves every 400 steps", "one leaves every 10 steps", "20 leave, 20 board",
    ]  # fmt: skip


def test_the_machine_is_scrubbed_played_and_paused(visit):
    page = visit()
    figure = page.locator("#explorer-machine")
    scrub = figure.get_by_role("slider", name="Moment within the step")
    assert scrub.get_attribute("aria-valuetext").startswith("the whole step, ")
    scrub.focus()
    page.keyboard.press("Home")
    for _ in range(4):
        page.keyboard.press("PageUp")
    said = scrub.get_attribute("aria-valuetext")
    assert re.fullmatch(r"[\d.]+ [mµ]s of [\d.]+ ms, layer \d+ of 61", said), said
    lit = "all => all.reduce((n, p) => n + (p.getAttribute('d').match(/M/g) ?? []).length, 0)"
    before = figure.locator("path.mw-part.mw-is-weights").evaluate_all(lit)
    page.keyboard.press("End")
    assert figure.locator("path.mw-part.mw-is-weights").evaluate_all(lit) != before
    # under reduced motion nothing moves by itself, and the button still works
    page.wait_for_timeout(250)
    assert scrub.input_value() == "1000"
    figure.get_by_role("button", name="Play").click()
    page.wait_for_timeout(300)
    assert 0 < int(scrub.input_value()) < 1000
    figure.get_by_role("button", name="Pause").click()
    here = scrub.input_value()
    page.wait_for_timeout(200)
    assert scrub.input_value() == here
    # a hand on the timeline
    hit = figure.locator("path.mw-hit").bounding_box()
    page.mouse.move(hit["x"] + 0.2 * hit["width"], hit["y"] + 20)
    page.mouse.down()
    page.mouse.move(hit["x"] + 0.1 * hit["width"], hit["y"] + 20)
    page.mouse.up()
    assert 0 < int(scrub.input_value()) < 1000


def test_the_machine_moves_by_itself_only_where_motion_is_welcome(browser, page_file):
    context = browser.new_context(offline=True, reduced_motion="no-preference")
    page = context.new_page()
    page.goto(page_file.as_uri())
    page.wait_for_timeout(500)
    assert page.locator("#explorer-machine button", has_text="Pause").count() == 1
    assert int(page.locator("#explorer-machine .mw-time input").input_value()) < 1000
    context.close()


MOVED = """async (id) => {
    const root = document.querySelector(`#explorer-${id}`), figure = root.memwall, end = document.querySelector("#end");
    const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    const svgs = [...root.querySelectorAll("svg")], at = () => [end, ...svgs, ...root.querySelectorAll("input[type=range]")]
        .map((e) => Math.round(e.getBoundingClientRect().top + scrollY));
    await frame();
    const first = at(), moved = [];
    for (const name in figure.sliders) {
        const { range } = figure.sliders[name], home = range.value;
        for (let i = 0; i <= +range.max; i += 3) {
            range.value = i;
            range.dispatchEvent(new Event("input"));
            await frame();
            if (String(at()) !== String(first)) { moved.push(`${name} at ${range.getAttribute("aria-valuetext")}: ${at().map((y, k) => y - first[k])}`); break; }
        }
        range.value = home;
        range.dispatchEvent(new Event("input"));
        await frame();
    }
    return moved;
}"""


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("id", ["latency", "machine", "wired"])
def test_nothing_moves_under_a_dragging_hand(visit, id, width):
    page = visit(viewport={"width": width, "height": 844})
    assert page.evaluate(MOVED, id) == []


def test_on_a_phone_the_sentence_with_the_numbers_stays_in_sight(visit):
    page = visit(viewport={"width": 390, "height": 700})
    slider = page.locator("#explorer-latency .mw-main input[type=range]")
    slider.evaluate("e => window.scrollTo(0, e.getBoundingClientRect().top + scrollY - 500)")
    title = page.locator("#explorer-latency .mw-title").bounding_box()
    assert 0 <= title["y"] < 20
    # and the slider stands right under what it moves
    gap = slider.evaluate("e => e.getBoundingClientRect().top - e.closest('.mw-main').previousElementSibling.getBoundingClientRect().bottom")  # fmt: skip
    assert gap < 40


def test_a_part_hidden_behind_another_says_so(browser, tmp_path):
    n = variables("n", nonnegative=True)
    bars = [Bar("memory", 1 + n * 0, "weights"), Bar("arithmetic", n, "compute", zero="hidden behind memory")]  # fmt: skip
    figure = Explorer("bars", title="{n}", controls=[Slider(n, "N", 0, 1, 0)], readouts=[Readout("n", n, key="m")],
                      chart=Bars(("Step", "s"), bars, stacked=True), alt="Bars.")  # fmt: skip
    script = FILES[0].read_text("utf-8")
    (tmp_path / "p.html").write_text(
        f"<meta charset=utf-8>{figure.html()}<script>{script}</script>", "utf-8"
    )
    page = browser.new_page()
    page.goto((tmp_path / "p.html").as_uri())
    assert "hidden behind memory" in page.locator("svg").text_content()
    page.close()


def test_without_javascript_words_and_stills_stand_there(visit):
    page = visit(java_script_enabled=False)
    assert "Guess first" in page.locator("#guess-step").inner_text()
    assert human(FLOOR, "s") in page.locator("#settle-step noscript").inner_text()
    assert "write a number" in page.locator("#exercise-floor").inner_text()
    assert page.locator(".mw-sentence").inner_text().startswith("With 256 people")
    for id in ("machine", "price", "wired"):
        assert page.locator(f"#explorer-{id} .mw-still svg").is_visible()
        assert page.locator(f"#explorer-{id} .mw-still svg").get_attribute("aria-label")
    assert page.locator("input, button").count() == 0


def test_on_paper_answers_stand_and_buttons_do_not(visit):
    page = visit()
    page.emulate_media(media="print")
    assert human(FLOOR, "s") in page.locator("#settle-step .mw-print").inner_text()
    assert not page.locator("#guess-step button").is_visible()
    assert not page.locator("#explorer-machine .mw-time").is_visible()
    assert page.locator("#explorer-machine svg").is_visible()


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(visit, theme, width):
    page = visit(color_scheme=theme, viewport={"width": width, "height": 800})
    page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
    answer(page, "#guess-step", "20 ms")
    answer(page, "#exercise-floor", "20 ms")
    page.evaluate(AXE)
    found = page.evaluate(
        "async () => (await axe.run({ preload: false })).violations.map((v) => [v.id, v.nodes.slice(0, 2).map((n) => n.html.slice(0, 120))])"
    )
    assert found == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_in_jupyter_the_same_blocks_are_widgets(visit):
    """The module that a notebook loads, with a model that answers what it is asked."""
    page = visit()
    widgets = [*asked(), sentence_of_latency(), machine(id="own"), sketch()]
    found = page.evaluate(
        """async (widgets) => {
            const el = document.body.appendChild(document.createElement('div'));
            for (const { esm, spec, values } of widgets) {
                const url = URL.createObjectURL(new Blob([esm], { type: 'text/javascript' })), module = await import(url);
                const state = { spec, values }, model = { get: (k) => state[k], set() {}, save_changes() {}, on() {} };
                module.default.render({ model, el: el.appendChild(document.createElement('div')) });
            }
            await new Promise((done) => setTimeout(done, 100));
            const form = el.querySelector('.mw-guess form');
            form.querySelector('input').value = '20 ms';
            form.requestSubmit();
            return [el.querySelectorAll('form').length, el.querySelectorAll('.mw-sentence [role=slider]').length,
                el.querySelector('.mw-settle').textContent, el.querySelectorAll('path.mw-hit').length, el.querySelectorAll('.mw-handle').length];
        }""",
        [
            {"esm": w._esm, "spec": w.spec, "values": dict(getattr(w, "values", {}))}
            for w in widgets
        ],
    )
    # three asks and, until it is answered, the settlement's own
    assert found[:2] == [3, 1] and found[3:] == [1, 6]
    assert "You said 20 ms" in found[2]


def test_only_pages_that_use_it_load_it(monkeypatch):
    monkeypatch.syspath_prepend(str(VIEWS.parents[2] / "book" / "_ext"))
    import memwall_reader

    asked_for = []

    class App:
        add_js_file = add_css_file = staticmethod(asked_for.append)

    def load(body):
        asked_for.clear()
        context = {"body": body}
        memwall_reader.where_used(App(), "page", "", context, None)
        return [*asked_for], context["body"]

    for made in (asked()[0], machine(), sketch()):
        assert load(made.html())[0] == ["reader.js", "reader.css"]
    assert load(sentence_of_latency().spec["html"])[0] == ["reader.js", "reader.css"]
    assert load(live().html())[0] == []
    assert load('<summary aria-label="Toggle hidden content">Show')[1] == "<summary>Show"


def test_budgets():
    """As served: without comments. All of it together, and a page with the dearest machine."""
    served = [(rjsmin.jsmin if f.suffix == ".js" else rcssmin.cssmin)(f.read_text("utf-8")) for f in FILES]  # fmt: skip
    assert sum(len(text.encode()) for text in served) < 70_000
    assert len(machine(show=("weights", "arithmetic", "caches", "network")).html()) < 60_000
    assert all(len(a.html()) < 2500 for a in asked())
    json.dumps(machine().spec)
