"""The planner's command: what it prints, what it refuses, and its exit status."""

import csv
import io
import json

import pytest

from memwall import catalog
from memwall.planner import plan
from memwall.planner.__main__ import main


def run(capsys, *arguments):
    status = main([str(a) for a in arguments])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def answer(capsys, *arguments):
    status, out, err = run(capsys, *arguments, "--format", "json")
    assert not err
    return status, json.loads(out)


def test_json_says_whether_it_fits_and_why(capsys):
    status, told = answer(capsys, "DeepSeek-V3", "H200", "--chips", 8, "--concurrency", 64)
    assert status == 0 and told["fits"] is told["fits_concurrency"] is True
    assert told["layout"] == {"tp": 1, "dp": 8, "ep": 8, "pp": 1}
    # 141 GB and more as the driver reports, weights of 101 GB, caches of 70,272 bytes a token
    assert told["weight_bytes_per_chip"] == pytest.approx(101e9, rel=0.01)
    assert 20e9 < told["cache_bytes_per_chip"] < 40e9
    assert told["cache_tokens"] == pytest.approx(
        8 * told["cache_bytes_per_chip"] / 70_272, rel=0.01
    )
    assert told["largest_concurrency"] == pytest.approx(told["cache_tokens"] / 2500, rel=1e-9)
    assert told["what_binds"] in told["step_parts"]
    assert any("latent" in reason for reason in told["reasons"])


def test_json_is_what_plan_says(capsys):
    _, told = answer(
        capsys, "Llama-3.1-70B", "H100", "--chips", 8, "--tp", 4, "--pp", 2, "--weights", "fp8",
        "--cache", "8", "--memory-share", 0.8, "--batched-tokens", 4096, "--max-sequences", 128,
        "--concurrency", 10, "--prompt", 1000, "--output", 100, "--cached", 0.5, "--rent", 3,
        "--engine", "vLLM 0.10",
    )  # fmt: skip
    same = plan(
        "Llama-3.1-70B", "H100", 8, tp=4, pp=2, weights="fp8", cache="8", memory_share=0.8,
        batched_tokens=4096, max_sequences=128, users=10, prompt=1000, output=100, cached=0.5,
        dollars_per_hour=3, engine="vLLM 0.10",
    )  # fmt: skip
    assert told == json.loads(json.dumps(same.as_dict()))
    assert told["memory_share"] == 0.8 and told["engine"] == "vLLM 0.10"


def test_a_file_and_a_folder_are_models_too(capsys, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(catalog.configuration("Qwen2.5-7B")))
    named = answer(capsys, "Qwen2.5-7B", "RTX 4090")[1]
    for path in (tmp_path / "config.json", tmp_path):
        read = answer(capsys, path, "RTX 4090")[1]
        assert read["weight_bytes_per_chip"] == named["weight_bytes_per_chip"]
        assert read["cache_tokens"] == named["cache_tokens"]


def test_what_does_not_fit_ends_with_one(capsys):
    status, told = answer(capsys, "Llama-2-70B", "A100", "--weights", "bf16")
    assert status == 1 and not told["fits"] and told["what_binds"] == "weights"
    assert told["cache_tokens"] == told["cache_bytes_per_chip"] == 0
    assert any("more chips" in reason for reason in told["reasons"])
    # a prompt longer than the room: the weights fit, the request does not
    status, told = answer(capsys, "Llama-3.1-8B", "RTX 3090", "--prompt", 100_000)
    assert status == 1 and told["what_binds"] == "cache" and told["cache_bytes_per_chip"] > 0
    # one fits, sixty-four do not: it runs, and says how many wait
    status, told = answer(capsys, "Llama-3.1-8B", "RTX 3090", "--prompt", 4000)
    assert status == 0 and not told["fits_concurrency"] and told["what_binds"] == "cache"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("Llama-3.1-70B", "H1000"), "unknown chip 'H1000'. Did you mean"),
        (("Lama-3.1-8B", "H100"), "unknown checkpoint"),
        (("Llama-3.1-8B", "H100", "--weights", "fp5"), "unknown precision"),
        (("Llama-3.1-8B", "H100", "--cache", "4"), "cache '4'"),
        (("Llama-3.1-8B", "H100", "--chips", 0), "chips = 0"),
        (("Llama-3.1-8B", "H100", "--chips", 3, "--replicas", 2), "cannot be cut into 2"),
        (("Llama-3.1-8B", "H100", "--chips", 8, "--tp", 4), "is not the 8 chips"),
        (
            ("Llama-3.1-8B", "H100", "--chips", 3, "--tp", 3),
            "does not divide the 32 attention heads",
        ),
        (("Llama-3.1-8B", "H100", "--memory-share", 1.5), "memory_share = 1.5"),
        (("Llama-3.1-8B", "H100", "--prompt", "nan"), "prompt = nan"),
        (("Llama-3.1-8B", "H100", "--concurrency", -1), "users = -1"),
        (("Llama-3.1-8B", "H100", "--engine", "LMDeploy"), "unknown engine"),
        (("missing.json", "H100"), "missing.json cannot be read"),
        (("Llama-3.1-8B",), "which chip?"),
        (("Llama-3.1-8B", "--rate", 0), "rate = 0"),
        (("Llama-3.1-8B", "--rate", 1, "--chips-allowed", "H1000"), "unknown chip"),
    ],
)
def test_bad_input_ends_with_two_and_one_line(capsys, arguments, says):
    status, out, err = run(capsys, *arguments)
    assert status == 2 and not out
    assert err.startswith("memwall.planner: ") and says in err and err.count("\n") == 1


