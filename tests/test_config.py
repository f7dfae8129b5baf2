"""Configurations: what released models are known to weigh and keep, and what is refused."""

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memwall import InputError, from_config, layers
from memwall.catalog import rules
from memwall.catalog.config import family, model_types, tables
from memwall.config import COLUMNS, main

CHECKPOINTS = json.loads((Path(__file__).parent / "checkpoints.json").read_text())
BY_NAME = {row["name"]: row for row in CHECKPOINTS}
LLAMA = {
    "model_type": "llama", "num_hidden_layers": 4, "hidden_size": 64, "num_attention_heads": 8,
    "num_key_value_heads": 2, "intermediate_size": 128, "vocab_size": 1000,
    "max_position_embeddings": 4096, "torch_dtype": "bfloat16",
}  # fmt: skip
MIXTRAL = {**LLAMA, "model_type": "mixtral", "num_local_experts": 8, "num_experts_per_tok": 2}


def read(name, **changes):
    return from_config({**BY_NAME[name]["config"], **changes}, name=name)


def total(formula, context, checkpoint):
    return sum(float(formula(context, group)) for group in checkpoint.groups)


# --- released models, each with the address its published numbers come from


@pytest.mark.parametrize("row", CHECKPOINTS, ids=lambda row: row["name"])
def test_published_totals(row):
    """Totals within 2 %, active within 5 %; which of the vendors' counts is meant is said."""
    assert row["url"].startswith("https://")
    c = from_config(row["config"], name=row["name"])
    ours = {
        "total": c.n_total,
        "total_text": c.n_total - c.parameters("vision"),
        "total_stored": c.parameters(),
        "active": c.n_active,
        "active_embeddings": c.n_active_with_embeddings,
        "bytes": c.weight_bytes,
        "cache": total(layers.held_bytes, 64, c) / 64,  # no window binds at 64 tokens
        "cache_growing": sum(float(layers.held_bytes(64, g)) / 64 for g in c.groups if g.entry),
    }
    compared = set(ours) & set(row)
    assert compared
    for what in compared:
        within = 0.05 if what.startswith("active") else 0.02 if what != "cache" else 1e-9
        assert ours[what] == pytest.approx(row[what], rel=within), what


def test_exact_where_the_release_is_exact():
    """Files of which every byte is known: the sum over tensors is theirs to the last parameter."""
    for name in ("meta-llama/Meta-Llama-3.1-70B", "openai/gpt-oss-120b", "google/gemma-3-4b",
                 "ai21labs/AI21-Jamba-1.5-Mini", "deepseek-ai/DeepSeek-V2-Lite", "zai-org/GLM-4.6"):  # fmt: skip
        row, c = BY_NAME[name], read(name)
        stated = row.get("total", row.get("total_stored"))
        ours = c.n_total if "total" in row else c.parameters()
        assert ours == pytest.approx(stated, rel=1e-4)
    for name in ("openai/gpt-oss-120b", "openai/gpt-oss-20b", "meta-llama/Meta-Llama-3.1-8B"):
        assert round(read(name).weight_bytes) == BY_NAME[name]["bytes"]


def test_kinds_of_layers():
    kinds = {
        "openai/gpt-oss-120b": {"window": 18, "full": 18},
        "google/gemma-3-27b": {"window": 52, "full": 10},
        "Qwen/Qwen3-Next-80B-A3B": {"gated delta": 36, "full": 12},
        "moonshotai/Kimi-Linear-48B-A3B": {"KDA": 20, "MLA": 7},
        "ai21labs/AI21-Jamba-1.5-Mini": {"Mamba": 28, "full": 4},
        "nvidia/Nemotron-H-56B-Base-8K": {"Mamba-2": 54, "none": 54, "full": 10},
        "MiniMaxAI/MiniMax-Text-01": {"lightning": 70, "full": 10},
        "MiniMaxAI/MiniMax-M3": {"full": 3, "chosen": 57},
        "deepseek-ai/DeepSeek-V4-Pro": {"window": 61, "compressed": 31, "compressed, chosen": 30},
        "zai-org/GLM-5.2": {"MLA, chosen": 21, "MLA, shared index": 57},
        "meta-llama/Llama-4-Scout-17B-16E-Instruct": {"chunk": 36, "full": 12},
        "nvidia/Llama-3_3-Nemotron-Super-49B-v1": {"full": 49, "none": 31},
        "tiiuae/Falcon-H1-7B": {"full": 44, "Mamba-2": 44},
        "meituan-longcat/LongCat-Flash-Chat": {"MLA": 56},
    }
    for name, expected in kinds.items():
        assert {g.kind: g.layers for g in read(name).groups} == expected, name


