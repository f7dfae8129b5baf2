"""The catalog's checkpoints: each against what was published of it, and stored in other widths."""

import itertools
import json
import re
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memwall import InputError, catalog, checkpoint, checkpoints, from_config, layers
from memwall.catalog.names import named
from memwall.core import widths
from memwall.core.checkpoint import MATRICES, PARTS
from memwall.views.released import COLUMNS, checkpoint_rows

ROWS = {row["name"]: row for row in catalog.table("checkpoints")}
CONFIGS = json.loads((resources.files("memwall.core") / "data" / "configs.json").read_text())
PUBLISHED = [
    (name, column)
    for name, column in itertools.product(
        ROWS, ("total_b", "active_b", "checkpoint_gb", "cache_kib_per_token")
    )
    if ROWS[name][column]
]
COUNTABLE = {"embedding", "head", "vision", "predictor"}


def counted(model, counts):
    """Parameters without the parts that vendors count or not, and with those that this one does."""
    return model.parameters(*set(PARTS) - COUNTABLE) + model.parameters(*counts) * bool(counts)


def computed(name, column):
    row, model = ROWS[name], checkpoint(name)
    if column == "total_b":
        return counted(model, row["total_counts"].split()) / 1e9
    if column == "active_b":
        counts = row["active_counts"].split()
        without = model.n_active_without_head
        return (without + (model.parameters(*counts) if counts else 0)) / 1e9
    if column == "checkpoint_gb":
        return model.weight_bytes / 1e9
    # as it is published: every layer kept in full, and no index keys
    kept = sum(g.layers * g.entry * g.bytes_per_element / g.stretch for g in model.groups)
    return kept / 1024


@pytest.mark.parametrize(("name", "column"), PUBLISHED)
def test_published(name, column):
    stated, ours = ROWS[name][column], float(computed(name, column))
    if column == "cache_kib_per_token":
        digits = len(stated.partition(".")[2])
        assert round(ours, digits) == float(stated)
    else:
        within = {"total_b": 0.02, "active_b": 0.05, "checkpoint_gb": 0.015}[column]
        assert ours == pytest.approx(float(stated), rel=within)


def test_every_row():
    assert len(checkpoints()) == len(ROWS) >= 100
    for name, row in ROWS.items():
        model = checkpoint(name)
        assert model.name == name
        assert model.n_total > 0 and model.weight_bytes > 0
        assert 0 < model.n_active <= model.n_total
        assert set(row["total_counts"].split() + row["active_counts"].split()) <= COUNTABLE
        assert bool(row["total_counts"]) <= bool(row["total_b"])
        assert model.context_max >= 2048


def test_configurations_are_all_used_and_short():
    used = {row["config"] or name for name, row in ROWS.items()}
    assert used == set(CONFIGS)
    assert all(config.get("like", name) in CONFIGS for name, config in CONFIGS.items())
    size = len((resources.files("memwall.core") / "data" / "configs.json").read_bytes())
    assert size < 60_000


def test_a_configuration_like_another():
    whole = catalog.configuration("Qwen3-235B-A22B-FP8")
    assert "like" not in whole and whole["num_hidden_layers"] == 94
    assert from_config(whole).n_total == checkpoint("Qwen3-235B-A22B").n_total


def test_prices_are_on_the_list():
    names = {price.name for price in catalog.prices()}
    assert {row["priced_as"] for row in ROWS.values()} - {""} <= names


def test_names():
    assert checkpoint("deepseek-ai/DeepSeek-V3").name == "DeepSeek-V3"
    assert checkpoint("kimi k2") is checkpoint("Kimi-K2")
    assert checkpoint("Yi").name == "Yi-34B"
    with pytest.raises(InputError, match="could be gpt-oss-120b, gpt-oss-20b"):
        checkpoint("gpt-oss")
    with pytest.raises(InputError, match="Did you mean 'gpt-oss-120b'"):
        checkpoint("gpt-oss-130b")
    with pytest.raises(InputError, match="by name"):
        checkpoint(3)
    everybody = [
        n.lower() for r in ROWS.values() for n in (r["name"], *r["aliases"].split("|")) if n
    ]
    assert len(everybody) == len(set(everybody))


# --- numbers from public threads and files


def held(model, context):
    return sum(float(layers.held_bytes(context, group)) for group in model.groups)


