"""Live figures: their declarations in Python, and the same numbers in a real browser.

The page is written from the same HTML a notebook shows, with explorer.js and explorer.css beside
it, and opened from the file system with the network cut.
"""

import json
import math
import random
import re
from pathlib import Path

import pytest
import rcssmin
import rjsmin
from sympy import Eq, Function, Piecewise, floor

import memwall
from memwall import InputError, Model, System, batching, chip, human, model, roofline
from memwall.views.explorer import (
    Bar,
    Bars,
    Choice,
    Curve,
    Dots,
    Explorer,
    Grid,
    Guide,
    Lines,
    Point,
    Preset,
    Readout,
    Region,
    Regions,
    Slider,
    Toggle,
    Words,
    variables,
)

LIBRARY = Path(memwall.__file__).parent
MODELS = {name: model(name) for name in ("DeepSeek-V3", "gpt-oss-120b", "Llama-3.1-405B")}
SYSTEMS = {
    "8 H100": chip("H100").system(8, dollars_per_hour=2),
    "72 GB200": chip("GB200").system(72, dollars_per_hour=4),
}
M, S = Model.symbolic(), System.symbolic()
B, L = variables("batch context")
COMPUTE, MEMORY = roofline.compute_time(B, M, S), roofline.memory_time(B, L, M, S)
STEP = roofline.step_time(B, L, M, S)


def latency(**changes):
    given = {
        "title": [
            (COMPUTE > MEMORY, "At {batch} the arithmetic sets the pace: {step_time}"),
            "At {batch} the memory sets the pace: {step_time}",
        ],
        "controls": [
            Preset("Model", MODELS, M),
            Preset("Chips", SYSTEMS, S, default="72 GB200"),
            Slider(B, "Batch size", 1, 1e5, 256, unit="sequences", log=True),
            Slider(L, "Context", 1e3, 1e6, 8e3, unit="tokens", log=True, zero=True),
        ],
        "chart": Lines(
            x=B, y=("Step time", "s"), log="xy",
            curves=[
                Curve("step", STEP, "bound", width=3),
                Curve("arithmetic", COMPUTE, "compute"),
                Curve("weights", roofline.weight_time(M, S), "weights"),
                Curve("KV cache", roofline.kv_time(B, L, M, S), "kv", when=L > 5000),
                Curve("memory", MEMORY, "network"),
            ],
            points=[Point("you", B, STEP)],
            guides=[Guide("balance {balance}", x=roofline.balance_batch(M, S))],
        ),
        "readouts": [
            Readout("Step time", STEP, "s", low=STEP / 2, high=2 * STEP, link="#there"),
            Readout("Cost", batching.cost_per_token(B, L, M, S), "$/token"),
            Readout("Balance", roofline.balance_batch(M, S), "sequences"),
            Readout("Utilisation", roofline.compute_utilisation(B, L, M, S), "%"),
            Words("binds", (COMPUTE > MEMORY, "arithmetic"), "memory", label="What binds"),
        ],
        "messages": [
            (roofline.resident_bytes(B, L, M) > S.capacity, "{batch} do not fit on {Chips}."),
        ],
        "compare": True,
        "alt": "Step time against batch size; at {batch} it is {step_time} on {Chips}.",
    }  # fmt: skip
    return Explorer("latency", **(given | changes))


