"""Measure: the reader's own machine in the catalog's terms.

    python -m memwall.measure > mine.csv        NumPy, or PyTorch (with CUDA) if it is installed

Four experiments, from plain to real. `stream` reads a matrix too large for any cache: bytes a
second. `matmul` multiplies two squares: FLOP/s, for each precision on offer. `decode` is one
step of a small stack of transformer layers, over batch and context. `experts` is one
mixture-of-experts layer over batch. The first two give a `System`, the last two are then
predicted from it by the formulas of chapters 1 to 3, before they are compared.

Times are the best of a few repetitions: what the machine can do, not what it did while busy.
"""

from __future__ import annotations

import argparse
import datetime
import functools
import importlib.util
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import catalog
from ..core.nouns import Model, System
from ..core.tables import write_csv
from ..core.units import InputError
from ..formulas import roofline
from ..formulas.sparsity import weight_bytes_read

WIDTH = {"fp64": 8, "fp32": 4, "bf16": 2, "fp16": 2, "fp8": 1}  # bytes of an element
COLUMNS = (
    "experiment", "precision", "batch", "context", "seconds", "flop", "bytes_read",
    "n_total", "n_active", "bytes_per_param", "kv_bytes_per_token", "layers", "d_model",
    "experts", "experts_active", "machine", "software", "source", "url", "date", "confidence",
)  # fmt: skip
REPEATS = 5


@dataclass(frozen=True)
class Sizes:
    """How large the experiments are; the default takes a minute or two on two processor cores."""

    stream_bytes: float = 400e6
    square: int = 3072
    layers: int = 4
    d_model: int = 1024
    head: int = 64
    batches: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64, 128, 256)
    contexts: tuple[int, ...] = (0, 512, 4096)
    cache_bytes: float = 2e9  # larger caches are left out
    experts: int = 16
    experts_active: int = 1


QUICK = Sizes(8e6, 256, 1, 128, 32, (1, 8), (0, 64), 1e8, 8, 2)
LARGE = Sizes(  # for an accelerator: batches beyond the balance, weights beyond its cache
    8e9, 8192, 8, 8192, 128,
    (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048), (0, 1024, 8192), 4e10, 16, 1,
)  # fmt: skip


# ---- the two ways to compute ---------------------------------------------------------------------


class NumPy:
    """NumPy on the processor."""

    name, url = "NumPy", "https://numpy.org"

    def __init__(self) -> None:
        self._rng = np.random.default_rng(0)

    def precisions(self) -> tuple[str, ...]:
        return ("fp32", "fp64")

    def random(self, precision: str, *shape: int) -> Any:
        values = self._rng.random(shape, dtype=np.float32) - np.float32(0.5)
        return values.astype({"fp32": np.float32, "fp64": np.float64}[precision], copy=False)

    def indices(self, values: np.ndarray) -> Any:
        return values

    def softmax(self, scores: Any) -> Any:
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        return weights / weights.sum(axis=-1, keepdims=True)

    def relu(self, values: Any) -> Any:
        return np.maximum(values, 0)

    def product(self, a: Any, b: Any) -> Any:
        return a @ b

    def wait(self) -> None:
        pass

    def machine(self) -> str:
        return _processor()

    def software(self) -> str:
        return f"Python {platform.python_version()}, NumPy {np.__version__}"