def test_deepseek_v4_against_v32():
    """DeepSeek's own comparison at a million tokens: 27 % of V3.2's FLOP a token, a tenth of its cache."""
    new, old = read("deepseek-ai/DeepSeek-V4-Pro"), read("deepseek-ai/DeepSeek-V3.2")
    flop = [2 * c.n_active + total(layers.attention_flop, 1e6, c) for c in (new, old)]
    held = [total(layers.held_bytes, 1e6, c.stored("8")) for c in (new, old)]
    assert flop[0] / flop[1] == pytest.approx(0.27, abs=0.02)
    assert held[0] / held[1] == pytest.approx(0.10, abs=0.02)


def test_deepseek_v3_attention_is_heavy():
    """At 4,989 tokens attention costs 84.8 GFLOP a token beside 74 of weights (FlashMLA's counts)."""
    flop = total(layers.attention_flop, 4989, read("deepseek-ai/DeepSeek-V3"))
    assert flop == pytest.approx(84.8e9, rel=1e-3)


def test_mixed_widths_of_a_cache():
    """8-bit caches of chosen latents keep 656 bytes an entry, of compressed ones 584, as in vLLM."""
    v32, v4 = (read(f"deepseek-ai/DeepSeek-{v}") for v in ("V3.2", "V4-Pro"))
    assert v32.stored("8").groups[0].entry * v32.stored("8").groups[0].bytes_per_element == 656
    assert {g.entry * g.bytes_per_element for g in v4.stored("fp8").groups} == {584}
    v3 = read("deepseek-ai/DeepSeek-V3")
    assert total(layers.held_bytes, 100, v3.stored("8")) == 100 * 61 * 576


def test_blackboard():
    c = read("deepseek-ai/DeepSeek-V3.2")
    m = c.at(100_000)
    assert m.kv_bytes_per_token * 100_000 == pytest.approx(total(layers.read_bytes, 100_000, c))
    assert m.n_total == pytest.approx(c.n_total)
    assert m.n_active == c.n_active
    assert (m.experts, m.experts_active, m.layers) == (256, 8, 61)
    assert m.attention_width == 128 * 1088
    dense = read("Qwen/Qwen3-32B").at(1000, cache="8")
    assert dense.kv_bytes_per_token == 131072
    assert (dense.experts, dense.experts_active) == (1, 1)


# --- widths of stored weights


def width(kind, **config):
    parts = from_config({**MIXTRAL, **config}).of(kind)
    assert len(parts) == 1
    return parts[0].bytes_per_param, parts[0].arithmetic


def group(bits, kind, size, activations=None, **more):
    weights = {"num_bits": bits, "type": kind, "group_size": size, "symmetric": True, **more}
    return {"weights": weights, "input_activations": activations, "targets": ["Linear"]}