def kinds():
    """One figure with every kind of chart and control, tables included."""
    rounds, overlap = variables("rounds overlap", nonnegative=True)
    stages, width = variables("stages width")
    row, column = variables("row column", nonnegative=True)
    model_, system = MODELS["gpt-oss-120b"], SYSTEMS["8 H100"]
    compute, memory = (
        roofline.compute_time(B, model_, system),
        roofline.memory_time(B, L, model_, system),
    )
    table = [[(r + 1) * (c + 2) / 100 for c in range(9)] for r in range(7)]
    changed, slots = Function("changed"), Function("slots")
    # whole numbers travel as characters, the zeros at the end of a row left out
    counts = [[(r * c) % 80 if c < 10 else 0 for c in range(14)] for r in range(5)]
    shared = variables("shared")
    bars = [
        Bar("arithmetic", compute, "compute"),
        Bar("memory", memory, "weights", when=memory > 1e-3),
    ]
    busy = Piecewise((1, (column >= row) & (column < row + 6)), (0, True))
    return Explorer(
        "kinds",
        title="{rounds} rounds, {stages} stages, {Precision}",
        controls=[
            Slider(B, "Batch size", 1, 1e4, 100, unit="sequences", log=True, integer=True),
            Slider(L, "Context", 1e3, 1e6, 1e4, unit="tokens", log=True),
            Slider(rounds, "Rounds", 0, 6, 2, integer=True),
            Slider(stages, "Stages", 1, 8, 4, integer=True),
            Choice(width, "Precision", {"fp8": 1, "bf16": 2}, default="bf16"),
            Toggle(overlap, "Overlap", True),
        ],
        chart=[
            Regions(B, L, [Region("arithmetic", compute, "compute"), Region("memory", memory, "kv")],
                    points=[Point("you", B, L)], title="What binds"),
            Bars(("Time", "s"), bars, log=True, guides=[Guide("20 ms", x=0.02)]),
            Bars(("Time", "s"), bars, stacked=True),
            Lines(x=("Speed", "token/s"), sweep=B, y=("Cost", "$/token"), log="xy",
                  curves=[Curve("frontier", compute / B * 1e-3, "money", x=1 / shared)],
                  points=[Point("a tenth", 1 / shared, compute / B * 1e-3, at=B / 10, when=B > 20)],
                  dots=[Dots("measured", [(10, 1e-9), (20, 2e-9)]), Dots("", [(15, 1e-9, "one")])]),
            Lines(x=L, y=("Time", "s"), curves=[
                Curve("stairs", 1e-3 * floor(L / 1e5), "network", step=True),
                Curve("band", 2e-8 * L, "kv", fill_to=1e-8 * L)]),
            Grid(changed(rounds, column) * Piecewise((1, Eq(row, 0)), (0.5, True)), 3, 9),
            Grid(busy, stages, stages + 5, kind=("weights", "network"), which=column - row,
                 text=column - row + 1, x=("Slot", ""), y=("Stage", "")),
        ],
        readouts=[
            Readout("Step time", overlap * compute + (1 - overlap) * (compute + memory), "s"),
            Readout("Weights", MODELS["gpt-oss-120b"].n_total * width, "B"),
            Readout("Changed", changed(rounds, stages), "%"),
            Readout("Slots", slots(stages, rounds * 3)),
            Readout("Shared", shared, "s"),
        ],
        tables={"changed": table, "slots": counts},
        lets={shared: compute + memory},
        alt="Seven small charts at {batch} and {rounds} rounds.",
    )  # fmt: skip


# ---- declarations -------------------------------------------------------------------------------