class Torch:
    """PyTorch on the processor or a CUDA device, if it is installed."""

    name, url = "PyTorch", "https://pytorch.org"

    def __init__(self, device: str = "") -> None:
        try:
            import torch
        except ImportError:
            raise InputError(
                "PyTorch is not installed; --backend numpy needs nothing more"
            ) from None
        self._torch = torch
        has_cuda = torch.cuda.is_available()
        self.device = device or ("cuda" if has_cuda else "cpu")
        if self.device.startswith("cuda") and not has_cuda:
            raise InputError(f"device {self.device!r}: PyTorch finds no CUDA device here")
        torch.manual_seed(0)

    def precisions(self) -> tuple[str, ...]:
        if self.device == "cpu":
            return ("fp32", "bf16")
        # fp8 products exist from compute capability 8.9 on
        fast = self._torch.cuda.get_device_capability() >= (8, 9)
        return ("fp32", "bf16", "fp8") if fast else ("fp32", "bf16")

    def random(self, precision: str, *shape: int) -> Any:
        torch = self._torch
        kinds = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
        wide = kinds.get(precision, torch.bfloat16)
        values = torch.rand(shape, device=self.device, dtype=wide) - 0.5
        return values.to(torch.float8_e4m3fn) if precision == "fp8" else values

    def indices(self, values: np.ndarray) -> Any:
        return self._torch.as_tensor(values, device=self.device)

    def softmax(self, scores: Any) -> Any:
        return self._torch.softmax(scores, dim=-1)

    def relu(self, values: Any) -> Any:
        return self._torch.relu(values)

    def product(self, a: Any, b: Any) -> Any:
        if a.dtype != getattr(self._torch, "float8_e4m3fn", None):
            return a @ b
        # fp8 kernels want scales, and the second factor stored by columns
        one = self._torch.ones((), device=self.device)
        by_columns = b.t().contiguous().t()
        return self._torch._scaled_mm(a, by_columns, one, one, out_dtype=self._torch.bfloat16)

    def wait(self) -> None:
        if self.device != "cpu":
            self._torch.cuda.synchronize()

    def machine(self) -> str:
        if self.device == "cpu":
            return _processor()
        return str(self._torch.cuda.get_device_name())

    def software(self) -> str:
        cuda = f", CUDA {self._torch.version.cuda}" if self.device != "cpu" else ""
        return f"Python {platform.python_version()}, PyTorch {self._torch.__version__}{cuda}"


def _processor() -> str:
    """The processor in general words, with the threads that its libraries were allowed."""
    threads = int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1)
    return f"{platform.machine()} processor, {threads} thread{'s' * (threads > 1)}"


def backend(name: str = "", device: str = "") -> Any:
    """NumPy or PyTorch by name; PyTorch if nothing is said and it is installed."""
    if name not in ("", "numpy", "torch"):
        raise InputError(f"unknown backend {name!r}: it must be 'numpy' or 'torch'")
    if name == "torch" or (not name and importlib.util.find_spec("torch")):
        return Torch(device)
    if device not in ("", "cpu"):
        raise InputError(f"device {device!r}: NumPy computes on the processor only")
    return NumPy()


def best(
    run: Callable[[], Any], wait: Callable[[], None] = lambda: None, repeats: int = REPEATS
) -> float:
    """Shortest of a few timings, after one that warms up."""
    run()
    wait()
    spans = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        wait()
        spans.append(time.perf_counter() - start)
    return min(spans)


# ---- the experiments -----------------------------------------------------------------------------


def stream(on: Any, precision: str, sizes: Sizes) -> dict[str, Any]:
    """Read a large matrix once, by multiplying it with one vector."""
    width = 4096
    rows = max(int(sizes.stream_bytes / WIDTH[precision] / width), 1)
    matrix, vector = on.random(precision, rows, width), on.random(precision, width)
    seconds = best(lambda: matrix @ vector, on.wait)
    return {"seconds": seconds, "bytes_read": rows * width * WIDTH[precision]}


def matmul(on: Any, precision: str, sizes: Sizes) -> dict[str, Any]:
    """Multiply two square matrices."""
    n = sizes.square
    a, b = on.random(precision, n, n), on.random(precision, n, n)
    return {"seconds": best(lambda: on.product(a, b), on.wait), "flop": 2 * n**3}