def compressed(ignore=(), **groups):
    return {"quant_method": "compressed-tensors", "config_groups": groups, "ignore": list(ignore)}


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ({"quant_method": "fp8", "weight_block_size": [128, 128]}, (1 + 4 / 16384, "fp8")),
        ({"quant_method": "fp8"}, (1.0, "fp8")),
        ({"quant_method": "modelopt", "quant_algo": "NVFP4"}, (0.5625, "fp4")),
        ({"quant_method": "modelopt", "quant_algo": "FP8"}, (1.0, "fp8")),
        ({"quantization": {"quant_algo": "NVFP4", "exclude_modules": ["lm_head"]}}, (0.5625, "fp4")),
        ({"quant_method": "mxfp4"}, (0.53125, "bf16")),
        ({"quant_method": "awq", "bits": 4, "group_size": 128}, (0.5 + 20 / 1024, "bf16")),
        ({"quant_method": "gptq", "bits": 8, "group_size": -1}, (1.0, "bf16")),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, (0.5625, "bf16")),
        ({"quant_method": "bitsandbytes", "load_in_8bit": True}, (1.0, "int8")),
        ({"bits": 4, "group_size": 64}, (0.5625, "bf16")),
        (compressed(a=group(4, "int", 32)), (0.5625, "bf16")),
        (compressed(a=group(4, "int", 128, symmetric=False)), (0.5 + 20 / 1024, "bf16")),
        (compressed(a=group(4, "float", 16, {"num_bits": 4, "type": "float"})), (0.5625, "fp4")),
        (compressed(a=group(8, "float", None, {"num_bits": 8, "type": "float"})), (1.0, "fp8")),
        (compressed(a=group(8, "int", None, {"num_bits": 8, "type": "int"})), (1.0, "int8")),
    ],
)  # fmt: skip
def test_widths(block, expected):
    assert width("routed", quantization_config=block) == expected
    assert width("router", quantization_config=block) == (2.0, "bf16")
    embedding = 0.5625 if "bits" in block and "quant_method" not in block else 2.0
    assert width("embedding", quantization_config=block)[0] == embedding


@pytest.mark.parametrize(
    ("pattern", "attention_stays"),
    [
        ("re:.*self_attn.*", True),
        ("model.layers.*.self_attn", True),
        ("model.layers.*.self_attn*", True),
        ("model.language_model.layers.*.self_attn*", True),
        ("self_attn", True),
        ("self_attn.gate", False),
        ("model.layers.9.self_attn*", False),
        ("lm_head", False),
    ],
)
def test_modules_left_alone(pattern, attention_stays):
    block = {"quant_method": "fp8", "modules_to_not_convert": [pattern]}
    assert width("attention", quantization_config=block)[0] == (2.0 if attention_stays else 1.0)
    assert width("routed", quantization_config=block)[0] == 1.0


def test_some_layers_left_alone():
    block = {"quant_method": "fp8", "ignored_layers": ["model.layers.0.self_attn.o_proj"]}
    parts = {
        p.arithmetic: p
        for p in from_config({**LLAMA, "quantization_config": block}).of("attention")
    }
    assert parts["bf16"].parameters == 64 * 64
    assert parts["fp8"].parameters == 4 * (2 * 64 * 64 + 2 * 64 * 16) - 64 * 64


def test_a_group_for_experts_goes_before_the_one_for_all():
    experts = {**group(4, "int", 32), "targets": ["re:.*mlp.experts.*"]}
    block = compressed(a=group(8, "int", None), b=experts)
    assert width("routed", quantization_config=block)[0] == 0.5625
    assert width("attention", quantization_config=block)[0] == 1.0


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"quant_method": "gptqq"}, "quant_method 'gptqq' has no rule. Did you mean 'gptq'"),
        ({"quant_method": "modelopt", "quant_algo": "NVFP5"}, "Did you mean"),
        ("fp8", "not a block of keys"),
        ({"quant_method": "fp8", "ignore": "lm_head"}, "not a list"),
        ({"quant_method": "awq", "bits": -4}, "bits = -4"),
        (compressed(["re:("], a=group(4, "int", 32)), "no regular expression"),
        (compressed(), "config_groups"),
    ],
)
def test_blocks_refused(block, message):
    with pytest.raises(InputError, match=message.replace("(", r"\(")):
        from_config({**LLAMA, "quantization_config": block})


def test_a_promise_in_the_name_is_said(tmp_path):
    path = tmp_path / "Tiny-FP8" / "config.json"
    path.parent.mkdir()
    path.write_text(json.dumps(LLAMA))
    c = from_config(path)
    assert c.of("dense")[0].bytes_per_param == 1.0
    assert any("quantisation block" in note for note in c.notes)
    beside = {"quantization": {"quant_algo": "NVFP4", "exclude_modules": ["lm_head"]}}
    (path.parent / "hf_quant_config.json").write_text(json.dumps(beside))
    c = from_config(path)
    assert c.of("dense")[0].bytes_per_param == 0.5625
    assert not c.notes