def test_the_spec_holds_everything_a_page_needs():
    figure = latency()
    spec = figure.spec
    json.dumps(spec)
    assert (
        spec["values"]["batch"] == 256
        and spec["values"]["n_active"] == MODELS["DeepSeek-V3"].n_active
    )
    # only what some expression uses travels: no layer count, no network rate
    assert not {"layers", "scale_out", "chips"} & set(spec["values"])
    assert spec["controls"][1]["first"] == "72 GB200"
    compute = spec["charts"][0]["curves"][1]["y"]
    assert compute == {"js": "2*batch*n_active/flops", "over": "batch"}
    assert spec["charts"][0]["x"] == {
        "name": "Batch size (sequences)", "unit": "1", "log": True, "range": [1, 1e5],
    }  # fmt: skip
    spec = kinds().spec
    json.dumps(spec)
    assert spec["tables"]["slots"][1] == "()*+,-./01(" and spec["lets"][0][0] == "shared"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"controls": [Preset("Model", MODELS, M, default="DeepSeek-V2")]}, "Did you mean 'DeepSeek-V3'"),
        ({"controls": [Slider(B, "Batch size", 1, 100, 256), Slider(L, "Context", 1, 9, 5),
                       Preset("Model", MODELS, M), Preset("Chips", SYSTEMS, S)]}, "starts at 256, outside"),
        ({"controls": [Slider(B, "Batch size", 1, 1000, 256), Preset("Model", MODELS, M),
                       Preset("Chips", SYSTEMS, S)]}, "depends on 'context'"),
        ({"readouts": []}, "nothing is called {step_time}"),
        ({"readouts": [Readout("Step time", STEP, "s"), Readout("Cost", STEP, "s", key="step_time")]}, "share a key"),
        ({"messages": [(Function("fits")(B) > 0, "no")]}, "table 'fits'"),
        ({"id": "Not an id"}, "id 'Not an id'"),
        ({"chart": "a pie"}, "is no chart"),
        ({"chart": Bars(("Time", "s"), [Bar("compute", COMPUTE, "computer")])}, "Did you mean 'compute'"),
        ({"chart": Lines(x=variables("other"), y=("", ""), curves=[])}, "other has no slider"),
        ({"chart": Lines(x=("Speed", ""), sweep=B, y=("", ""), curves=[Curve("c", STEP)])}, "needs its own x="),
    ],
)  # fmt: skip
def test_mistakes_are_named(changes, words):
    id = changes.pop("id", "latency")
    with pytest.raises(InputError, match=re.escape(words)):
        figure = latency(**changes)
        Explorer(id, title="", controls=[], chart=[], alt="", readouts=[Readout("x", 1)])
        figure.close()


def test_a_dead_control_is_refused():
    extra = Slider(variables("unused"), "Unused", 1, 2, 1)
    controls = [*_controls(), extra]
    with pytest.raises(InputError, match="'Unused' is dead"):
        latency(controls=controls)
    with pytest.raises(InputError, match="'Width' is dead"):
        latency(controls=[*_controls(), Choice(variables("w"), "Width", {"a": 1, "b": 2})])


def _controls():
    return [
        Preset("Model", MODELS, M),
        Preset("Chips", SYSTEMS, S),
        Slider(B, "Batch size", 1, 1e5, 256, unit="sequences", log=True),
        Slider(L, "Context", 1e3, 1e6, 8e3, unit="tokens", log=True),
    ]


def test_a_missing_fact_is_refused_or_skipped():
    unpriced = {"priced": SYSTEMS["8 H100"], "not": System(1e15, 1e12, capacity=1e12)}
    controls = _controls()
    controls[1] = Preset("Chips", unpriced, S)
    with pytest.raises(InputError, match="'not': dollars_per_second is not known"):
        latency(controls=controls)
    controls[1] = Preset("Chips", unpriced, S, skip_unknown=True)
    assert list(latency(controls=controls).spec["controls"][1]["options"]) == ["priced"]


def test_presets_of_two_nouns_and_of_plain_values():
    both = {"small": (MODELS["gpt-oss-120b"], SYSTEMS["8 H100"])}
    plain = {"one user": {B: 1, "context": 2000}}
    sliders = [Slider(B, "Batch size", 1, 1e5, unit="sequences"), Slider(L, "Context", 0, 1e6)]
    figure = latency(
        controls=[Preset("Setup", both, (M, S)), Preset("Load", plain), *sliders],
        messages=[], alt="{Setup} {Load}",
    )  # fmt: skip
    assert figure.values["batch"] == 1 and figure.values["context"] == 2000
    assert figure.text("{Setup}, {Load}") == "small, one user"
    figure.set(batch=2)
    assert figure.text("{Load}") == "custom"


def test_values_are_observable_and_guarded():
    figure, seen = latency(), []
    figure.observe(lambda change: seen.append(change["new"]["batch"]), "values")
    figure.set(batch=512, Model="gpt-oss-120b")
    assert seen == [512]
    expected = roofline.step_time(512, 8e3, MODELS["gpt-oss-120b"], SYSTEMS["72 GB200"])
    assert math.isclose(figure.readouts()["step_time"], expected, rel_tol=1e-12)
    figure.values = {"batch": 7}  # the rest goes back to where it began
    assert figure.values["n_active"] == MODELS["DeepSeek-V3"].n_active
    for wrong, words in [({"batchs": 1}, "Did you mean 'batch'"), ({"batch": math.nan}, "finite")]:
        with pytest.raises(InputError, match=words):
            figure.values = wrong
    with pytest.raises(InputError, match="no option"):
        figure.set(Model="GPT-5")
    assert figure.values["batch"] == 7


