"""Chapter 4: experts on racks, all-to-all, two networks (ledger rows M1-M21)."""

from __future__ import annotations

import numpy as np

from ..core.catalog import bytes_per_element, chip, chips, model, rack
from ..core.catalog import racks as all_racks
from ..core.nouns import Model
from ..core.units import GB, GBIT
from ..experiments import moe, traffic
from ..formulas import racks, roofline, sparsity
from . import claim, prose

V3 = model("DeepSeek-V3")
EXPERTS, DOMAIN = 256, 72
EIGHT = 8  # the lecture's ratio of the two networks


@claim(
    "M1",
    "A layer is a router, a few experts, their sum and the residual",
    where="04_racks#experts-on-gpus",
    reason="Checked against the sum over all experts with zeros for those not chosen; the "
    "router's weights in that sum went unsaid.",
)
def _anatomy() -> bool:
    layer = moe.MoELayer.random(d_model=24, width=8, experts=12, chosen=3)
    x = np.random.default_rng(0).standard_normal((5, 24)).astype(np.float32)
    scores = x @ layer.router
    gates = np.where(scores >= np.sort(scores, axis=1)[:, [-3]], np.exp(scores), 0)
    gates /= gates.sum(axis=1, keepdims=True)
    gate = np.einsum("td,edf->tef", x, layer.gate)
    hidden = np.einsum("td,edf->tef", x, layer.up) * gate / (1 + np.exp(-gate))
    summed = np.einsum("te,tef,efd->td", gates, hidden, layer.down)
    return bool(np.allclose(layer(x), x + summed, atol=1e-4))


@claim(
    "M2",
    "A token visits one expert in 32",
    stated=1 / 32,
    unit="1",
    where="04_racks#experts-on-gpus",
    reason="8 of 256. The lecture's sparsity of 8 came from 32 of 256 (row R5): both cannot "
    "hold, and this one does.",
)
def _chosen() -> float:
    return sparsity.chosen_fraction(V3)


@claim(
    "M3",
    "Different experts belong on different GPUs",
    where="04_racks#experts-on-gpus",
    reason="Cutting every expert over all GPUs would send each token to all 64 of them "
    "instead of fewer than 8.",
)
def _whole_experts() -> bool:
    gpus = traffic.even_split(EXPERTS, DOMAIN)
    return bool(racks.distinct_targets(gpus, V3) < gpus / 8)


@claim(
    "M4",
    "DeepSeek's layers have 256 experts",
    stated=256,
    unit="1",
    where="04_racks#experts-on-gpus",
)
def _experts() -> float:
    return V3.experts


@claim(
    "M5",
    "64 of the 72 GPUs are used, so that the experts divide",
    stated=8 / 72,
    unit="1",
    where="04_racks#experts-on-gpus",
    reason="The share left idle. With 32 second copies of busy experts all 72 have work.",
)
def _idle() -> float:
    return racks.idle_fraction(traffic.even_split(EXPERTS, DOMAIN), DOMAIN)


prose(
    "M6",
    "The drawing shows two experts on a GPU",
    where="04_racks#experts-on-gpus",
    reason="A simplification of the drawing: 256 over 64 are four.",
)


@claim(
    "M7",
    "There are as many routers as GPUs",
    where="04_racks#experts-on-gpus",
    reason="Copying it is free: a router has under a thousandth of the weights of its layer.",
)
def _routers() -> bool:
    stored, _ = moe.routed_parameters(V3.name)
    return bool(V3.d_model * V3.experts * V3.layers < stored / 1000)


@claim(
    "M8",
    "The all-to-all happens twice a layer",
    stated=2,
    unit="1",
    where="04_racks#everyone-talks-to-everyone",
    reason="At equal precision. Sent as fp8 and returned as bf16, the pair moves three times "
    "the bytes of the way out.",
)
def _there_and_back() -> float:
    one, h100 = bytes_per_element("fp8"), chip("H100").system()
    there = racks.alltoall_time(1, 1, one, V3, h100)
    return racks.network_time(1, 1, 2 * one, V3, h100) / (V3.layers * there)


@claim(
    "M9",
    "Inside a rack everyone is two hops from everyone",
    stated=2,
    unit="1",
    where="04_racks#two-networks",
    reason="Counted on the wiring as a graph; to another rack it is four.",
)
def _two_hops() -> float:
    wires = traffic.two_networks(2, DOMAIN)
    return max(traffic.hops(wires, "gpu 0.0", f"gpu 0.{g}") for g in range(1, DOMAIN))


@claim(
    "M10",
    "Leaving the rack is about eight times slower",
    stated=8,
    unit="x",
    where="04_racks#two-networks",
    reason="H100 with one card a GPU. Over the catalog: 4 to 18 for GPUs with switches, 26 "
    "to 96 for chips on a ring or torus.",
)
def _ratio() -> float:
    return racks.network_ratio(chip("H100").system())


@claim(
    "M11",
    "Over two racks half of the traffic must cross",
    unit="1",
    verdict="agrees",
    where="04_racks#what-leaves-the-rack",
    reason="The value is for four racks; the same formula gives the lecture's half for two.",
)
def _crossing() -> float:
    return racks.crossing_share(4)


