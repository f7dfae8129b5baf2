"""Chapter 4: experts on racks, all-to-all, two networks (ledger rows M1-M21)."""

from __future__ import annotations

import numpy as np

from ..catalog import bytes_per_element, chip, chips, model, rack
from ..catalog import racks as all_racks
from ..core.nouns import Model
from ..core.units import GB, GBIT
from ..experiments import moe, traffic
from ..formulas import racks, roofline, sparsity

V3 = model("DeepSeek-V3")
EXPERTS, DOMAIN = 256, 72
EIGHT = 8  # the lecture's ratio of the two networks


def m1_anatomy() -> bool:
    layer = moe.MoELayer.random(d_model=24, width=8, experts=12, chosen=3)
    x = np.random.default_rng(0).standard_normal((5, 24)).astype(np.float32)
    scores = x @ layer.router
    gates = np.where(scores >= np.sort(scores, axis=1)[:, [-3]], np.exp(scores), 0)
    gates /= gates.sum(axis=1, keepdims=True)
    gate = np.einsum("td,edf->tef", x, layer.gate)
    hidden = np.einsum("td,edf->tef", x, layer.up) * gate / (1 + np.exp(-gate))
    summed = np.einsum("te,tef,efd->td", gates, hidden, layer.down)
    return bool(np.allclose(layer(x), x + summed, atol=1e-4))


def m2_chosen() -> float:
    return sparsity.chosen_fraction(V3)


def m3_whole_experts() -> bool:
    gpus = traffic.even_split(EXPERTS, DOMAIN)
    return bool(racks.distinct_targets(gpus, V3) < gpus / 8)


def m4_experts() -> float:
    return V3.experts


def m5_idle() -> float:
    return racks.idle_fraction(traffic.even_split(EXPERTS, DOMAIN), DOMAIN)


def m7_routers() -> bool:
    stored, _ = moe.routed_parameters(V3.name)
    return bool(V3.d_model * V3.experts * V3.layers < stored / 1000)


def m8_there_and_back() -> float:
    one, h100 = bytes_per_element("fp8"), chip("H100").system()
    there = racks.alltoall_time(1, 1, one, V3, h100)
    return racks.network_time(1, 1, 2 * one, V3, h100) / (V3.layers * there)


def m9_two_hops() -> float:
    wires = traffic.two_networks(2, DOMAIN)
    return max(traffic.hops(wires, "gpu 0.0", f"gpu 0.{g}") for g in range(1, DOMAIN))


def m10_ratio() -> float:
    return racks.network_ratio(chip("H100").system())


def m11_crossing() -> float:
    return racks.crossing_share(4)


def m12_slowdown() -> float:
    return racks.crossing_slowdown(2, EIGHT)


def m13_bound() -> bool:
    known = [c.system(precision=c.precisions()[-1]) for c in chips().values()
             if c.kind == "server" and c.chip_scale_up and c.chip_scale_out and c.precisions()
             and c.domain]  # fmt: skip
    ratios = [racks.network_ratio(s) for s in known]
    return bool(min(racks.crossing_slowdown(n, r) for r in ratios for n in (2, 4, 8)) > 1)


def m14_rack_size() -> float:
    return rack("NVL72").packages


def m15_cables() -> float:
    gpu = chip("GB200")
    return racks.scale_up_cables(gpu.domain, gpu.chip_scale_up, 200 * GBIT)


def m16_packages() -> float:
    return rack("Rubin Ultra").packages


def m17_genuine() -> float:
    new, old = rack("Rubin Ultra"), rack("NVL72")
    return racks.domain_dies(new.packages, new.dies_per_package) / racks.domain_dies(
        old.packages, old.dies_per_package
    )


def m18_limits() -> bool:
    nvl72, room = rack("NVL72"), all_racks()
    return bool(
        nvl72.power >= 2 * room["Hall built for 60 kW"].power
        and nvl72.mass > 0.95 * room["Ordinary cabinet"].mass
        and nvl72.cooling == "liquid"
    )


def m19_room() -> float:
    big = Model(n_total=5e12, n_active=1e11, bytes_per_param=0.5)
    return roofline.room_beside_weights(
        big, chip("GB200").system().replace(capacity=DOMAIN * 192 * GB)
    )


def m20_outgrown() -> bool:
    trillion = Model(n_total=1e12, n_active=1e11, bytes_per_param=1, kv_bytes_per_token=0)
    needed = roofline.resident_bytes(1, 0, trillion)
    return bool(chip("H100").system().capacity < needed < chip("GB200").system().capacity)


def m21_google() -> bool:
    return bool(chip("TPU v4").domain > chip("GB200").domain)