def test_what_a_notebook_shows():
    figure = latency()
    data, _ = figure._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert data["text/plain"].startswith("Step time against batch size; at 256 sequences it is ")
    page = data["text/html"]
    assert "<svg" in page and 'role="img"' in page and "256 sequences" in page
    assert figure._esm.endswith("export default { render: memwallExplorer.render };")
    # no text of an author can end the script element
    assert "</script><b>" not in latency(alt="</script><b>{batch}").html().split("<script")[1]


def test_light_enough():
    # as served, without comments; test_reader.py weighs it together with what answers back
    script, style = (
        (LIBRARY / "views" / "explorer" / name).read_text("utf-8")
        for name in ("explorer.js", "explorer.css")
    )
    assert len(rjsmin.jsmin(script).encode()) < 40_000
    assert len(rcssmin.cssmin(style).encode()) < 12_000
    assert len(latency().html().encode()) < 40_000


# ---- in the browser -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    """A page with two live figures and an ordinary heading, as a book would make it."""
    folder = tmp_path_factory.mktemp("page")
    for name in ("explorer.js", "explorer.css"):
        (folder / name).write_bytes((LIBRARY / "views" / "explorer" / name).read_bytes())
    dark = "html[data-theme=dark] { background: #14181e; color: #ced6dd; --pst-color-background: #14181e }"
    (folder / "page.html").write_text(
        "<!doctype html><html lang=en><meta charset=utf-8><title>Live figures</title>"
        '<meta name=viewport content="width=device-width, initial-scale=1">'
        '<link rel=stylesheet href=explorer.css><script src=explorer.js defer></script>'
        f"<style>body {{ margin: 16px; font-family: sans-serif }} {dark}</style>"
        f"<body><h2 id=there>There</h2>{latency().html()}{kinds().html()}</body></html>",
        encoding="utf-8",
    )  # fmt: skip
    return folder / "page.html"


@pytest.fixture
def visit(browser, page_file):
    """Opens the page offline; fails afterwards if it asked for anything or complained."""
    contexts, complaints = [], []

    def go(hash="", **options):
        context = browser.new_context(offline=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda e: complaints.append(str(e)))
        page.on("console", lambda m: complaints.append(m.text))
        page.on(
            "request",
            lambda r: r.url.startswith("file:") or complaints.append(f"asked for {r.url}"),
        )
        page.goto(page_file.as_uri() + hash)
        return page

    yield go
    for context in contexts:
        context.close()
    assert complaints == []


def figure_of(page, id="latency"):
    return page.locator(f"#explorer-{id}")


def settle(page):
    page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )


def test_numbers_read_like_pythons(visit):
    """The script's human() and units.human() agree, ties and odd sizes included."""
    rng = random.Random(1)
    numbers = [0.0, 0.5, 1.5, 2.5, 0.125, 1.125, 2.675, 999.4, 999.5, 1000, 999_499, 1.5e18,
               *(10.0**k for k in range(-18, 19)), *(0.9995 * 10.0**k for k in range(-12, 19)),
               *(rng.choice([1, -1]) * 10 ** rng.uniform(-13, 18) for _ in range(400)),
               *(rng.randint(0, 4000) / rng.choice([2, 4, 8, 16, 80, 128]) for _ in range(400)),
               math.inf, -math.inf, math.nan]  # fmt: skip
    units = ["1", "sequences", "token/s", "s", "%", "x", "$", "$/s", "$/token", "$/B", "B", "B/s",
             "B/token", "FLOP", "FLOP/s"]  # fmt: skip
    pairs = [[repr(float(x)), unit] for x in numbers for unit in units]
    read = "(x) => x.endsWith('inf') ? x.replace('inf', 'Infinity') : x"
    shown = visit().evaluate(
        f"(pairs) => pairs.map(([x, unit]) => memwallExplorer.human(Number(({read})(x)), unit))",
        pairs,
    )
    different = [
        (x, unit, human(float(x), unit), js)
        for (x, unit), js in zip(pairs, shown, strict=True)
        if js != human(float(x), unit)
    ]
    assert different == []


