"""Published runs: what each kind's rows say, what is refused, which are held out."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memwall import InputError, catalog, runs
from memwall.core.nouns import Layout

SERVED = (
    "id,source,model,chip,engine,weights,mode,prompt,output,concurrency,tp,attention_dp,expert_ep,"
    "prefill_tp,decode_workers,decode_tp,decode_attention_dp,ttft_s,tpot_s\n"
)
AGG = "a,me,Llama-3.1-70B,H200,vllm,fp8,agg,1024,512,16,4,2,8,,,,,0.2,0.02\n"
POOL = "b,me,DeepSeek-R1,GB200,sglang,fp4,disagg,8192,1024,64,,,,4,3,8,2,0.9,0.011\n"
LOCAL = (
    "id,model,params_total_b,params_active_b,file_gib,bits_per_weight,chip,n_chips,test,prompt,"
    "context,batch,tokens_per_second\n"
)
OPEN = (
    "id,model,chip,n_chips,weights,layout,load,rate_requests_per_s,prompt_tokens,output_tokens,"
    "ttft_mean_ms,tpot_mean_ms\n"
)


def read(tmp_path, text):
    file = tmp_path / "runs.csv"
    file.write_text(text, encoding="utf-8")
    return runs.read(file)


# ---- reading -------------------------------------------------------------------------------------


def test_a_served_row_and_a_pool(tmp_path):
    kind, rows, complaints = read(tmp_path, SERVED + AGG + POOL)
    assert (kind, complaints) == ("served", [])
    one, pool = rows
    assert one.decode == one.prefill == Layout(tp=4, dp=2, ep=8, pp=1)
    assert (one.decode.chips, one.prompt, one.concurrency, one.ttft) == (8, 1024, 16, 0.2)
    assert (pool.prefill.tp, pool.decode.chips) == (4, 16)
    assert (pool.prefill_workers, pool.decode_workers) == (None, 3)


def test_a_local_row_knows_its_weights(tmp_path):
    text = (
        LOCAL
        + "f,x,8,8,4.0,,RTX 3090,1,decode,0,0,1,50\nb,x,8,8,,4.5,M3 Ultra,1,prefill,512,0,1,900\n"
    )
    kind, (file, bits), complaints = read(tmp_path, text)
    assert (kind, complaints) == ("local", [])
    # 4 GiB; 8e9 x 4.5 / 8 bytes
    assert (file.weight_bytes, bits.weight_bytes) == (4 * 2**30, 4.5e9)
    assert (bits.chip, bits.test, bits.prompt) == ("Apple M3 Ultra", "prefill", 512)


def test_an_open_row_keeps_words_as_doubts(tmp_path):
    text = (
        OPEN
        + 'c,m,H100 SXM 80GB,2,FP16,TP2 DP1,"Poisson, Server",8,547,248,41.7,13.2\n'
        + "d,m,AMD Instinct MI325X 256GB HBM3e,8,fp8,several engines,even,<=6,OpenOrca,300,99,20\n"
    )
    kind, (whole, vague), complaints = read(tmp_path, text)
    assert (kind, complaints) == ("open", [])
    assert whole.complete and whole.poisson and whole.layout == Layout(tp=2)
    assert whole.tpot == pytest.approx(0.0132)
    assert not vague.complete and (vague.rate, vague.prompt, vague.layout) == (6, None, None)
    for said in ("<=6", "OpenOrca", "several engines"):
        assert said in vague.doubts
    assert vague.chip == "MI325X"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("H200", "H2000", "Did you mean 'H200'"),
        ("fp8", "fp9", "unknown precision 'fp9'"),
        ("agg", "aggr", "Did you mean 'agg'"),
        (",16,4", ",0,4", "concurrency = 0 must be finite and at least 1"),
        ("0.02\n", "-1\n", "tpot_s = -1"),
        ("0.02\n", "nan\n", "tpot_s = nan"),
        ("0.2,", "fast,", "ttft_s = 'fast' is not a number"),
        ("Llama-3.1-70B", "", "model is empty"),
        (",16,4,2", ",16,0,2", "tp = 0"),
        (",0.2,", ",", "not as many fields"),
    ],
)
def test_a_bad_row_is_named_and_the_others_are_read(tmp_path, old, new, says):
    assert old in AGG
    _, rows, complaints = read(tmp_path, SERVED + AGG.replace(old, new, 1) + POOL)
    assert [r.id for r in rows] == ["b"]
    assert len(complaints) == 1 and says in complaints[0] and "line 2" in complaints[0]


def test_an_id_may_appear_once(tmp_path):
    _, rows, complaints = read(tmp_path, SERVED + AGG + AGG)
    assert len(rows) == 1 and "'a' appears twice" in complaints[0]


def test_kinds_are_told_apart_by_their_columns():
    for kind, (_, table, needed) in runs.KINDS.items():
        assert runs.kind_of(needed) == kind
        assert runs.kind_of(catalog.table(table)[0]) == kind
    with pytest.raises(InputError, match=r"nearest is 'served', which lacks tpot_s"):
        runs.kind_of(set(runs.KINDS["served"][2]) - {"tpot_s"})


def test_a_file_that_is_none(tmp_path):
    with pytest.raises(InputError, match="no kind of run"):
        read(tmp_path, "")
    with pytest.raises(InputError, match="cannot read"):
        runs.read(tmp_path / "nowhere.csv")
    with pytest.raises(InputError, match="Did you mean 'served'"):
        runs.load("serve")


# ---- what ships ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [k for k in runs.KINDS if k != "whole"])
def test_every_shipped_row_makes_sense(kind):
    rows = runs.load(kind)
    assert len({r.id for r in rows}) == len(rows) >= 50
    stored = {row["id"]: row["part"] for row in catalog.table(runs.KINDS[kind][1])}
    assert all(stored[r.id] == r.part for r in rows)
    held = sum(r.part == "held out" for r in rows) / len(rows)
    assert 0.15 < held < 0.5


@pytest.mark.parametrize("kind", [k for k in runs.KINDS if k != "whole"])
def test_no_curve_is_torn_apart(kind):
    parts = {}
    for r in runs.load(kind):
        curve = (runs.publisher(r.source), r.configuration)
        assert parts.setdefault(curve, r.part) == r.part
    assert set(parts.values()) == set(runs.PARTS)


def test_the_rule_for_speculation_is_what_the_table_says():
    rows = runs.served()
    said = {r.id for r in rows if r.speculates and "speculation, as stated" in r.doubts}
    assert len(said) == 2
    assert runs.probably_speculating(rows) | said == {r.id for r in rows if r.speculates}
    marked = {(r.chip, r.engine, r.engine_version) for r in rows if r.speculates}
    assert ("B200", "trtllm", "1.2.0rc6.post3") in marked
    # only a model with a predictor of its own can
    assert {r.model for r in rows if r.speculates and r.id not in said} == {"DeepSeek-R1"}


def test_rows_without_like_rows_are_not_accused():
    (one,) = (r for r in runs.served() if r.id == runs.served()[0].id)
    assert runs.probably_speculating([one]) == set()


@given(st.text(max_size=20), st.text(max_size=20))
def test_a_part_is_always_one_of_two_and_dumps_stay_together(source, configuration):
    part = runs.part_of(source, configuration)
    assert part in runs.PARTS
    assert part == runs.part_of(f"{runs.publisher(source)}, another dump", configuration)


# ---- what benchmarks write -----------------------------------------------------------------------

VLLM = {
    "date": "20261128-120000", "backend": "vllm", "model_id": "m", "num_prompts": 100,
    "request_rate": "inf", "burstiness": 1.0, "max_concurrency": 32, "duration": 60.0, "completed": 100,
    "failed": 0, "total_input_tokens": 102_400, "total_output_tokens": 51_200, "request_throughput": 1.7,
    "mean_ttft_ms": 250.0, "p99_ttft_ms": 900.0, "mean_tpot_ms": 20.0, "p99_tpot_ms": 30.0,
}  # fmt: skip
SGLANG = {
    "backend": "sglang", "dataset_name": "random", "request_rate": 4.0, "max_concurrency": None,
    "duration": 60.0, "completed": 240, "total_input_tokens": 240 * 512, "total_output_tokens": 240 * 128,
    "request_throughput": 3.9, "mean_ttft_ms": 80.0, "p99_ttft_ms": 200.0, "mean_tpot_ms": 12.0,
    "p99_tpot_ms": 15.0, "accept_length": None,
}  # fmt: skip


def bench(tmp_path, text, **more):
    file = tmp_path / "result.json"
    file.write_text(text, encoding="utf-8")
    return runs.from_benchmark(file, "Llama-3.1-8B", "H100", "fp8", **more)


def test_vllms_closed_loop(tmp_path):
    (row,) = bench(tmp_path, json.dumps(VLLM), layout=Layout(tp=2))
    assert isinstance(row, runs.Served) and not row.speculates
    assert (row.prompt, row.output, row.concurrency) == (1024, 512, 32)
    assert (row.ttft, row.tpot) == (pytest.approx(0.25), pytest.approx(0.02))
    assert row.decode.chips == 2 and row.engine == "vllm"


def test_all_requests_at_once_when_no_limit_is_set(tmp_path):
    (row,) = bench(tmp_path, json.dumps({**VLLM, "max_concurrency": None}))
    assert row.concurrency == 100
    (row,) = bench(tmp_path, json.dumps({**VLLM, "max_concurrency": 500}))
    assert row.concurrency == 100


def test_a_speculating_engine_says_so(tmp_path):
    (row,) = bench(tmp_path, json.dumps({**VLLM, "spec_decode_acceptance_length": 2.4}))
    assert row.speculates and "2.4 tokens a step" in row.doubts


def test_sglangs_lines_and_an_open_loop(tmp_path):
    infinite = {**SGLANG, "request_rate": float("inf"), "max_concurrency": 8}
    rows = bench(tmp_path, f"{json.dumps(SGLANG)}\n{json.dumps(infinite)}\n")
    assert [type(r) for r in rows] == [runs.Open, runs.Served]
    one, closed = rows
    assert (one.rate, one.achieved, one.prompt, one.output) == (4, 3.9, 512, 128)
    assert one.poisson and one.complete and one.ttft == pytest.approx(0.08)
    assert closed.concurrency == 8 and one.id != closed.id


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("not json", "is not JSON"),
        ("[]", "no benchmark results"),
        ("3", "no benchmark results"),
        ("{}", "completed is None"),
        (json.dumps({**VLLM, "completed": 0}), "no request came through"),
        (json.dumps({**VLLM, "mean_tpot_ms": None}), "mean_tpot_ms is None"),
        (json.dumps({**VLLM, "mean_tpot_ms": 0}), "tpot_s"),
        (json.dumps({**VLLM, "request_rate": "often"}), "request_rate"),
    ],
)
def test_a_result_that_is_none(tmp_path, text, says):
    with pytest.raises(InputError, match=says):
        bench(tmp_path, text)


def test_what_is_shipped_can_be_read_back_as_a_file(tmp_path):
    table = catalog.table("runs_local")[:5]
    out = io.StringIO()
    writer = csv.DictWriter(out, list(table[0]))
    writer.writeheader()
    writer.writerows(table)
    kind, rows, complaints = read(tmp_path, out.getvalue())
    assert kind == "local" and not complaints and tuple(rows) == runs.local()[:5]