def test_unknown_options_end_with_two(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["Llama-3.1-8B", "H100", "--cips", "8"])
    assert stopped.value.code == 2 and "--cips" in capsys.readouterr().err


def test_csv_is_one_row_and_text_reads(capsys):
    _, out, _ = run(capsys, "gpt-oss-20b", "H100", "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(out))
    assert (
        row["fits"] == "True" and float(row["layout.tp"]) == 1 and float(row["cache_tokens"]) > 1e5
    )
    _, out, _ = run(capsys, "gpt-oss-20b", "H100")
    assert "weights on a chip" in out and "what binds" in out and "Layout chosen: one chip" in out


def test_windows_promise_less_than_they_hold(capsys):
    _, told = answer(capsys, "gpt-oss-20b", "H100", "--prompt", 8000, "--output", 192)
    assert told["promised_concurrency"] < told["largest_concurrency"]
    assert told["cache_fixed_bytes_per_sequence_per_chip"] > 0
    _, told = answer(capsys, "Llama-3.1-8B", "H100")
    assert told["promised_concurrency"] == pytest.approx(told["largest_concurrency"], rel=0.01)
    assert told["cache_bytes_per_token_per_chip"] == pytest.approx(131_072)


def test_a_thin_rest_is_said(capsys):
    _, told = answer(capsys, "gpt-oss-120b", "H100", "--memory-share", 0.95, "--prompt", 500)
    assert any("small rest" in reason for reason in told["reasons"])
    _, told = answer(capsys, "gpt-oss-20b", "H100")
    assert not any("small rest" in reason for reason in told["reasons"])


def test_sglang_works_out_its_own_share(capsys):
    _, told = answer(capsys, "Qwen3-30B-A3B", "H200", "--engine", "SGLang")
    assert 0.8 < told["memory_share"] < 0.93
    _, given = answer(capsys, "Qwen3-30B-A3B", "H200", "--engine", "SGLang", "--memory-share", 0.7)
    assert given["memory_share"] == 0.7 and given["cache_tokens"] < told["cache_tokens"]


TRAFFIC = ("--rate", 5, "--first-token", 3, "--token-rate", 20, "--most", 8)


def test_alternatives_are_a_table(capsys):
    status, told = answer(capsys, "Llama-3.1-70B", *TRAFFIC, "--chips-allowed", "H100, H200")
    rows = told["alternatives"]
    assert status == 0 and {row["chip"] for row in rows} == {"H100", "H200"}
    good = [row for row in rows if not row["fails"]]
    assert good == rows[: len(good)] and 0 < len(good) < len(rows)
    for row in good:
        assert row["time_per_token"] <= 1 / 20 and row["first_token"] <= 3
        assert row["users_per_replica"] <= row["largest_concurrency"] and 0 < row["busy"] <= 1
    assert [row["dollars_per_month"] for row in good] == sorted(
        row["dollars_per_month"] for row in good
    )
    assert any("weights do not fit" in row["fails"] for row in rows)
    status, out, _ = run(capsys, "Llama-3.1-70B", "H100", *TRAFFIC, "--format", "csv")
    assert {row["chip"] for row in csv.DictReader(io.StringIO(out))} == {"H100"} and status == 0


def test_users_may_be_said_instead_of_a_rate(capsys):
    status, told = answer(capsys, "Llama-3.1-70B", "H200", "--users", 200, "--most", 8)
    best = told["alternatives"][0]
    assert status == 0 and best["replicas"] * best["users_per_replica"] >= 200


def test_guesses_are_counted(capsys):
    at_once = ("DeepSeek-R1", "H200", "--chips", 8, "--tp", 8, "--concurrency", 4)
    _, plain = answer(capsys, *at_once)
    _, none = answer(capsys, *at_once, "--drafts", 1, "--acceptance", 0)
    _, all_right = answer(capsys, *at_once, "--drafts", 1, "--acceptance", 1)
    assert plain["kept"] == none["kept"] == 1 and all_right["kept"] == pytest.approx(2)
    assert all_right["time_per_token"] < plain["time_per_token"] < none["time_per_token"]
    assert all_right["step"] == none["step"] > plain["step"]  # checked whether right or not


def test_traffic_that_nothing_serves(capsys):
    arguments = ("Llama-3.1-405B", "--rate", 1, "--chips-allowed", "L4,Groq", "--most", 2)
    status, out, _ = run(capsys, *arguments)
    assert status == 1 and "the weights do not fit" in out and "not in the catalog" in out