@pytest.mark.parametrize(("name", "make"), [("latency", latency), ("kinds", kinds)])
def test_the_page_computes_what_python_computes(visit, name, make):
    """60 random positions of every control: all readouts agree to 1e-9."""
    python, page, rng = make(), visit(), random.Random(name)
    for _ in range(60):
        wanted = {}
        for control in python.spec["controls"]:
            if control["kind"] == "List":
                wanted[control["label"]] = rng.choice(list(control["options"]))
            elif control["kind"] == "Toggle":
                wanted[control["name"]] = rng.choice([0, 1])
            else:
                low, high = control["low"], control["high"]
                value = low * (high / low) ** rng.random() if low else rng.uniform(low, high)
                wanted[control["name"]] = round(value) if control.get("integer") else value
        python.set(**wanted)
        shown = figure_of(page, name).evaluate(
            """(root, wanted) => {
                for (const name in wanted) root.memwall.set(name, wanted[name]);
                return root.memwall.readouts();
            }""",
            wanted,
        )
        assert shown.keys() == python.readouts().keys()
        for key, value in python.readouts().items():
            if isinstance(value, str):
                assert shown[key] == value
            else:
                assert math.isclose(shown[key], value, rel_tol=1e-9, abs_tol=0), (key, wanted)


def test_the_library_itself_agrees_with_the_page(visit):
    """Not through SymPy: the formula called with numbers against the page's readout."""
    page = visit()
    for batch, context in [(1, 0), (640, 8000), (90_000, 1e6)]:
        shown = figure_of(page).evaluate(
            "(root, v) => (root.memwall.set('batch', v[0]), root.memwall.set('context', v[1]), root.memwall.readouts())",
            [batch, context],
        )
        there = MODELS["DeepSeek-V3"], SYSTEMS["72 GB200"]
        assert math.isclose(
            shown["step_time"], roofline.step_time(batch, context, *there), rel_tol=1e-9
        )
        assert math.isclose(
            shown["cost"], batching.cost_per_token(batch, context, *there), rel_tol=1e-9
        )


def test_title_readouts_and_text_alternative_follow(visit):
    page, python = visit(), latency()
    figure = figure_of(page)
    python.set(batch=20_000, Chips="8 H100")
    figure.evaluate("(r) => (r.memwall.set('batch', 20000), r.memwall.set('Chips', '8 H100'))")
    settle(page)
    assert figure.locator(".mw-title").inner_text() == python.text(latency_title())
    page.wait_for_timeout(500)  # for those who hear it, a figure speaks once the hand rests
    alt = figure.locator("svg[role=img]").first.get_attribute("aria-label")
    assert alt == python._repr_mimebundle_()[0]["text/plain"]
    assert "20,000 sequences do not fit on 8 H100." in figure.locator(".mw-message").inner_text()
    assert human(python.readouts()["cost"], "$/token") in figure.locator("dl").inner_text()


def latency_title():
    return [
        (COMPUTE > MEMORY, "At {batch} the arithmetic sets the pace: {step_time}"),
        "At {batch} the memory sets the pace: {step_time}",
    ]


def test_the_keyboard_moves_a_slider(visit):
    page = visit()
    slider = figure_of(page).get_by_role("slider", name="Batch size")
    slider.focus()
    page.keyboard.press("ArrowRight")
    settle(page)
    # the next round number above 256 on a scale of 26 a decade
    assert slider.get_attribute("aria-valuetext") == "280 sequences"
    page.keyboard.press("Home")
    settle(page)
    assert figure_of(page).evaluate("r => r.memwall.values.batch") == 1
    assert "1 sequences" in figure_of(page).locator(".mw-title").inner_text()