@claim(
    "M12",
    "Crossing makes the network the bottleneck",
    unit="1",
    where="04_racks#what-leaves-the-rack",
    reason="Over two racks at 8, every copy on its own. Sent once to a rack and copied on "
    "inside, the eight copies of DeepSeek-V3 cross without any slow-down.",
)
def _slowdown() -> float:
    return racks.crossing_slowdown(2, EIGHT)


@claim(
    "M13",
    "One rack bounds one expert layer",
    where="04_racks#what-leaves-the-rack",
    reason="A bound on efficiency, not on possibility: DeepSeek serves one layer from 144 "
    "GPUs in 18 boxes, and hides what it can.",
)
def _bound() -> bool:
    known = [c.system(precision=c.precisions()[-1]) for c in chips().values()
             if c.chip_scale_up and c.chip_scale_out and c.precisions() and c.domain]  # fmt: skip
    ratios = [racks.network_ratio(s) for s in known]
    return bool(min(racks.crossing_slowdown(n, r) for r in ratios for n in (2, 4, 8)) > 1)


@claim(
    "M14",
    "A rack holds about 64 chips; power, weight and cooling set its size",
    stated=64,
    unit="chips",
    where="04_racks#why-a-rack-is-as-big-as-it-is",
    reason="72 in the rack the lecture has in mind.",
)
def _rack_size() -> float:
    return rack("NVL72").packages


@claim(
    "M15",
    "One giant switch founders on the cabling",
    unit="1",
    where="04_racks#why-a-rack-is-as-big-as-it-is",
    reason="Copper pairs in one NVL72, from link and lane rates: the published count, pair "
    "for pair. Twice the GPUs are twice the pairs, through the same door.",
)
def _cables() -> float:
    gpu = chip("GB200")
    return racks.scale_up_cables(gpu.domain, gpu.chip_scale_up, 200 * GBIT)


@claim(
    "M16",
    "Domains grew from 8 over 72 to 500-something",
    stated=500,
    unit="packages",
    where="04_racks#why-a-rack-is-as-big-as-it-is",
    reason="The 576 counts dies, four in each of these packages, and is due in 2027; a plain "
    "Rubin rack has 72 packages.",
)
def _packages() -> float:
    return rack("Rubin Ultra").packages


@claim(
    "M17",
    "8 to 72 was packaging; from Blackwell to Rubin at least a genuine factor of four",
    stated=4,
    unit="x",
    where="04_racks#why-a-rack-is-as-big-as-it-is",
    reason="In dies, Rubin Ultra against Blackwell; in packages a factor of two. The article "
    "credits engineering for both steps.",
)
def _genuine() -> float:
    new, old = rack("Rubin Ultra"), rack("NVL72")
    return racks.domain_dies(new.packages, new.dies_per_package) / racks.domain_dies(
        old.packages, old.dies_per_package
    )


@claim(
    "M18",
    "Connectors, bend radius, weight, power and cooling limit what fits inside a rack",
    where="04_racks#why-a-rack-is-as-big-as-it-is",
    reason="By the published figures one NVL72 draws twice what many halls give a rack, "
    "weighs what the best cabinets carry, and needs liquid.",
)
def _limits() -> bool:
    nvl72, room = rack("NVL72"), all_racks()
    return bool(
        nvl72.power >= 2 * room["Hall built for 60 kW"].power
        and nvl72.mass > 0.95 * room["Ordinary cabinet"].mass
        and nvl72.cooling == "liquid"
    )


@claim(
    "M19",
    "Eight Hoppers hold 640 GB, a Blackwell rack 10 to 20 TB: room for 5T and its caches",
    unit="byte",
    where="04_racks#what-a-bigger-domain-holds",
    reason="Left for caches beside 5 trillion parameters at four bits. Later the lecture "
    "says many tens of TB (P13), which a rack does not have.",
)
def _room() -> float:
    big = Model(n_total=5e12, n_active=1e11, bytes_per_param=0.5)
    return racks.room_beside_weights(
        big, chip("GB200").system().replace(capacity=DOMAIN * 192 * GB)
    )


@claim(
    "M20",
    "A model of a trillion parameters outgrew eight GPUs, and larger ones waited",
    where="04_racks#what-a-bigger-domain-holds",
    reason="True for eight bits a weight, by capacity alone. The waiting is a hypothesis; "
    "the lecture itself later blames bandwidth (P21).",
)
def _outgrown() -> bool:
    trillion = Model(n_total=1e12, n_active=1e11, bytes_per_param=1, kv_bytes_per_token=0)
    needed = roofline.resident_bytes(1, 0, trillion)
    return bool(chip("H100").system().capacity < needed < chip("GB200").system().capacity)


@claim(
    "M21",
    "Google had large domains long before",
    where="04_racks#what-a-bigger-domain-holds",
    reason="TPU v4 joined 4,096 chips, on a torus: neighbours are near, the rest is many "
    "hops away.",
)
def _google() -> bool:
    return bool(chip("TPU v4").domain > chip("GB200").domain)
