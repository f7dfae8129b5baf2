"""The catalog: names, provenance, and what a chip becomes."""

import csv
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memwall import InputError, Model, catalog, chip, chips, memory_devices, model, models
from memwall.core.nouns import MissingFact, Unknown

DATA = resources.files("memwall.core") / "data"
KINDS = ("server", "card", "consumer", "unified", "sram")
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
    assert chip("Strix Halo").name == "Ryzen AI Max+ 395" and chip("M3 Ultra").vendor == "Apple"
    assert chip("Groq").name == "Groq LPU" and chip("LPX").name == "Groq 3 LPU"


def test_no_two_chips_share_a_name_or_an_alias():
    said = [
        known.lower()
        for row in catalog.table("chips")
        for known in [row["name"], *filter(None, row["aliases"].split("|"))]
    ]
    assert len(said) == len(set(said))
    assert all(chip(known).name in chips() for known in said)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: chip("A1"), "A100 40GB, A100 80GB"),
        (lambda: chip("H10000"), "Did you mean 'H100'"),
        (lambda: chip("RTX PRO"), "RTX PRO 5000, RTX PRO 6000 Server, RTX PRO 6000 Workstation"),
        (lambda: catalog.bytes_per_element("Q4_K_X"), "Did you mean .*'Q4_K_M'"),
        (lambda: catalog.bytes_per_element("fp"), "unknown precision"),
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
    with pytest.raises(MissingFact, match=r"chip_scale_up of Groq LPU"):
        groq.chip_scale_up * 2
    with pytest.raises(InputError, match="has no 'fp8' rate"):
        groq.system(1)


def test_every_entry_loads():
    assert len(chips()) >= 45 and len(models()) >= 15 and len(memory_devices()) >= 15
    assert all(isinstance(m, Model) and m.n_active <= m.n_total for m in models().values())


@given(st.text(max_size=30))
def test_any_text_finds_a_chip_or_says_so(text):
    try:
        assert chip(text).name in chips()
    except InputError as error:
        assert "chip" in str(error)


def test_chips_of_every_kind():
    counts = {k: sum(c.kind == k for c in chips().values()) for k in KINDS}
    assert sum(counts.values()) == len(chips()) and min(counts.values()) >= 3
    assert {c.vendor for c in chips().values()} >= {"NVIDIA", "AMD", "Google", "Apple", "Intel"}


def test_what_is_printed_and_what_a_driver_reports():
    # 81,559 MiB = 81,559 x 1,048,576 B
    assert chip("H100").chip_capacity == 80e9
    assert chip("H100").driver_capacity == pytest.approx(81_559 * 2**20, abs=1e6)
    for c in chips().values():
        if c.driver_capacity:  # GB are 1e9 bytes; printed ones may be GiB, 7 % more, or rounded
            assert 0.95 < c.driver_capacity / c.chip_capacity < 1.08, c.name


def test_networks_of_the_catalog():
    tori = {c.name: c.torus for c in chips().values() if c.torus}
    assert (tori["TPU v4"], tori["TPU v5e"], chip("H100").torus) == (3, 2, 0)
    assert chip("H100").in_network == chip("GB200").in_network == 1
    assert chip("A100").in_network == chip("MI300X").in_network == 0
    # 400 and 800 Gbit/s
    assert (chip("GB200").chip_scale_out, chip("GB300").chip_scale_out) == (50e9, 100e9)
    assert all(c.torus in (0, 1, 2, 3) and c.in_network in (0, 1) for c in chips().values())


def test_a_rate_that_is_not_known_is_not_guessed():
    assert chip("RTX 3090").flops("int8") == 4 * chip("RTX 3090").flops("bf16")
    assert chip("H100").flops("int8") == chip("H100").flops("fp8")
    for name, precision in (("M4 Max", "fp8"), ("M3 Ultra", "fp8"), ("MI300A", "fp4")):
        with pytest.raises(InputError, match="has no"):
            chip(name).flops(precision)
    with pytest.raises(InputError, match="has no 'int8'"):
        chip("Gaudi 3").flops("int8")


def test_rents_are_ranges():
    for c in chips().values():
        if c.rent:
            assert 0 < c.rent_low <= c.rent <= c.rent_high
    b200 = chip("B200")
    assert b200.rent == pytest.approx((b200.rent_low + b200.rent_high) / 2)


@pytest.mark.parametrize(
    ("name", "bits"),
    [
        ("bf16", 16),
        ("fp8", 8),
        ("fp4", 4),
        ("nvfp4", 4 + 8 / 16),
        ("MXFP4", 4 + 8 / 32),
        ("awq", 4 + (16 + 4) / 128),
        ("fp8-block", 8 + 32 / 128**2),
        ("Q8_0", 8 + 16 / 32),
        ("Q4_0", 4 + 16 / 32),
    ],
)
def test_widths_by_hand(name, bits):
    assert 8 * catalog.bytes_per_element(name) == pytest.approx(bits, rel=2e-4)


def test_a_gguf_file_by_its_width():
    # Llama-3.1-8B, 8.03e9 parameters, Q4_K_M: 4.58 GiB
    file = 8.03e9 * catalog.bytes_per_element("q4_k_m")
    assert file / 2**30 == pytest.approx(4.58, rel=2e-3)
    order = ["Q2_K", "Q3_K_S", "Q4_K_S", "Q4_K_M", "Q5_K_M", "Q6_K", "Q8_0", "bf16"]
    widths = [catalog.bytes_per_element(w) for w in order]
    assert widths == sorted(widths)