def test_an_exact_value_can_be_typed_and_nonsense_is_explained(visit):
    page = visit()
    figure = figure_of(page)
    box = figure.get_by_label("Batch size, exact value")

    def type_in(text):
        box.fill(text)
        box.press("Enter")
        settle(page)
        return figure.evaluate("r => r.memwall.values.batch"), figure.locator(".mw-error").first.inner_text()  # fmt: skip

    assert type_in("2,048") == (2048, "")
    assert type_in("12k") == (12_000, "")
    assert type_in("1.5e3 sequences") == (1500, "")
    for wrong in ("many", "0", "-3", "1e9", "", "nan", "1e999"):
        value, trouble = type_in(wrong)
        assert value == 1500 and trouble, wrong
    assert box.get_attribute("aria-invalid") == "true"
    assert type_in("7") == (7, "") and box.get_attribute("aria-invalid") == "false"


@pytest.mark.parametrize(
    ("typed", "unit", "shown", "value"),
    [
        ("30", "s", 0.02, 0.03), ("1.5 min", "s", 1, 90), ("10us", "s", 1, 1e-5),
        ("3.35 TB/s", "B/s", 1e9, 3.35e12), ("4", "B/s", 3e12, 4e12), ("80 GB", "B", 1, 8e10),
        ("$0.5", "$/token", 1e-6, 5e-7), ("$3 / h", "$/s", 1, 3 / 3600), ("20%", "%", 1, 0.2),
        ("671 billion", "parameters", 1, 671e9), ("2M tokens", "tokens", 1, 2e6), ("five", "s", 1, None),
    ],
)  # fmt: skip
def test_typed_units_are_understood(visit, typed, unit, shown, value):
    parsed = visit().evaluate("(a) => memwallExplorer.parse(...a)", [typed, unit, shown])
    assert (math.isnan(parsed) if value is None else math.isclose(parsed, value, rel_tol=1e-12))  # fmt: skip


def test_a_preset_reads_custom_once_its_variable_moves(visit, browser, tmp_path):
    figure = latency(
        controls=[
            Preset("Load", {"one": {B: 1, L: 1000}, "many": {B: 512, L: 8000}}),
            Preset("Model", MODELS, M), Preset("Chips", SYSTEMS, S),
            Slider(B, "Batch size", 1, 1e5, unit="sequences", log=True),
            Slider(L, "Context", 1e3, 1e6, unit="tokens", log=True),
        ]
    )  # fmt: skip
    script = (LIBRARY / "views" / "explorer" / "explorer.js").read_text(encoding="utf-8")
    (tmp_path / "p.html").write_text(f"<meta charset=utf-8>{figure.html()}<script>{script}</script>", encoding="utf-8")  # fmt: skip
    page = browser.new_page()
    page.goto((tmp_path / "p.html").as_uri())
    load = page.get_by_label("Load")
    load.select_option("many")
    settle(page)
    assert figure_of(page).evaluate("r => r.memwall.values.batch") == 512
    page.get_by_role("slider", name="Batch size").press("ArrowRight")
    settle(page)
    assert load.evaluate("e => e.selectedOptions[0].text") == "custom"
    page.get_by_role("button", name="Reset").click()
    settle(page)
    assert load.input_value() == "one"
    page.close()


def test_the_state_travels_in_the_link(visit):
    page = visit("#latency?batch=512&Model=gpt-oss-120b")
    values = figure_of(page).evaluate("r => r.memwall.values")
    assert values["batch"] == 512 and values["n_total"] == MODELS["gpt-oss-120b"].n_total
    assert figure_of(page, "kinds").evaluate("r => r.memwall.values.batch") == 100
    figure_of(page, "kinds").evaluate("r => r.memwall.set('rounds', 5)")
    page.wait_for_function("location.hash.includes('kinds?')")
    assert page.evaluate("location.hash") == "#latency?Model=gpt-oss-120b&batch=512;kinds?rounds=5"
    # the link opens the same state; nonsense in a link is ignored
    again = visit(page.evaluate("location.hash") + "&batch=-4&nothing=1&overlap=x")
    assert figure_of(again).evaluate("r => r.memwall.values") == values
    assert figure_of(again, "kinds").evaluate("r => [r.memwall.values.rounds, r.memwall.values.batch]") == [5, 100]  # fmt: skip
    figure_of(again).get_by_role("button", name="Reset").click()
    figure_of(again, "kinds").get_by_role("button", name="Reset").click()
    again.wait_for_function("location.hash === ''")