@dataclass(frozen=True)
class Stack:
    """A small transformer without its vocabulary: what one decode step really runs."""

    on: Any
    precision: str
    sizes: Sizes
    layers: list[tuple[Any, Any, Any, Any]]

    @classmethod
    def random(cls, on: Any, precision: str, sizes: Sizes) -> Stack:
        d = sizes.d_model
        shapes = ((d, 3 * d), (d, d), (d, 4 * d), (4 * d, d))
        layers = [tuple(on.random(precision, *s) for s in shapes) for _ in range(sizes.layers)]
        return cls(on, precision, sizes, layers)

    def model(self) -> Model:
        """The same stack as the blackboard sees it."""
        d, n, width = self.sizes.d_model, self.sizes.layers, WIDTH[self.precision]
        return Model(
            n_total=12 * d * d * n,
            n_active=12 * d * d * n,
            bytes_per_param=width,
            kv_bytes_per_token=2 * d * n * width,
            layers=n,
            d_model=d,
            experts=1,
            experts_active=1,
            attention_width=2 * d,
        )

    def caches(self, batch: int, context: int) -> list[tuple[Any, Any]]:
        heads, head = self.sizes.d_model // self.sizes.head, self.sizes.head
        shape = (batch, heads, context, head)
        return [
            (self.on.random(self.precision, *shape), self.on.random(self.precision, *shape))
            for _ in self.layers
        ]

    def step(self, x: Any, caches: list[tuple[Any, Any]]) -> Any:
        """One decode step: each sequence's newest token through all layers."""
        heads, head = self.sizes.d_model // self.sizes.head, self.sizes.head
        for (qkv, out, up, down), (keys, values) in zip(self.layers, caches, strict=True):
            # the new key and value are computed; storing them would take next to no time
            query = (x @ qkv)[:, : self.sizes.d_model].reshape(len(x), heads, 1, head)
            if keys.shape[2]:
                scores = self.on.softmax(query @ keys.swapaxes(-1, -2) * head**-0.5)
                seen = (scores @ values).reshape(len(x), heads * head)
                x = x + seen @ out
            else:
                x = x + query.reshape(len(x), heads * head) @ out
            x = x + self.on.relu(x @ up) @ down
            x = x * (1 / (abs(x).max() + 1))  # stands for the normalisation: keeps numbers finite
        return x


def decode(on: Any, precision: str, sizes: Sizes) -> Iterator[dict[str, Any]]:
    """Time decode steps of the stack over context and batch."""
    stack = Stack.random(on, precision, sizes)
    model = stack.model()
    for context in sizes.contexts:
        for batch in sizes.batches:
            if batch * context * model.kv_bytes_per_token > sizes.cache_bytes:
                continue
            caches = stack.caches(batch, context)
            x = on.random(precision, batch, sizes.d_model)
            seconds = best(functools.partial(stack.step, x, caches), on.wait)
            yield {"batch": batch, "context": context, "seconds": seconds, **_columns(model)}


def experts(on: Any, precision: str, sizes: Sizes) -> Iterator[dict[str, Any]]:
    """Time mixture-of-experts layers over batch, each token sent to random experts of each."""
    d, n, k = sizes.d_model, sizes.experts, sizes.experts_active

    def expert() -> tuple[Any, Any]:
        return on.random(precision, d, d), on.random(precision, d, d)

    layers = [[expert() for _ in range(n)] for _ in range(sizes.layers)]
    model = Model(
        n_total=2 * d * d * n * sizes.layers,
        n_active=2 * d * d * k * sizes.layers,
        bytes_per_param=WIDTH[precision],
        kv_bytes_per_token=0,
        layers=sizes.layers,
        d_model=d,
        experts=n,
        experts_active=k,
    )
    rng = np.random.default_rng(1)
    for batch in sizes.batches:
        plan = []  # routed before the clock starts: (expert, its rows) for each expert concerned
        for layer in layers:
            chosen = np.argsort(rng.random((batch, n)), axis=1)[:, :k]
            rows = [np.flatnonzero((chosen == e).any(axis=1)) for e in range(n)]
            plan += [(w, on.indices(r)) for w, r in zip(layer, rows, strict=True) if len(r)]
        x = on.random(precision, batch, d)

        def run(x: Any = x, plan: Any = plan) -> Any:
            total = x * 0
            for (up, down), rows in plan:
                total[rows] += on.relu(x[rows] @ up) @ down
            return total

        yield {"batch": batch, "context": 0, "seconds": best(run, on.wait), **_columns(model)}


def _columns(model: Model) -> dict[str, Any]:
    names = ("n_total", "n_active", "bytes_per_param", "kv_bytes_per_token", "layers", "d_model",
             "experts", "experts_active")  # fmt: skip
    return {name: getattr(model, name) for name in names}


