"""The page's reader of configurations says what Python's says, about every one we know."""

import json
import subprocess
from importlib import resources
from pathlib import Path

import pytest

from memwall import InputError, from_config

HERE = Path(__file__).parent
CHECKPOINTS = json.loads((HERE / "checkpoints.json").read_text())
BROKEN = {
    "no type": {}, "unknown type": {"model_type": "lllama"}, "missing": {"num_hidden_layers": None},
    "negative": {"hidden_size": -64}, "text": {"vocab_size": "many"}, "absurd": {"num_hidden_layers": 10**7},
    "fraction": {"num_attention_heads": 7}, "unknown key": {"num_experts": 8}, "zero": {"num_attention_heads": 0},
    "bad block": {"quantization_config": {"quant_method": "gptqq"}}, "bad dtype": {"torch_dtype": "float7"},
    "bad list": {"quantization_config": {"quant_method": "fp8", "ignore": "lm_head"}},
}  # fmt: skip
LLAMA = {
    "model_type": "llama", "num_hidden_layers": 4, "hidden_size": 64, "num_attention_heads": 8,
    "num_key_value_heads": 2, "intermediate_size": 128, "vocab_size": 1000, "torch_dtype": "bfloat16",
}  # fmt: skip
BLOCKS = {
    "awq": {"quant_method": "awq", "bits": 4, "group_size": 128},
    "bnb": {"quant_method": "bitsandbytes", "load_in_4bit": True},
    "mlx": {"bits": 4, "group_size": 64},
    "mixed": {"quant_method": "modelopt", "quant_algo": "MIXED_PRECISION",
              "quantized_layers": {"model.layers.1.mlp.up_proj": {"quant_algo": "NVFP4"}}},
    "quark": {"quant_method": "quark", "exclude": ["re:.*self_attn.*"],
              "global_quant_config": {"weight": {"dtype": "fp4", "group_size": 32}, "input_tensors": {"dtype": "fp4"}}},
    "some": {"quant_method": "fp8", "ignored_layers": ["model.layers.0.self_attn.o_proj", "layers.*.mlp*"]},
}  # fmt: skip


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """What the page's reader says of every configuration: a checkpoint, or why not."""
    from playwright._impl._driver import compute_driver_executable

    configs = {row["name"]: row["config"] for row in CHECKPOINTS}
    configs |= {name: {**LLAMA, **changes} for name, changes in BROKEN.items() if name != "no type"}
    configs |= {"no type": {"hidden_size": 64}}
    configs |= {name: {**LLAMA, "quantization_config": block} for name, block in BLOCKS.items()}
    reader = resources.files("memwall.views.explorer") / "config.js"
    table = resources.files("memwall.core") / "data" / "families.json"
    program = tmp_path_factory.mktemp("page") / "read.js"
    program.write_text(
        f"{reader.read_text(encoding='utf-8')}\n"
        f"const tables = {table.read_text(encoding='utf-8')}, configs = {json.dumps(configs)}, out = {{}};\n"
        "for (const [name, config] of Object.entries(configs)) {\n"
        "  try { out[name] = memwallConfig.read(config, tables, { name }); }\n"
        "  catch (error) { if (!(error instanceof memwallConfig.ConfigError)) throw error; out[name] = error.message; }\n"
        "}\n"
        "console.log(JSON.stringify(out, (k, v) => (v === Infinity ? 'Infinity' : v)));\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [compute_driver_executable()[0], program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return configs, json.loads(done.stdout)


KNOWN = [row["name"] for row in CHECKPOINTS] + list(BLOCKS)


@pytest.mark.parametrize("name", KNOWN)
def test_the_page_reads_the_same(name, page):
    configs, says = page
    ours, theirs = from_config(configs[name], name=name), says[name]
    assert not isinstance(theirs, str), theirs
    assert list(ours.notes) == theirs["notes"]
    assert ours.layers == theirs["layers"]
    assert (ours.experts, ours.experts_active) == (theirs["experts"], theirs["experts_active"])
    assert ours.routed_layers == theirs["routed_layers"]
    assert len(ours.groups) == len(theirs["groups"])
    for group, same in zip(ours.groups, theirs["groups"], strict=True):
        for field, value in same.items():
            assert getattr(group, field) == (value if field == "kind" else float(value)), field
    found = {(p.kind, p.arithmetic): p for p in ours.parts}
    assert len(found) == len(theirs["parts"])
    for same in theirs["parts"]:
        part = found[same["kind"], same["arithmetic"]]
        for field in ("parameters", "active", "bytes_per_param"):
            assert getattr(part, field) == pytest.approx(same[field], rel=1e-12)


@pytest.mark.parametrize("name", BROKEN)
def test_the_page_refuses_the_same(name, page):
    configs, says = page
    with pytest.raises(InputError) as error:
        from_config(configs[name])
    assert isinstance(says[name], str)
    # the same fault in the same words, quotation marks and suggestions apart
    plain = [text.replace("'", "").replace('"', "")[:18] for text in (str(error.value), says[name])]
    assert plain[0] == plain[1]