def test_an_ordinary_anchor_keeps_working(visit):
    page = visit("#there")
    page.wait_for_timeout(600)
    assert page.evaluate("location.hash") == "#there"


def test_copy_link_and_compare(visit):
    page = visit()
    figure = figure_of(page)
    figure.evaluate("r => r.memwall.set('batch', 64)")
    figure.get_by_role("button", name="Keep this as A").click()
    figure.evaluate("r => r.memwall.set('batch', 4096)")
    settle(page)
    rows = {row[0]: row[1:] for row in figure.locator("table").evaluate(
        "t => [...t.rows].map((r) => [...r.cells].map((c) => c.textContent))")}  # fmt: skip
    assert rows["Batch size"] == ["64 sequences", "4,096 sequences"]
    assert rows[""] == ["A", "now"] and len(rows["Step time"]) == 2
    figure.get_by_role("button", name="Copy link").click()
    page.wait_for_function("location.hash.includes('~A')")
    assert page.evaluate("location.hash") == "#latency?batch=4096;latency~A?batch=64"
    again = visit(page.evaluate("location.hash"))
    settle(again)
    assert again.locator(".mw-curve.mw-ghost").count() == 5


def test_dragging_in_the_chart_moves_the_swept_variable(visit):
    page = visit()
    svg = figure_of(page).locator("svg").first
    box = svg.bounding_box()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.up()
    assert figure_of(page).evaluate("r => r.memwall.values.batch") > 1000


def test_every_chart_is_drawn(visit):
    page = visit()
    figure = figure_of(page, "kinds")
    assert figure.locator("svg[role=img]").count() == 7
    drawn = figure.evaluate(
        """r => [...r.querySelectorAll('svg')].map((svg) => ({
            bad: [...svg.querySelectorAll('*')].some((n) => [...n.attributes].some((a) => /NaN|undefined|Infinity/.test(a.value))),
            text: [...svg.querySelectorAll('text')].map((t) => t.textContent).join(' '),
            paths: svg.querySelectorAll('path').length }))"""
    )
    assert not any(d["bad"] for d in drawn)
    assert all(d["paths"] >= 2 for d in drawn)
    assert "memory" in drawn[0]["text"] and "you" in drawn[0]["text"]
    assert "20 ms" in drawn[1]["text"]
    assert "measured" in drawn[3]["text"] and "one" in drawn[3]["text"]
    assert "a tenth" in drawn[3]["text"]
    figure.evaluate("r => r.memwall.set('batch', 10)")
    settle(page)
    assert "a tenth" not in figure.locator("svg").nth(3).text_content()
    # the timetable has as many rows as the slider says
    page.evaluate("() => document.querySelector('#explorer-kinds').memwall.set('stages', 2)")
    settle(page)
    numbers = figure.locator("svg").nth(6).locator(".mw-number")
    shown = numbers.evaluate_all("all => all.filter((t) => t.textContent).map((t) => t.getNumberOfChars())")  # fmt: skip
    assert shown == [6, 6]


def test_without_javascript_a_still_stands_there(visit):
    page = visit(java_script_enabled=False)
    still = figure_of(page).locator(".mw-still")
    assert still.is_visible() and still.locator("svg").first.is_visible()
    assert "needs JavaScript" in still.inner_text() and "256 sequences" in still.inner_text()
    assert page.locator("input, button").count() == 0