def test_known_answers():
    assert checkpoint("gpt-oss-120b").weight_bytes == pytest.approx(65.25e9, rel=1e-3)
    assert checkpoint("DeepSeek-V4-Pro").weight_bytes == pytest.approx(865e9, rel=0.01)
    assert held(checkpoint("Qwen2.5-7B"), 3072) == 57_344 * 3072
    assert held(checkpoint("Qwen2.5-7B"), 3072) == pytest.approx(0.176e9, rel=0.005)
    # eight sequences of 750 tokens: no window of Gemma 3's binds yet
    assert 8 * held(checkpoint("Gemma-3-27B"), 750) == pytest.approx(3.05e9, rel=0.005)


@pytest.mark.parametrize(
    ("name", "width", "gigabytes"),
    [
        ("Llama-3.1-70B", "Q4_K_M", 42.52),
        ("Llama-3.1-8B", "Q4_K_M", 8.03 * 4.8944 / 8),
        ("Llama-3.1-8B", "Q8_0", 8.03 * 8.5 / 8),
        ("Llama-3.1-8B", "bf16", 16.06),
        ("Qwen3-235B-A22B", "fp8", 236.3),
        ("Qwen3-235B-A22B", "nvfp4", 134.1),
        ("DeepSeek-V3", "bf16", 2 * 684.5),
    ],
)
def test_stored_anew(name, width, gigabytes):
    assert checkpoint(name, width).weight_bytes / 1e9 == pytest.approx(gigabytes, rel=0.015)


def test_the_model_that_mixtures_were_measured_on():
    model = checkpoint("Llama-3.1-8B")
    assert (model.n_total, model.parameters("head")) == (widths.MEASURED, widths.MEASURED_HEAD)
    for name in ("Q2_K", "Q4_K_M", "Q8_0"):  # its own file comes out again
        whole = model.n_total * catalog.bytes_per_element(name)
        assert checkpoint("Llama-3.1-8B", name).weight_bytes == pytest.approx(whole, rel=1e-3)


def arithmetic(model):
    return {part.kind: part.arithmetic for part in model.parts}


def test_what_is_stored_anew():
    released, four = checkpoint("Qwen3-30B-A3B"), checkpoint("Qwen3-30B-A3B", "nvfp4")
    assert [p.parameters for p in released.parts] == [p.parameters for p in four.parts]
    for old, new in zip(released.parts, four.parts, strict=True):
        narrow = old.kind in MATRICES
        assert new.bytes_per_param == (0.5625 if narrow else old.bytes_per_param)
        assert new.arithmetic == ("fp4" if narrow else "bf16")
    assert (
        "nvfp4" in four.notes[-1] and "as released: embedding, head, norm, router" in four.notes[-1]
    )
    # only stored narrow: products stay in 16 bit
    assert set(arithmetic(checkpoint("Qwen2.5-7B", "awq")).values()) == {"bf16"}
    assert arithmetic(checkpoint("Qwen2.5-7B", "w8a8"))["dense"] == "int8"
    # mxfp4 is for experts, and for a model without any for its matrices
    mixed = checkpoint("Qwen3-30B-A3B", "mxfp4")
    assert {p.kind for p in mixed.parts if p.bytes_per_param < 2} == {"routed"}
    dense = checkpoint("Qwen3-32B", "mxfp4")
    assert {p.kind for p in dense.parts if p.bytes_per_param < 2} == {"attention", "dense"}
    # a file for llama.cpp narrows the embeddings too, the head less
    file = {p.kind: p.bytes_per_param for p in checkpoint("Llama-3.1-70B", "Q4_K_M").parts}
    assert file["embedding"] == file["dense"] < file["head"] < 2 == file["norm"]
    blocks = {p.kind: 8 * p.bytes_per_param for p in checkpoint("Llama-3.1-8B", "Q4_0").parts}
    assert blocks["dense"] == 4.5 and blocks["head"] > 6.5


def test_as_released():
    for name, width in (("DeepSeek-V3", "fp8"), ("gpt-oss-120b", "MXFP4"), ("Qwen3-8B", "bf16")):
        assert checkpoint(name, width) == checkpoint(name)
    wider = checkpoint("gpt-oss-20b", "fp8")
    assert "wider than released" in wider.notes[-1]
    assert checkpoint("Qwen3-8B", cache="fp8").groups[0].bytes_per_element == 1
    with pytest.raises(InputError, match=r"unknown precision 'nvpf4'.* Did you mean 'nvfp4'"):
        checkpoint("Qwen3-8B", "nvpf4")


