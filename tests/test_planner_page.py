"""The planner's page in a browser: the question answered by keyboard, hand and paste; nothing jumps."""

import json
import random
import re
from pathlib import Path

import pytest

import memwall
from memwall import planner
from memwall import planner_page as page

CONFIG = {
    "model_type": "llama", "num_hidden_layers": 32, "hidden_size": 4096, "num_attention_heads": 32,
    "num_key_value_heads": 8, "intermediate_size": 14336, "vocab_size": 128256, "torch_dtype": "bfloat16",
}  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A page as a notebook shows it, its files beside it, opened from the file system."""
    folder = tmp_path_factory.mktemp("planner")
    files = {"explorer.js": page.source("views/explorer/explorer.js"), **page.scripts()}
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    loaded = "".join(f'<script src="{n}"></script>' for n in files if n.endswith(".js"))
    (folder / "index.html").write_text(
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<title>Planner</title><link rel="stylesheet" href="planner.css"><main><h1>Planner</h1>{page.PlannerPage().html()}</main>{loaded}',
        "utf-8",
    )
    return (folder / "index.html").as_uri()


@pytest.fixture()
def visit(browser, site):
    contexts = []

    def open_page(hash="", **given):
        context = browser.new_context(
            **{"viewport": {"width": 1280, "height": 800}, "offline": True, **given}
        )
        contexts.append(context)
        tab = context.new_page()
        tab.wrong = []
        tab.on("pageerror", lambda error: tab.wrong.append(str(error)))
        tab.on("console", lambda m: m.type == "error" and tab.wrong.append(m.text))
        tab.goto(site + hash)
        return tab

    yield open_page
    for context in contexts:
        assert not [w for tab in context.pages for w in getattr(tab, "wrong", [])]
        context.close()


def sentence(tab):
    return tab.locator(".mw-sentence").inner_text()


def settle(tab):
    tab.wait_for_timeout(250)


def test_the_first_answer_is_python_s(visit):
    tab = visit()
    best = planner.alternatives(page.MODEL, chips=page.CHIPS, **page.PRESETS["Chat"])[0]
    assert sentence(tab).startswith(f"{best.chips} {best.chip}")
    shown = tab.evaluate("document.querySelector('#planner').memwall.last[0].dollars")
    assert shown == pytest.approx(best.dollars_per_second, rel=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_random_questions_by_link_are_python_s(visit, seed):
    draw = random.Random(seed)
    model = draw.choice(["DeepSeek-V3", "Qwen3-32B", "gpt-oss-120b", "Llama-3.1-8B"])
    asked = {"rate": draw.choice([0.5, 3, 40]), "prompt": draw.randint(100, 20_000), "output": draw.randint(50, 2000),
             "cached": draw.choice([0, 0.5]), "first_token": draw.choice([1, 5]), "token_rate": draw.choice([10, 40])}  # fmt: skip
    link = "&".join(f"{k}={v}" for k, v in {"model": model, "use": "", **asked}.items())
    tab = visit(f"#plan?{link}")
    best = planner.alternatives(model, chips=page.CHIPS, **asked)[0]
    found = tab.evaluate(
        "(({ chip, fails, dollars, chips, work, result }) => ({ chip, fails, dollars, chips }))(document.querySelector('#planner').memwall.last[0])"
    )
    assert (found["fails"], found["chips"]) == (best.fails, best.chips)
    if not best.fails:
        assert found["dollars"] == pytest.approx(best.dollars_per_second, rel=1e-9)


def test_by_keyboard_alone(visit):
    tab = visit()
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.value") == "Chat"  # first of the content
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.id") == "mw-plan-model"
    tab.keyboard.type("DeepSeek-V3")
    tab.keyboard.press("Tab")
    before = sentence(tab)
    assert "Llama" not in tab.locator("#mw-plan-model").input_value()
    tab.keyboard.type("5")
    tab.keyboard.press("Enter")
    settle(tab)
    assert sentence(tab) != before
    tab.locator(".mw-options button").nth(1).focus()
    tab.keyboard.press("Enter")
    assert tab.locator(".mw-detail h2").inner_text() in tab.locator(".mw-options").inner_text().replace("\t", " ") or tab.locator(".mw-open").count() == 1  # fmt: skip
    assert tab.locator(".mw-options [aria-expanded=true]").count() == 1
    assert tab.evaluate("document.activeElement.getAttribute('aria-expanded')") == "true"


def test_a_number_is_typed_with_its_unit_or_moved_by_arrows(visit):
    tab = visit()
    box, state = tab.locator("#mw-plan-traffic"), "document.querySelector('#planner').memwall.state"
    for typed, wanted in (("300 users", (0, 300)), ("2k users", (0, 2000)), ("5 req/s", (5, 0)), ("0.5/s", (0.5, 0)), ("7", (7, 0))):  # fmt: skip
        box.fill(typed)
        box.press("Enter")
        assert tuple(tab.evaluate(f"[{state}.rate, {state}.users]")) == wanted, typed
    for name, first, moved in (("users", "1 user", 2), ("prompt", "2", 3), ("cached", "0 %", 0.05)):
        box = tab.locator(f"#mw-plan-{'traffic' if name == 'users' else name}")
        box.fill(first)
        box.press("Enter")
        box.press("ArrowUp")
        assert tab.evaluate(f"{state}.{name}") == moved
        box.press("ArrowDown")
        box.press("ArrowDown")  # and no further than the least
        assert tab.evaluate(f"{state}.{name}") == {"users": 1, "prompt": 1, "cached": 0}[name]
    settle(tab)


def test_seven_controls_stand_before_the_folds(visit):
    """A number, its unit and its slider are one; the cases to start from are above them all."""
    tab = visit()
    fields = tab.locator(".mw-ask input[type=text]:not(details *)")
    assert fields.count() == 7
    assert tab.locator(".mw-ask :is(input, select, button):not(details *)").count() == 7 + 6 + 1


def test_chips_are_found_by_name(visit):
    tab = visit()
    tab.locator(".mw-chips summary").focus()
    for key in ("Enter", "Tab"):
        tab.keyboard.press(key)
    tab.keyboard.type("h20, rtx 3090")
    assert tab.locator(".mw-list label:visible").count() < 6
    tab.keyboard.press("Enter")
    assert set(tab.evaluate("document.querySelector('#planner').memwall.state.chips")) == {"H20", "RTX 3090"}  # fmt: skip
    tab.keyboard.press("Escape")
    assert tab.evaluate("document.activeElement.tagName") == "SUMMARY"
    assert not tab.locator(".mw-list").is_visible()
    tab.locator(".mw-options .mw-ask-rent").first.click()  # beside a price that is not known
    assert tab.evaluate("document.activeElement.getAttribute('aria-label')").startswith("Rent of H20")  # fmt: skip


@pytest.mark.parametrize("width", [1280, 390])
def test_no_answer_is_cut(visit, width):
    tab = visit(viewport={"width": width, "height": 844})
    cut = tab.evaluate(
        """() => { const plan = document.querySelector('#planner').memwall, long = [];
        for (const model of ['Llama-3.3-70B', 'DeepSeek-V3', 'Llama-3.1-405B'])
            for (const chips of [['B200'], ['A100 80GB'], ['H100', 'H200'], ['Apple M3 Ultra'], ['DGX Spark']])
                for (const rate of [0.2, 20, 900]) for (const users of [0, 400]) {
                    plan.set({ model, chips, rate: users ? 0 : rate, users });
                    for (const e of [plan.sentence, plan.why]) if (e.scrollHeight > e.clientHeight + 1) long.push(e.textContent);
                }
        return long; }"""
    )
    assert cut == []


def test_a_plan_prints_on_one_page(visit):
    tab = visit("#plan?chips=H100,H200,B200,A100 80GB,MI300X,L4")
    tab.evaluate("window.print = () => 0; document.querySelector('#planner').memwall.print()")
    assert tab.pdf(format="Letter").count(b"/Type /Page\n") == 1


def test_widths_that_a_chip_lacks_are_said(visit):
    tab = visit("#plan?model=DeepSeek-V3&chips=A100 80GB&token_rate=5")
    assert "no 8-bit arithmetic" in tab.locator(".mw-detail").inner_text()
    assert "no 8-bit" not in visit("#plan?model=DeepSeek-V3&chips=H200").locator(".mw-detail").inner_text()  # fmt: skip


def test_a_width_in_a_link_may_have_any_of_its_names(visit):
    tab = visit("#plan?model=Llama-3.1-70B&weights=AWQ&chips=H100")
    assert tab.locator("#mw-plan-weights").input_value() == "gptq"


def test_guesses_are_counted(visit):
    tab = visit("#plan?model=DeepSeek-V3&chips=H200&engine=drafts:3,acceptance:0.8")
    asked = page.PRESETS["Chat"] | {"chips": ["H200"], "drafts": 3, "acceptance": 0.8}
    best = planner.alternatives("DeepSeek-V3", **asked)[0]
    assert sentence(tab).startswith(f"{best.chips} H200")
    tab.locator(".mw-paste summary").click()
    tab.locator("#mw-plan-paste").fill(
        """vllm serve deepseek-ai/DeepSeek-V3 -tp 8 --speculative-config '{"num_speculative_tokens": 2}'"""
    )
    assert tab.evaluate("document.querySelector('#planner').memwall.state.engine.drafts") == 2


def test_what_is_served_says_what_was_written():
    """The minifier takes the inside of a template within a template for code, and drops its spaces."""
    nested = re.compile(r"`[^`]*\$\{[^`}]*`")
    library = Path(memwall.__file__).parent
    written = {path.name: path.read_text("utf-8") for path in library.rglob("*.js")}
    assert len(written) > 4
    for name, text in written.items():
        assert not [line for line in text.splitlines() if nested.search(line)], name


def test_every_control_has_a_name_and_every_id_is_one(visit):
    tab = visit()
    nameless = tab.evaluate(
        "[...document.querySelectorAll('input, select, button, textarea')].filter((e) => !e.labels?.length && !e.getAttribute('aria-label') && !e.textContent).map((e) => e.outerHTML)"
    )
    assert nameless == []
    assert tab.evaluate("new Set([...document.querySelectorAll('[id]')].map((e) => e.id)).size === document.querySelectorAll('[id]').length")  # fmt: skip


def test_what_cannot_run_has_no_price_no_speed_and_no_point(visit):
    tab = visit("#plan?model=DeepSeek-V3&chips=L4,H200")
    row = tab.locator(".mw-fails").first
    assert "$" not in row.inner_text() and "/s" not in row.locator("td").inner_text()
    row.locator("button").click()
    assert tab.locator(".mw-detail svg").count() == 0 and "$" not in tab.locator(".mw-detail").inner_text()  # fmt: skip
    none = visit("#plan?model=DeepSeek-V3&chips=L4")
    assert sentence(none).startswith("None of these")
    assert none.locator(".mw-three dd:not(.mw-small)").all_inner_texts() == ["—"] * 3


def test_an_unknown_rent_asks_for_yours_and_a_typed_one_stays(visit):
    tab = visit("#plan?chips=H20")
    assert "enter yours" in sentence(tab)
    tab.locator(".mw-chips summary").click()
    box = tab.get_by_label("Rent of H20, dollars an hour")
    assert box.get_attribute("placeholder") == "enter yours"
    box.fill("1.5")
    box.press("Enter")
    assert "$" in sentence(tab)
    tab.locator(".mw-list").get_by_label("B200", exact=False).first.check()
    tab.locator(".mw-list").get_by_label("H20 ", exact=False).first.uncheck()
    tab.locator(".mw-list").get_by_label("H20 ", exact=False).first.check()
    assert box.input_value() == "1.5"
    settle(tab)
    tab.wait_for_timeout(500)
    again = visit(tab.evaluate("location.hash"))
    assert again.evaluate("document.querySelector('#planner').memwall.state.rents.H20") == 1.5
    assert sentence(again) == sentence(tab)


def test_a_configuration_is_read_from_the_model_s_box(visit):
    tab = visit()
    tab.evaluate(
        """(text) => { const box = document.querySelector('#mw-plan-model'), data = new DataTransfer();
        data.setData('text', text); box.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, cancelable: true })); }""",
        json.dumps(CONFIG, indent=1),
    )
    settle(tab)
    best = planner.alternatives(CONFIG, chips=page.CHIPS, **page.PRESETS["Chat"])[0]
    assert sentence(tab).startswith(f"{best.chips} {best.chip}")
    tab.wait_for_timeout(500)
    assert sentence(visit(tab.evaluate("location.hash"))) == sentence(tab)


GARBAGE = ["{", "{}", '{"model_type": "llama"}', '{"model_type": 7, "a": null}', "[1]", "vllm serve", "vllm serve -tp -pp",
           "vllm serve x -tp 7 --made-up 3 --gpu-memory-utilization nine", "sglang.launch_server --tp 8 --dp 3", "out of memory",
           "KV cache size: tokens", "<script>alert(1)</script>", "💥" * 50, json.dumps({**CONFIG, "num_hidden_layers": -1})]  # fmt: skip


def test_garbage_is_refused_in_words(visit):
    tab = visit()
    draw = random.Random(3)
    for text in [*GARBAGE, *("".join(map(chr, (draw.randint(32, 400) for _ in range(80)))) for _ in range(20))]:  # fmt: skip
        tab.evaluate("(text) => document.querySelector('#planner').memwall.read(text)", text)
        assert "NaN" not in tab.locator(".mw-answer, .mw-top").inner_text()
        assert tab.evaluate("document.querySelector('.mw-read').textContent.length") > 10
    assert tab.locator("script:not([src])").count() == 0
    links = ["#plan?rate=-1", "#plan?rate=NaN&prompt=x", "#plan?chips=&cached=9", "#plan?config=%7B", "#plan?%%%", "#plan?engine=tp:0", "#plan?tp=3&weights=no"]  # fmt: skip
    for link in links:
        assert sentence(visit(link))


def test_a_command_line_is_read_and_explained(visit):
    tab = visit("#plan?chips=H100")
    tab.locator(".mw-paste summary").click()
    tab.locator("#mw-plan-paste").fill(
        "vllm serve meta-llama/Llama-3.3-70B-Instruct --tensor-parallel-size 4 --max-num-seqs=64 \\\n"
        " --gpu-memory-utilization 0.95 --kv-cache-dtype fp8 --frobnicate 3"
    )
    said = tab.locator(".mw-read").inner_text()
    assert "4 chips: tp 4" in said and "--frobnicate" in said and "not known here" in said
    state = tab.evaluate("document.querySelector('#planner').memwall.state")
    assert state["engine"] == {"tp": 4, "dp": 1, "ep": 1, "pp": 1, "memory_share": 0.95, "sequences": 64}  # fmt: skip
    assert (state["model"], state["cache"]) == ("Llama-3.3-70B", "fp8")
    assert tab.locator(".mw-options tbody tr").count() == 1
    tab.locator("#mw-plan-paste").fill(
        "vllm serve Qwen/Qwen3-32B\n  -tp 2\nINFO Available KV cache memory: 8.11 GiB\n"
    )
    said = tab.locator(".mw-read").inner_text()
    assert "2 chips: tp 2" in said and "the log says 8.11 GiB" in said


def test_a_log_is_held_against_the_arithmetic(visit):
    tab = visit("#plan?chips=H100&model=Llama-3.1-8B")
    tab.locator(".mw-paste summary").click()
    tab.locator("#mw-plan-paste").fill(
        "The model's max seq len (131072) is larger than the maximum number of tokens that can be stored in KV cache (45000)."
    )
    said = tab.locator(".mw-read").inner_text()
    assert "131,072" in said and "45,000" in said and "what would help" in said and "fp8" in said


def places(tab):
    return tab.evaluate(
        "[...document.querySelectorAll('.mw-ask > *, .mw-three, .mw-options, .mw-detail')].map((e) => { const b = e.getBoundingClientRect(); return [e.className, Math.round(b.top), Math.round(b.left)]; })"
    )


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_moves_while_a_hand_drags(visit, width):
    tab = visit(viewport={"width": width, "height": 844})
    before = places(tab)
    said = set()
    for name in ("traffic", "prompt", "output", "cached", "first_token", "token_rate"):
        for share in (100, 350, 600, 900):
            tab.locator(f"#mw-plan-{name} ~ input[type=range], div:has(> #mw-plan-{name}) input[type=range], div:has(> span > #mw-plan-{name}) input[type=range]").first.evaluate(
                "(e, x) => { e.value = x; e.dispatchEvent(new Event('input', { bubbles: true })); }", share
            )  # fmt: skip
            tab.wait_for_timeout(40)
            said.add(sentence(tab))
            assert places(tab) == before, (name, share)
        settle(tab)
        assert places(tab) == before
    assert len(said) > 5


def test_on_a_phone_the_answer_stays_in_sight(visit):
    tab = visit(viewport={"width": 390, "height": 844})
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    tab.locator("#mw-plan-token_rate").scroll_into_view_if_needed()
    tab.evaluate("window.scrollTo(0, 500)")
    top = tab.locator(".mw-top").bounding_box()
    assert 0 <= top["y"] < 5 and top["height"] < 844 * 0.3
    assert tab.locator(".mw-three").is_visible()


def test_on_a_desk_the_common_case_needs_no_scrolling(visit):
    tab = visit()
    asked = tab.locator(".mw-paste").bounding_box()
    table = tab.locator(".mw-actions").bounding_box()
    assert asked["y"] + asked["height"] < 800 and table["y"] + table["height"] < 800
    assert tab.locator(".mw-block").nth(1).bounding_box()["y"] < 700
    assert tab.evaluate("document.documentElement.scrollWidth") <= 1280


def test_two_plans_side_by_side_and_a_table_to_take_away(visit):
    tab = visit()
    tab.get_by_role("button", name="Keep as A").click()
    tab.get_by_role("radio", name="Coding agent").check(force=True)
    kept, now = tab.locator(".mw-versus tbody tr").nth(1).locator("td").all_inner_texts()
    assert kept != now and now == sentence(tab)
    rows = tab.evaluate("document.querySelector('#planner').memwall.csvText()").strip().split("\n")
    found = tab.evaluate("document.querySelector('#planner').memwall.last.length")
    assert len(rows) == found + 1 and rows[0].startswith("chip,chips,replicas,tp")


def test_a_link_carries_both_plans(visit):
    """Plan A is kept, the question changed, the link sent: whoever opens it sees what was seen."""
    tab = visit("#plan?rate=3&rents=H200:2.5")
    settle(tab)
    tab.get_by_role("button", name="Keep as A").click()
    tab.locator("#mw-plan-prompt").fill("6000")
    tab.keyboard.press("Tab")
    tab.get_by_role("button", name="Copy link").click()
    settle(tab)
    told = tab.locator(".mw-versus").inner_text()
    again = visit(tab.evaluate("location.hash"))
    settle(again)
    assert again.locator(".mw-versus").inner_text() == told
    assert sentence(again) == sentence(tab)
    assert again.locator("#mw-plan-prompt").input_value() == "6,000"
    again.get_by_role("button", name="Drop A").click()
    assert "A=" not in again.evaluate("location.hash")
    assert again.locator(".mw-versus").inner_text() == ""
    # an A that is no plan is read as far as it goes, as any link is
    broken = visit("#plan?rate=3&A=%E0%A4%A")
    assert sentence(broken) == sentence(visit("#plan?rate=3"))


def test_without_scripts_three_answers_stand_there(visit):
    tab = visit(java_script_enabled=False)
    still = tab.locator(".mw-plan-still")
    assert still.is_visible() and still.locator("tbody tr").count() == 3
    assert tab.locator("input").count() == 0


def test_in_jupyter_the_page_is_a_widget(visit):
    """The anywidget's entry point, which its module exports."""
    assert page.PlannerPage()._esm.endswith("export default { render: memwallPlanner.render };")
    tab = visit()
    said = tab.evaluate(
        """() => { const el = document.body.appendChild(document.createElement('div'));
        document.querySelector('#planner').remove();
        const stop = memwallPlanner.render({ el }), text = el.querySelector('.mw-sentence').textContent;
        stop(); return [text, el.children.length]; }"""
    )
    assert "B200" in said[0] and said[1] == 0