def test_with_javascript_the_still_is_gone_and_all_controls_have_names(visit):
    page = visit()
    assert page.locator(".mw-still").count() == 0
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('input, select, button')].filter((e) =>
            !e.labels?.length && !e.getAttribute('aria-label') && !e.textContent).length"""
    )
    assert nameless == 0
    assert page.evaluate("() => new Set([...document.querySelectorAll('[id]')].map((e) => e.id)).size"
                         " === document.querySelectorAll('[id]').length")  # fmt: skip


def test_a_phone_needs_no_sideways_scrolling(visit):
    page = visit(viewport={"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    sizes = page.evaluate(
        """() => [...document.querySelectorAll('.mw-live text, .mw-live dt, .mw-live dd, .mw-live label, .mw-live button')]
            .filter((e) => e.getClientRects().length).map((e) => parseFloat(getComputedStyle(e).fontSize)
                * (e.ownerSVGElement ? e.ownerSVGElement.getScreenCTM().a : 1))"""
    )
    assert min(sizes) >= 11.9


CONTRAST = """() => {
    const paint = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const rgb = (color) => {
        paint.fillStyle = '#000'; paint.clearRect(0, 0, 1, 1); paint.fillStyle = color; paint.fillRect(0, 0, 1, 1);
        return [...paint.getImageData(0, 0, 1, 1).data];
    };
    const light = ([r, g, b]) => [r, g, b].map((x) => x / 255)
        .map((x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4))
        .reduce((sum, x, i) => sum + x * [0.2126, 0.7152, 0.0722][i], 0);
    const page = rgb(getComputedStyle(document.documentElement).backgroundColor);
    const back = page[3] ? page : [255, 255, 255, 255];
    const ratios = {};
    const note = (kind, color) => {
        const [r, g, b, a] = rgb(color), mixed = [r, g, b].map((x, i) => (x * a + back[i] * (255 - a)) / 255);
        const [high, low] = [light(mixed), light(back)].sort((x, y) => y - x);
        ratios[kind] = Math.min(ratios[kind] ?? 99, (high + 0.05) / (low + 0.05));
    };
    for (const t of document.querySelectorAll('.mw-chart-Lines text.mw-label, .mw-chart-Bars text, text.mw-tick'))
        note('text', getComputedStyle(t).fill);
    for (const t of document.querySelectorAll('.mw-live dt, .mw-live dd, .mw-live button, .mw-live label')) note('text', getComputedStyle(t).color);
    for (const t of document.querySelectorAll('.mw-curve')) note('curve', getComputedStyle(t).stroke);
    return ratios;
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_can_be_read(visit, theme):
    page = visit(color_scheme=theme)
    page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
    settle(page)
    ratios = page.evaluate(CONTRAST)
    assert ratios["text"] >= 4.5, ratios
    # amber on white is pale by itself; every curve also has its dash and its name in darker text
    assert ratios["curve"] >= (2.0 if theme == "light" else 3.0), ratios


def test_it_prints_without_controls(visit):
    page = visit()
    page.emulate_media(media="print")
    assert figure_of(page).locator("svg").first.is_visible()
    assert not figure_of(page).locator(".mw-controls").is_visible()


def test_in_jupyter_values_go_both_ways(visit, browser):
    """The anywidget entry point, with a model that records what it is told."""
    page = visit()
    result = page.evaluate(
        """async () => {
            const spec = JSON.parse(document.querySelector('#explorer-latency > script').textContent);
            const state = { spec, values: { ...spec.values, batch: 99 } }, heard = {};
            const model = { get: (k) => state[k], set: (k, v) => { state[k] = v; }, save_changes: () => { state.saved = true; },
                on: (event, act) => { heard[event] = act; } };
            const el = document.body.appendChild(document.createElement('div'));
            const stop = memwallExplorer.render({ model, el });
            const figure = el.querySelector('.mw-explorer').memwall;
            const begins = figure.values.batch;
            figure.set('batch', 1234);
            const told = [state.values.batch, state.saved];
            state.values = { ...state.values, batch: 77 };
            heard['change:values']();
            const buttons = [...el.querySelectorAll('button')].map((b) => b.textContent);
            stop();
            return { begins, told, moved: figure.values.batch, buttons };
        }"""
    )
    assert result == {"begins": 99, "told": [1234, True], "moved": 77, "buttons": ["Reset", "Keep this as A"]}  # fmt: skip