@given(st.sampled_from(sorted(ROWS)))
def test_fewer_bits_weigh_less(name):
    sizes = [checkpoint(name, w).weight_bytes for w in ("nvfp4", "int8", "bf16")]
    assert sizes == sorted(sizes)
    assert checkpoint(name, "bf16").weight_bytes == pytest.approx(
        2 * checkpoint(name).parameters(), rel=1e-9
    )


@pytest.mark.parametrize("name", [n for n in catalog.models() if n != "PaLM-540B"])
def test_the_blackboard_agrees(name):
    """A catalog model is its checkpoint in round numbers; in a large one few weights stay wide."""
    board, model = catalog.model(name), checkpoint(name)
    assert board.n_total == pytest.approx(model.n_total - model.parameters("vision"), rel=0.03)
    assert board.n_active == pytest.approx(model.n_active, rel=0.07)
    if board.layers:
        assert (board.layers, board.d_model) == (model.layers, model.d_model)
    if board.n_total > 1e11:
        answering = model.weight_bytes - model.bytes("predictor")
        assert board.n_total * board.bytes_per_param == pytest.approx(answering, rel=0.05)


def test_rows_for_readers():
    rows = checkpoint_rows()
    assert [row[0] for row in rows] == list(checkpoints())
    assert {len(row) for row in rows} == {len(COLUMNS)}
    by_name = {row[0]: row for row in rows}
    assert by_name["gpt-oss-120b"][3] == "mxfp4"
    assert by_name["gpt-oss-120b"][-1] == "18 window, 18 full"
    assert by_name["Qwen2.5-7B"][5] == "57.3 kB"
    # what does not grow weighs less a token, the longer the context
    assert by_name["Llama-2-7B"][6] is None


@pytest.mark.parametrize(
    ("said", "name", "weights"),
    [
        ("DeepSeek-V3", "DeepSeek-V3", ""),
        ("deepseek-ai/DeepSeek-V3.1-Terminus", "DeepSeek-V3", ""),
        ("nvidia/DeepSeek-R1-0528-FP4-v2", "DeepSeek-R1", "nvfp4"),
        ("amd/DeepSeek-R1-0528-MXFP4-Preview", "DeepSeek-R1", "mxfp4"),
        ("Qwen/Qwen3-235B-A22B-Instruct-2507", "Qwen3-235B-A22B", ""),
        ("Qwen/Qwen3-235B-A22B-Thinking-2507", "Qwen3-235B-A22B", ""),
        ("Qwen/Qwen3-235B-A22B-Instruct-2507-FP8", "Qwen3-235B-A22B-FP8", ""),  # its own release
        ("RedHatAI/Llama-3.3-70B-Instruct-FP8-dynamic", "Llama-3.3-70B", "fp8"),
        ("meta-llama/Meta-Llama-3.1-70B-Instruct", "Llama-3.1-70B", ""),
        ("hugging-quants/Meta-Llama-3.1-405B-Instruct-AWQ-INT4", "Llama-3.1-405B", "gptq"),
        ("mistralai/Mistral-7B-Instruct-v0.3", "Mistral-7B", ""),
        ("bartowski/Llama-3.3-70B-Instruct-Q4_K_M", "Llama-3.3-70B", "Q4_K_M"),
        ("deepseek-ai/DeepSeek-V3-FP8", "DeepSeek-V3", ""),  # as it was released
    ],
)
def test_what_a_repository_is_called(said, name, weights):
    assert named(said) == named(said.upper()) == (name, weights)
    assert catalog.checkpoint(said) == catalog.checkpoint(name, weights)
    assert catalog.checkpoint(said, "int8") == catalog.checkpoint(name, "int8")  # said goes first


@pytest.mark.parametrize(
    "said",
    [
        "nobody/Else-7B-Instruct-FP8",
        "Instruct",
        "x/",
        "moonshotai/Kimi-K2-Thinking",
        "unsloth/Qwen3-30B-A3B-GGUF",
        "-fp8",
    ],
)
def test_a_name_that_leads_nowhere_is_refused_whole(said):
    """A reasoner of another width, a file of no stated width: nothing is guessed."""
    with pytest.raises(InputError, match=re.escape(repr(said))):
        named(said)
