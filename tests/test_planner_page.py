"""The planner's page in a browser: the question answered by keyboard, hand and paste; nothing jumps."""

import json
import random

import pytest

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
    assert tab.evaluate("document.activeElement.id") == "mw-plan-model"  # first of the content
    tab.keyboard.type("DeepSeek-V3")
    tab.keyboard.press("Tab")
    before = sentence(tab)
    assert "Llama" not in tab.locator("#mw-plan-model").input_value()
    tab.keyboard.press("Tab")
    tab.keyboard.type("5")
    tab.keyboard.press("Enter")
    settle(tab)
    assert sentence(tab) != before
    tab.locator(".mw-options button").nth(1).focus()
    tab.keyboard.press("Enter")
    assert tab.locator(".mw-detail h3").inner_text() in tab.locator(".mw-options").inner_text().replace("\t", " ") or tab.locator(".mw-open").count() == 1  # fmt: skip
    assert tab.locator(".mw-options [aria-expanded=true]").count() == 1
    assert tab.evaluate("document.activeElement.getAttribute('aria-expanded')") == "true"


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
    tab.locator("#mw-plan-use").select_option("Coding agent")
    kept, now = tab.locator(".mw-versus tbody tr").nth(1).locator("td").all_inner_texts()
    assert kept != now and now == sentence(tab)
    rows = tab.evaluate("document.querySelector('#planner').memwall.csvText()").strip().split("\n")
    found = tab.evaluate("document.querySelector('#planner').memwall.last.length")
    assert len(rows) == found + 1 and rows[0].startswith("chip,chips,replicas,tp")


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
