"""Measuring this machine: toy sizes, known shapes, no assertion on speed but wide orderings."""

import csv
import io

import numpy as np
import pytest

from memwall import measure, roofline
from memwall.core.units import InputError


@pytest.fixture(scope="module")
def rows():
    return list(measure.measure(measure.NumPy(), measure.QUICK))


def test_all_experiments_are_there(rows):
    kinds = [r["experiment"] for r in rows]
    assert kinds.count("stream") == kinds.count("matmul") == 2
    quick = measure.QUICK
    assert kinds.count("decode") == len(quick.batches) * len(quick.contexts)
    assert kinds.count("experts") == len(quick.batches)
    assert all(0 < r["seconds"] < 60 for r in rows)
    assert all(set(r) == set(measure.COLUMNS) for r in rows)


def test_rates_and_model_in_the_catalogs_terms(rows):
    system = measure.system_of(rows, "fp32")
    assert 1e6 < system.flops < 1e15 and 1e6 < system.bandwidth < 1e14
    decode = next(r for r in rows if r["experiment"] == "decode")
    model = measure.model_of(decode)
    # one layer of width 128: 3 d^2 + d^2 + 4 d^2 + 4 d^2, and 2 x 128 x 4 B of cache a token
    assert model.n_total == 12 * 128**2 and model.kv_bytes_per_token == 1024
    wanted = roofline.step_time(decode["batch"], decode["context"], model, system)
    assert measure.predicted(decode, system) == pytest.approx(float(wanted))


def test_experts_are_predicted_by_what_is_touched(rows):
    system = measure.system_of(rows, "fp32").replace(flops=1e30)
    few, many = [measure.predicted(r, system) for r in rows if r["experiment"] == "experts"]
    # 8 experts, 2 a token: one token reads a quarter of the weights
    assert few == pytest.approx(2 * 128**2 * 2 * 4 / system.bandwidth)
    assert few < many < 4 * few


def test_the_stack_attends_to_its_cache():
    on = measure.NumPy()
    stack = measure.Stack.random(on, "fp32", measure.QUICK)
    x = on.random("fp32", 3, 128)
    caches = stack.caches(3, 16)
    once = stack.step(x, caches)
    assert once.shape == x.shape and np.isfinite(once).all()
    # sequences do not see each other: the second one's cache changes only the second one's answer,
    # up to the common scale that keeps numbers finite
    keys, values = caches[0]
    values[1] += 1
    again = stack.step(x, [(keys, values)])
    scale = again[0, 0] / once[0, 0]
    np.testing.assert_allclose(again[[0, 2]], once[[0, 2]] * scale, rtol=1e-4)
    assert not np.allclose(again[1], once[1] * scale, rtol=1e-2)


def test_attention_by_hand():
    on = measure.NumPy()
    scores = np.log(np.array([[1.0, 3.0]]))
    np.testing.assert_allclose(on.softmax(scores), [[0.25, 0.75]])


def test_the_kept_run_of_a_processor():
    kept = measure.kept("measured_cpu")
    system = measure.system_of(kept, "fp32")
    above = [
        r["seconds"] / measure.predicted(r, system) for r in kept if r["experiment"] == "decode"
    ]
    assert len(above) > 10 and min(above) > 0.9  # a floor, up to the clock's noise


def test_the_command_prints_csv(capsys):
    assert measure.main(["--backend", "numpy", "--quick", "--rounds", "2"]) == 0
    printed = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert tuple(printed[0]) == measure.COLUMNS
    assert all(r["source"] and r["url"].startswith("https://") and r["date"] for r in printed)


def test_what_cannot_be_done_is_said(capsys):
    with pytest.raises(InputError, match="'jax'"):
        measure.backend("jax")
    with pytest.raises(InputError, match="cuda"):
        measure.backend("numpy", "cuda")
    assert measure.main(["--backend", "numpy", "--device", "cuda"]) == 2
    assert "cuda" in capsys.readouterr().err
    assert measure.main(["--rounds", "0"]) == 2
    with pytest.raises(InputError, match="stream"):
        measure.system_of([], "fp32")