# --- what is refused, and how


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "lllama"}, "model_type 'lllama' has no rules. Did you mean 'llama'"),
        ({"model_type": None}, "model_type is missing"),
        ({"model_type": ["llama"]}, "has no rules"),
        ({"num_hidden_layers": None}, "num_hidden_layers is missing"),
        ({"num_hidden_layers": -4}, "num_hidden_layers = -4 is negative"),
        ({"num_hidden_layers": 0}, "num_hidden_layers.* = 0 is out of range"),
        ({"num_hidden_layers": 10**9}, "num_hidden_layers.* out of range"),
        ({"num_hidden_layers": "32"}, "num_hidden_layers.* = '32' is out of range"),
        ({"num_hidden_layers": True}, "num_hidden_layers.* = True is out of range"),
        ({"num_hidden_layers": 2.5}, "num_hidden_layers.* = 2.5 is out of range"),
        ({"hidden_size": 10**30}, "hidden_size is absurdly large"),
        ({"hidden_size": float("nan")}, "hidden_size"),
        ({"hidden_size": [64]}, "hidden_size"),
        ({"hidden_size": {"a": 1}}, "hidden_size"),
        ({"num_attention_heads": 7}, "head_dim.* out of range"),
        ({"num_attention_heads": 0}, "out of range|zero"),
        ({"num_key_value_heads": 16}, "16 key-value heads for 8 query heads"),
        ({"intermediate_size": None}, "intermediate_size is missing"),
        ({"vocab_size": None}, "vocab_size is missing"),
        ({"num_experts": 8}, "'num_experts' = 8 has no rule for llama"),
        ({"sliding_window": 128}, "'sliding_window' = 128 has no rule for llama"),
        ({"engram_layers": [1, 2]}, "'engram_layers'"),
        ({"torch_dtype": "float7"}, "dtype 'float7' has no rule"),
    ],
)
def test_values_refused(changes, message):
    with pytest.raises(InputError, match=message):
        from_config({**LLAMA, **changes})


def test_values_inside_refused():
    config = BY_NAME["moonshotai/Kimi-Linear-48B-A3B"]["config"]
    for head_dim, message in ((-128, "head_dim = -128 is negative"), (10**30, "head_dim is absurdly large"), (10**9, "absurd number")):  # fmt: skip
        inner = {**config["linear_attn_config"], "head_dim": head_dim}
        with pytest.raises(InputError, match=message):
            from_config({**config, "linear_attn_config": inner})


def test_other_values_refused():
    with pytest.raises(InputError, match="9 experts are chosen of 8"):
        from_config({**MIXTRAL, "num_experts_per_tok": 9})
    sliding = {**LLAMA, "model_type": "gemma3_text", "layer_types": ["sliding_attention"] * 3, "sliding_window": 8}  # fmt: skip
    with pytest.raises(InputError, match="layer_types has 3 entries for 4 layers"):
        from_config(sliding)
    with pytest.raises(InputError, match="layer 0 is 'warp'"):
        read("Qwen/Qwen3.5-27B", text_config={**BY_NAME["Qwen/Qwen3.5-27B"]["config"]["text_config"], "layer_types": ["warp"] * 64})  # fmt: skip
    with pytest.raises(InputError, match="cache 'fp12'"):
        from_config(LLAMA, cache="fp12")


def test_files_refused(tmp_path):
    deep = "[" * 100_000 + "]" * 100_000
    files = {
        "text": ("hello", "not JSON"), "list": ("[1, 2]", "holds a list"), "number": ("3", "holds a int"),
        "empty": ("", "not JSON"), "deep": (deep, "nested|not JSON"),
        "nested": ('{"a":' * 200 + "1" + "}" * 200, "nested more than"), "binary": (b"\xff\xfe\x00", "not JSON"),
    }  # fmt: skip
    for name, (content, message) in files.items():
        path = tmp_path / f"{name}.json"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(InputError, match=message):
            from_config(path)
    with pytest.raises(InputError, match="cannot be read"):
        from_config(tmp_path / "nowhere.json")
    huge = tmp_path / "huge.json"
    huge.write_bytes(b" " * (33 * 2**20))
    with pytest.raises(InputError, match="no configuration is that large"):
        from_config(huge)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@given(st.sampled_from(CHECKPOINTS), st.data())
