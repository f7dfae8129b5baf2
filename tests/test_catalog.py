"""The catalog: names, provenance, and what a chip becomes."""

import csv
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memwall import InputError, Model, catalog, chip, chips, memory_devices, model, models
from memwall.core.nouns import MissingFact, Unknown

DATA = resources.files("memwall.core") / "data"
FILES = sorted(p.name.removesuffix(".csv") for p in DATA.iterdir() if p.name.endswith(".csv"))


@pytest.mark.parametrize("name", FILES)
def test_every_fact_has_its_source(name):
    assert catalog.table(name)


@pytest.mark.parametrize("name", FILES)
def test_no_row_has_more_cells_than_the_header(name):
    with (DATA / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        widths = {len(row) for row in csv.reader(file)}
    assert len(widths) == 1


@pytest.mark.parametrize("missing", catalog.PROVENANCE)
def test_a_fact_without_provenance_is_refused(missing):
    row = {"source": "a", "url": "https://a", "date": "2026", "confidence": "high", missing: " "}
    with pytest.raises(InputError, match=missing):
        catalog.check_provenance(row, "here")


def test_provenance_must_make_sense():
    row = {"source": "a", "url": "somewhere", "date": "2026", "confidence": "high"}
    with pytest.raises(InputError, match="web address"):
        catalog.check_provenance(row, "here")
    with pytest.raises(InputError, match="confidence"):
        catalog.check_provenance({**row, "url": "https://a", "confidence": "sure"}, "here")


def test_names_aliases_and_beginnings():
    assert chip("H100").name == chip("H100 SXM").name == chip("h100").name == "H100"
    assert chip("B200 SXM (HGX/DGX)").name == "B200"
    assert model("Llama 70B").name == "Llama-3.1-70B"
    assert chip("Cerebras").name == "Cerebras WSE-3"


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: chip("A1"), "A100 40GB, A100 80GB"),
        (lambda: chip("H10000"), "Did you mean 'H100'"),
        (lambda: model("DeepSeek V3"), "Did you mean .*DeepSeek-V3"),
        (lambda: model("Llama-3.1-70B", weights="fp9"), "fp8"),
        (lambda: chip("H100").system(8, "fp4"), "bf16, fp8"),
        (lambda: chip(100), "by name"),
        (lambda: chip(""), "unknown chip"),
        (lambda: model("DeepSeek-V3").replace(n_totl=3), "n_total"),
    ],
)
def test_a_miss_says_what_was_meant(call, says):
    with pytest.raises(InputError, match=says):
        call()


def test_a_system_is_its_chips_summed():
    s = chip("H100").system(8, "fp8", dollars_per_hour=3.6)
    # 8 x 1979e12, 8 x 3.35e12, 8 x 80e9, 8 x 450e9, 8 x $3.6/3600 s
    assert (s.flops, s.bandwidth, s.capacity) == (8 * 1979e12, 8 * 3.35e12, 8 * 80e9)
    assert s.scale_up == 8 * 450e9
    assert s.dollars_per_second == pytest.approx(0.008)
    assert chip("GB200").system().chips == 72


def test_the_cache_of_deepseek():
    # (512 + 64) latent elements x 61 layers x 2 B = 70,272 B; half of it in fp8
    assert model("DeepSeek-V3").kv_bytes_per_token == 70_272
    assert model("DeepSeek-V3", cache="fp8").kv_bytes_per_token == 35_136


def test_an_unknown_fact_names_itself():
    groq = chip("Groq")
    assert isinstance(groq.flops_fp8, Unknown)
    with pytest.raises(MissingFact, match=r"chip_bandwidth of Groq LPU"):
        groq.chip_bandwidth * 2
    with pytest.raises(InputError, match="has no 'fp8' rate"):
        groq.system(1)


def test_every_entry_loads():
    assert len(chips()) >= 20 and len(models()) >= 15 and len(memory_devices()) >= 15
    assert all(isinstance(m, Model) and m.n_active <= m.n_total for m in models().values())


@given(st.text(max_size=30))
def test_any_text_finds_a_chip_or_says_so(text):
    try:
        assert chip(text).name in chips()
    except InputError as error:
        assert "chip" in str(error)