def measure(on: Any, sizes: Sizes = Sizes()) -> Iterator[dict[str, Any]]:
    """All experiments, a row each: rates for every precision, the rest at the narrowest one
    in which everything exists (bf16, or fp32 for NumPy).
    """
    about = {
        "machine": on.machine(),
        "software": on.software(),
        "source": f"python -m memwall.measure, {on.name} on {on.machine()}",
        "url": on.url,
        "date": datetime.date.today().isoformat(),
        "confidence": "high",
    }

    def row(experiment: str, precision: str, found: dict[str, Any]) -> dict[str, Any]:
        return {**dict.fromkeys(COLUMNS, ""), "experiment": experiment, "precision": precision,
                **found, **about}  # fmt: skip

    for precision in on.precisions():
        if precision != "fp8":  # an fp8 matrix cannot be read by a plain product
            yield row("stream", precision, stream(on, precision, sizes))
        yield row("matmul", precision, matmul(on, precision, sizes))
    common = "bf16" if "bf16" in on.precisions() and _on_device(on) else "fp32"
    for found in decode(on, common, sizes):
        yield row("decode", common, found)
    for found in experts(on, common, sizes):
        yield row("experts", common, found)


def _on_device(on: Any) -> bool:
    return getattr(on, "device", "cpu") != "cpu"


# ---- measured against the blackboard -------------------------------------------------------------


def kept(name: str = "measured_cpu") -> list[dict[str, Any]]:
    """The rows of a table of the catalog made by this module, numbers as numbers."""
    text = COLUMNS[:2] + COLUMNS[15:]
    return [
        {k: v if k in text else float(v) if v else "" for k, v in row.items()}
        for row in catalog.table(name)
    ]


def system_of(rows: Sequence[dict[str, Any]], precision: str) -> System:
    """The machine as a `System`: the rates its `stream` and `matmul` reached in a precision."""
    read = [r["bytes_read"] / r["seconds"] for r in rows if r["experiment"] == "stream"]
    done = [
        r["flop"] / r["seconds"]
        for r in rows
        if r["experiment"] == "matmul" and r["precision"] == precision
    ]
    if not read or not done:
        raise InputError(f"no stream and matmul measured in {precision!r}")
    return System(flops=max(done), bandwidth=max(read), chips=1, name=str(rows[0]["machine"]))


def model_of(row: dict[str, Any]) -> Model:
    """The model that a row of `decode` or `experts` ran."""
    return Model(**{name: row[name] for name in _columns(Model.symbolic())})


def predicted(row: dict[str, Any], system: System) -> float:
    """What the blackboard says of a row of `decode` or `experts`: a floor, on measured rates."""
    model = model_of(row)
    if row["experiment"] == "decode":
        return float(roofline.step_time(row["batch"], row["context"], model, system))
    read = weight_bytes_read(row["batch"], model) / system.bandwidth
    return float(max(roofline.compute_time(row["batch"], model, system), read))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m memwall.measure", description=__doc__.split("\n")[0]
    )
    parser.add_argument(
        "--backend", default="", help="numpy or torch (default: torch if installed)"
    )
    parser.add_argument("--device", default="", help="cpu or cuda, for torch")
    parser.add_argument(
        "--quick", action="store_true", help="toy sizes: seconds, not a measurement"
    )
    parser.add_argument("--rounds", type=int, default=1, help="all of it so often, best time kept")
    options = parser.parse_args(arguments)
    try:
        if options.rounds < 1:
            raise InputError(f"rounds = {options.rounds} must be at least 1")
        on = backend(options.backend, options.device)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    sizes = QUICK if options.quick else LARGE if _on_device(on) else Sizes()
    rows = list(measure(on, sizes))
    for _ in range(options.rounds - 1):
        for row, again in zip(rows, measure(on, sizes), strict=True):
            row["seconds"] = min(row["seconds"], again["seconds"])
    write_csv(sys.stdout, rows, COLUMNS, number="{:.6g}".format)
    return 0


if __name__ == "__main__":
    sys.exit(main())