def test_whatever_a_key_holds_is_read_or_refused(row, data):
    """No value of any key brings anything but a checkpoint of finite size or an InputError."""
    config = dict(row["config"])
    inner = config.get("text_config", config)
    key = data.draw(st.sampled_from(sorted(inner)))
    changed = {**inner, key: data.draw(json_values)}
    config = {**config, "text_config": changed} if "text_config" in config else changed
    try:
        c = from_config(config)
    except InputError as error:
        assert str(error)
    else:
        assert 0 < c.n_active <= c.n_total < 1e18


# --- the language of the table


def run(text, **keys):
    return rules.evaluate(rules.parse(text), lambda name: keys.get(name, rules.Missing(name)))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7), ("(1 + 2) * 3", 9), ("7 // 2 % 2", 1), ("6 / 3", 2), ("7 / 2", 3.5), ("2 - 3 - 4", -5),
        ("a ?? 3", 3), ("b ?? 3", 5), ("a ?? c ?? 4", 4), ("1 if b > 4 else 2", 1), ("1 if a else 2", 2),
        ("not b == 5", False), ("b == 5 and b != 6", True), ("a or b", 5), ("x == 'y'", True), ("x == 3", False),
        ("count(l, 2)", 2), ("count(l)", 4), ("count(x, 'y')", 1), ("count(a, 1)", 0), ("count(t, 30)", 1),
        ("repeat(l, 5)", 2), ("l[1]", 2), ("l[9] ?? 0", 0), ("o.p", 8), ("o.q ?? 1", 1), ("o.p.r ?? 2", 2),
        ("1 < infinite", True), ("-2 + 3", 1), ("true and false", False),
    ],
)  # fmt: skip
def test_the_six_words(text, value):
    assert run(text, b=5, x="y", l=[1, 2, 2, 3], o={"p": 8}, t="3,30,31") == value


@pytest.mark.parametrize("text", ["1 +", "(1", "a b", "a ?", "count(", "1 if 2", "a.", "'x", "a[1"])
def test_a_rule_that_is_none(text):
    with pytest.raises(InputError):
        rules.parse(text)


def test_arithmetic_names_what_is_missing():
    with pytest.raises(InputError, match="hidden_size is missing"):
        run("2 * hidden_size")
    with pytest.raises(InputError, match="where a number is needed"):
        run("x + 1", x="y")
    with pytest.raises(InputError, match="zero"):
        run("1 // z", z=0)


def test_the_table_is_whole():
    """Every rule parses, every kind and family named exists, every model_type has one reader."""
    table = tables()
    for name in table["families"]:
        own = family(name)
        for rule in own["let"].values():
            rules.parse(rule) if isinstance(rule, str) else None
        for which in ("mixers", "feeds"):
            for specs in own[which].values():
                for spec in specs if isinstance(specs, list) else [specs]:
                    assert spec["kind"] in table[which]
    stated = [m for own in table["families"].values() for m in own.get("models", ())]
    assert len(stated) == len(set(stated))
    assert not set(stated) & set(table["families"])
    assert len(model_types()) > 100


# --- the command


def test_command(tmp_path, capsys):
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps(LLAMA))
    bad.write_text("[]")
    assert main([str(good), str(bad), "--context", "100", "--cache", "8", "--format", "csv"]) == 1
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert tuple(rows[0]) == COLUMNS
    assert rows[0]["error"] == ""
    assert int(rows[0]["held_bytes"]) == int(rows[0]["read_bytes"]) == 100 * 4 * 2 * 2 * 8
    assert int(rows[0]["attention_flop"]) == 100 * 4 * 2 * 8 * 16
    assert int(rows[0]["n_total"]) == 2 * 64_000 + 4 * (2 * 4096 + 2 * 1024 + 3 * 8192 + 128) + 64
    assert "list" in rows[1]["error"]
    assert rows[1]["n_total"] == ""
    assert main([str(good)]) == 0
    assert "multiply a token" in capsys.readouterr().out
    assert main([str(good), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["error"] == ""
    with pytest.raises(SystemExit):
        main([str(good), "--context", "0"])
