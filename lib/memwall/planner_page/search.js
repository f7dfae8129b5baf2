/* The planner without its page: a model read and stored anew, machines and layouts, the cheapest that
   meets a traffic, a command line and a log read. The arithmetic is `memwallDeployment`, printed from
   the formulas; what stands here are the steps of memwall/planner.py and formulas/layout.py, and a
   test holds each against its twin in Python. A classic script, as explorer.js is. */
var memwallPlan = (data) => {
const { ceil, floor, log2, max, min, round } = Math, { human } = memwallExplorer;
const at = Object.fromEntries(data.slots.map((name, i) => [name, i]));
const out = Object.fromEntries(data.results.map((name, i) => [name, i]));
class Refused extends Error {}
const refuse = (text) => { throw new Refused(text); };
const sum = (list, of) => list.reduce((total, x) => total + of(x), 0);

// ---- 1 models: configuration, widths, slots

const rows = new Map(data.models.flatMap((m) => [m.name, ...m.aliases].map((name) => [name.toLowerCase(), m])));
const configuration = (name) => {
	const { like, ...own } = data.configs[name];
	return like ? { ...configuration(like), ...own } : own;
};

// what a repository's name means: catalog/names.py
function readName(said) {
	const short = said.toLowerCase(), begins = [...new Set([...rows].filter(([n]) => short && n.startsWith(short)).map(([, m]) => m))];
	const whole = rows.get(short) ?? (begins.length === 1 ? begins[0] : undefined);
	if (whole) return { row: whole, weights: "" };
	const ending = new RegExp(data.endings, "i");
	let width = "", rest = short.replace(/^(.*\/)?(meta-(?=llama))?/, "");
	while (rest && !rows.has(rest)) {
		const [, before, word = ""] = ending.exec(rest) ?? [];
		if (!before) return undefined;
		[rest, width] = [before, width || data.meant[word] || data.widthsCalled[word] || ""];
	}
	const row = rows.get(rest), own = rows.get(`${row?.name}-${width}`.toLowerCase());
	if (!row) return undefined;
	return !width || row.weights.split("+").includes(width) ? { row, weights: "" } : own?.name.toLowerCase() === `${row.name}-${width}`.toLowerCase() ? { row: own, weights: "" } : { row, weights: width };
}
const findModel = (name) => readName(name)?.row;

// as released or stored anew, and its cache in 16 or 8 bit: core/checkpoint.py; the last few are kept
const read = new Map();
function checkpoint(asked) {
	const key = JSON.stringify([asked.config ?? asked.model, asked.weights, asked.cache]);
	if (!read.has(key)) {
		if (read.size > 20) read.clear();
		read.set(key, readCheckpoint(asked));
	}
	return read.get(key);
}
function readCheckpoint({ model, config, weights = "", cache = "bf16" }) {
	const row = config ? null : findModel(model) ?? refuse(`no model is called ${model}`);
	let found = memwallConfig.read(config ?? configuration(row.config || row.name), data.families, row ? { name: row.name } : {});
	if (weights && weights.toLowerCase() !== row?.weights) found = storedAnew(found, weights);
	const narrow = cache === "fp8";
	const groups = found.groups.map((g) => ({ ...data.group, ...g, bytes_per_element: narrow && g.entry ? (g.fp8_bytes || g.entry) / g.entry : narrow ? 1 : 2 }));
	return { ...found, groups, row, routed: found.parts.some((p) => p.kind === "routed") };
}

function storedAnew(model, weights) {
	const w = data.widths[weights] ?? refuse(`no width is called ${weights}`), routed = model.parts.some((p) => p.kind === "routed");
	const kinds = w.matrix >= 2 ? null : w.family.startsWith("GGUF") ? [...data.matrices, "embedding", "head", "predictor"]
		: w.name === "mxfp4" && routed ? ["routed"] : data.matrices;
	const parts = model.parts.map((p) => (kinds && !kinds.includes(p.kind) ? p
		: { ...p, bytes_per_param: p.kind === "head" ? w.head : w.matrix, arithmetic: data.products[w.name] ?? "bf16" }));
	const wider = parts.some((p, i) => p.bytes_per_param > model.parts[i].bytes_per_param);
	const kept = [...new Set(parts.filter((p) => kinds && !kinds.includes(p.kind)).map((p) => p.kind))].sort();
	const released = kept.length ? `; as released: ${kept.join(", ")}` : "", note = `weights stored anew as ${weights}${released}${wider ? "; wider than released, which adds bytes and no precision" : ""}`;
	return { ...model, parts, notes: [...model.notes, note] };
}

// a vector with the model's slots filled: planner_page/trace.py
function vectorOf(model) {
	const v = new Float64Array(data.slots.length), groups = data.groups;
	if (model.groups.length > groups) refuse(`${model.name} has ${model.groups.length} kinds of layers; the page counts ${groups}`);
	for (let i = 0; i < groups; i++) {
		const group = model.groups[i] ?? { ...data.group, layers: 0 };
		for (const field of data.groupFields) v[at[`group${i}.${field}`]] = group[field];
	}
	for (const part of model.parts) {
		const kind = data.standsFor[part.kind];
		if (!kind) continue;
		const name = `${kind}.${kind === "embedding" || kind === "norm" ? "bf16" : data.sameRate[part.arithmetic] ?? part.arithmetic}`;
		v[at[`${name}.parameters`]] += part.parameters;
		v[at[`${name}.active`]] += part.active;
		v[at[`${name}.bytes_per_param`]] += part.parameters * part.bytes_per_param;
	}
	for (const [name, i] of Object.entries(at)) {
		if (name.endsWith(".bytes_per_param")) v[i] = v[i - 2] ? v[i] / v[i - 2] : 1;  // parameters, active, bytes_per_param
	}
	for (const field of data.modelFields) v[at[`model.${field}`]] = field === "launches" ? launches(model) : model[field] ?? 1;
	return v;
}

// products of a pass that wait for each other: core/checkpoint.py
function launches(model) {
	const { layers, routed_layers: routed } = model, blocks = { dense: layers - routed, shared: routed, routed }, kinds = new Set(model.parts.map((p) => p.kind));
	return sum(model.groups, (g) => g.layers * (data.inTurn[g.kind] ?? data.inTurn.full)) + sum(Object.keys(blocks).filter((k) => kinds.has(k)), (k) => data.feedsInTurn[k] * blocks[k]);
}

// the rules by which an engine shares out a chip's memory: catalog/engines.py
function engineOf(chip, q) {
	const rules = data.engines[q.engine ?? "vLLM"], large = chip.capacity >= rules.above && !data.noLarge.some((name) => chip.name.startsWith(name));
	const found = { ...(large ? rules.large : rules.small) };
	for (const field of ["memory_share", "batched_tokens", "sequences", "drafts", "acceptance"]) if (q[field] != null) found[field] = q[field];
	return found;
}

// ---- 2 machines and layouts: Chip.machine, formulas/layout.py

function putMachine(v, chip, chips, rent) {
	const link = chip.scale_up ?? chip.scale_out ?? (chips === 1 ? chip.bandwidth : null), narrow = chip.fp8 ?? chip.bf16;
	const system = {
		flops: narrow, bandwidth: chip.bandwidth, capacity: chip.capacity, scale_up: link, scale_out: chip.scale_out ?? link,
		dollars_per_second: rent ?? 0, bf16_flops: chip.bf16, fp8_flops: narrow, fp4_flops: chip.fp4 ?? narrow,
	};
	for (const [field, value] of Object.entries(system)) v[at[`system.${field}`]] = chips * value;
	v[at["system.chips"]] = chips;
	v[at["system.domain"]] = chip.domain ?? chips;
	v[at["system.torus"]] = chip.torus;
	for (const [field, value] of Object.entries(data.efficiency[chip.kind])) v[at[`efficiency.${field}`]] = value;
	return link !== null;
}

function sizes(chip, most) {
	const domain = floor(chip.domain ?? 8), inside = Array.from({ length: floor(log2(min(domain, most))) + 1 }, (_, k) => 2 ** k);
	const beyond = [2, 4].map((k) => domain * k).filter((n) => n <= most && chip.scale_out);
	return [...new Set([...inside, ...beyond])].sort((a, b) => a - b);
}

const heads = (model) => model.groups.filter((g) => g.width).reduce((few, g) => min(few, g.query_heads), Infinity);

// why no engine would start this layout, or ""
function whyNot(model, { tp, dp, ep, pp }) {
	const name = model.name, own = heads(model);
	if (pp > model.layers) return `pp = ${pp} stages are more than the ${model.layers} layers of ${name}`;
	if ((own < Infinity ? own : 1) % tp) return `tp = ${tp} does not divide the ${own < Infinity ? own : 1} attention heads of ${name}`;
	const uneven = model.groups.find((g) => g.entry && g.kv_heads % tp && tp % g.kv_heads);
	if (uneven) return `tp = ${tp} neither divides the ${uneven.kv_heads} key-value heads of ${name} nor is a multiple of them`;
	if (ep === 1) return "";
	if (!model.routed) return `ep = ${ep}: ${name} has no experts to spread`;
	if ((tp * dp) % ep) return `ep = ${ep} does not divide the tp x dp = ${tp * dp} chips of a stage`;
	return ep > model.experts ? `ep = ${ep} is more than the ${model.experts} experts of a layer: some chips would hold none` : "";
}

function layouts(model, chips, domain) {
	const inside = floor(min(chips, domain)), found = [];
	for (let tp = inside; tp > 0; tp--) {
		if (inside % tp || chips % tp) continue;
		const stages = chips / tp, cut = tp > 1 ? `each matrix cut over ${tp} chips` : "whole on one chip";
		found.push({ tp, dp: 1, ep: 1, pp: stages, why: cut + (stages > 1 ? `, ${stages} stages in a row` : "") });
		if (tp * 2 < inside && tp < 8) break;
	}
	if (model.routed && chips > 1) {
		let ep = min(chips, model.experts);
		while (chips % ep) ep--;
		found.push({ tp: 1, dp: chips, ep, pp: 1, why: `attention on each of ${chips} chips, experts spread over all` });
	}
	return found.filter((layout) => !whyNot(model, layout));
}

const inWords = (layout) => ["tp", "dp", "ep", "pp"].filter((n) => layout[n] !== 1).map((n) => `${n} ${layout[n]}`).join(", ") || "one chip";

// ---- 3 one option, and all of them: planner._option, planner.alternatives

const USERS = Float64Array.from(data.users), R = new Float64Array(data.results.length);
// what is asked of a load, kept while one option is searched: the three searches meet the same loads
const ASKED = ["time_per_token", "first_token", "running", "request_rate"].map((name) => out[name]);
const SEEN = new Uint8Array(USERS.length), [TOKEN, FIRST, RUNNING, RATE] = ASKED.map(() => new Float64Array(USERS.length));

function prepare(question) {
	const model = checkpoint(question), v = (model.vector ??= vectorOf(model)).slice(), q = question;
	for (const field of ["prompt", "output", "cached"]) v[at[`workload.${field}`]] = q[field];
	return { ...q, checkpoint: model, v, run: memwallDeployment[+model.routed] };
}

// a job is a chip, a number of chips and a layout with a vector of its own; run it at so many users
function job(prepared, chip, count, layout) {
	const v = prepared.v.slice(), rent = prepared.rents?.[chip.name] ?? chip.rent;
	const linked = putMachine(v, chip, count, rent);
	for (const field of ["tp", "dp", "ep", "pp"]) v[at[`layout.${field}`]] = layout[field];
	const engine = engineOf(chip, prepared);
	for (const [field, value] of Object.entries(engine)) v[at[`engine.${field}`]] = value ?? NaN;
	if (engine.memory_share == null) v[at["engine.memory_share"]] = memwallDeployment[2](v);
	return { v, run: prepared.run, chip, count, layout, rent, linked };
}
function runAt(work, users, into = R) {
	work.v[at["workload.users"]] = users;
	work.run(work.v, into);
	return into;
}

function loadAt(work, i) {
	if (SEEN[i]) return;
	const r = runAt(work, USERS[i]);
	SEEN[i] = 1;
	[TOKEN[i], FIRST[i], RUNNING[i], RATE[i]] = [r[ASKED[0]], r[ASKED[1]], r[ASKED[2]], r[ASKED[3]]];
}

// the largest load within the targets when a token and a first token come that much later
function reach(work, q, slower, later, fit) {
	const limitAt = (i) => {
		loadAt(work, i);
		if (slower * TOKEN[i] * q.token_rate > 1) return "speed";
		if (later * FIRST[i] > q.first_token) return "first token";
		return USERS[i] > min(fit, q.sequences ?? Infinity) ? "cache" : "";
	};
	let low = -1, high = USERS.length;  // low is good, high is not
	while (high - low > 1) {
		const middle = (low + high) >> 1;
		if (limitAt(middle)) high = middle; else low = middle;
	}
	const limit = limitAt(min(high, USERS.length - 1)) || "cache", last = max(low, 0);
	loadAt(work, last);
	const rate = RUNNING[last] / (later * FIRST[last] + (q.output - 1) * slower * TOKEN[last]);
	return { last: low, limit, able: low < 0 || q.users ? USERS[last] : rate };
}

function option(q, work) {
	const { chip, count, layout } = work, found = { chip: chip.name, layout, count, work, chips: count, fails: "" };
	const failed = (fails, depth) => ({ ...found, fails, depth });
	runAt(work, 1);
	if (!R[out.room]) return failed("the weights do not fit", 0);
	const fit = R[out.largest_concurrency];
	if (fit < layout.dp) return failed("not one request fits beside the weights", 1);
	SEEN.fill(0);
	const { last, limit, able } = reach(work, q, 1, 1, fit);
	if (last < 0) {
		runAt(work, USERS[0]);
		return limit === "speed" ? failed(`too slow even for one user: ${human(1 / R[out.time_per_token], "token/s")}`, 2)
			: failed(`first token after ${human(R[out.first_token], "s")} even for one user`, 3);
	}
	const wanted = q.users || q.rate, replicas = max(ceil(wanted / able), 1), band = data.bands[chip.kind];
	const ends = [0, 1].map((end) => reach(work, q, band.tpot[end], band.ttft[end], fit));
	const [best, worst] = ends.map((e) => (e.last >= 0 ? max(ceil(wanted / e.able), 1) : null));
	let here = 0, over = last + 1;  // as numpy.searchsorted
	while (here < over) {
		const middle = here + ((over - here) >> 1), load = q.users ? USERS[middle] : (loadAt(work, middle), RATE[middle]);
		if (load < wanted / replicas) here = middle + 1; else over = middle;
	}
	here = min(here, last);
	return {
		...found, limit, replicas, chips: count * replicas, users: USERS[here], most: USERS[last], able,
		result: Float64Array.from(runAt(work, USERS[here])), dollars: work.rent == null ? null : work.rent * count * replicas,
		busy: wanted / replicas / able, replicasBand: [best ?? replicas, worst], busyBand: [wanted / replicas / ends[0].able, worst ? wanted / replicas / ends[1].able : Infinity],
	};
}

const rank = (a, b) => !!a.fails - !!b.fails || (a.dollars == null) - (b.dollars == null) || (a.dollars ?? 0) - (b.dollars ?? 0) || a.chips - b.chips || (a.busy ?? 0) - (b.busy ?? 0);

// every job of a question: a chip that may be used, its sizes, its layouts, or the one that was given
function jobs(prepared) {
	const { chips, given, checkpoint: model, most = 64 } = prepared, found = [];
	for (const chip of chips) {
		if (given) {
			const count = given.tp * given.dp * given.pp, why = whyNot(model, given);
			if (why) found.push({ fails: why, chip, count, layout: given });
			else found.push(job(prepared, chip, count, { ...given, why: "as given" }));
			continue;
		}
		const some = found.length;
		for (const count of sizes(chip, most)) {
			if ((chip.scale_up ?? chip.scale_out) == null && count > 1) continue;
			for (const layout of layouts(model, count, chip.domain ?? count)) found.push(job(prepared, chip, count, layout));
		}
		if (found.length === some) found.push({ fails: `no layout divides the heads of ${model.name}`, chip, count: 1, layout: { tp: 1, dp: 1, ep: 1, pp: 1 } });
	}
	return found;
}
function answer(prepared, work) {
	const failed = (fails) => ({ chip: work.chip.name, layout: work.layout, count: work.count, chips: work.count, fails, depth: 0 });
	if (work.fails) return failed(work.fails);
	if (work.linked === false) return failed("how its cards are linked is not known, so no group of them");
	return option(prepared, work);
}
function alternatives(question) {
	const prepared = prepare(question);
	return jobs(prepared).map((work) => answer(prepared, work)).sort(rank);
}

// points of one replica from a single user to where memory ends
function frontier(found, q) {
	const fit = min(runAt(found.work, 1)[out.largest_concurrency], q.sequences ?? Infinity), points = [];
	for (const users of [...USERS.filter((u) => u <= fit), ...(fit < USERS.at(-1) ? [fit] : [])]) {
		const r = runAt(found.work, users);
		points.push({ users, speed: 1 / r[out.time_per_token], price: found.work.rent == null ? null : r[out.request_cost] / q.output, per_chip: r[out.token_rate] / found.count });
	}
	return points;
}

// ---- 4 a command line

// what each flag is here, by its names in vLLM and SGLang: a slot of the question, or a remark
const FLAGS = {
	"model model-path": ["model", "the model"],
	"tensor-parallel-size tp tp-size": ["tp", "chips that share each matrix"],
	"pipeline-parallel-size pp pp-size": ["pp", "stages, each with its share of the layers"],
	"data-parallel-size dp dp-size": ["dp", "sets of chips that take different sequences"],
	"expert-parallel-size ep ep-size": ["ep", "chips that hold different experts"],
	"enable-expert-parallel": ["spread", "whole experts on different chips"],
	"enable-dp-attention": ["dp_attention", "attention on each chip, experts over all"],
	"gpu-memory-utilization mem-fraction-static": ["memory_share", "share of a chip's memory that the engine may use"],
	"max-num-batched-tokens chunked-prefill-size max-prefill-tokens": ["batched_tokens", "tokens of the largest pass: larger ones read prompts sooner and take room from caches"],
	"max-num-seqs max-running-requests": ["sequences", "requests running at once, at most"],
	"max-model-len context-length": ["length", "longest request; memory is not reserved for it, but one such must fit"],
	"kv-cache-dtype": ["cache", "how keys and values are kept"],
	"quantization q": ["weights", "how weights are stored"],
	"dtype": ["dtype", "width of what is not quantised"],
	"enforce-eager disable-cuda-graph": [null, "no captured graphs: every layer's launches cost more than forecast here"],
	"speculative-config num-speculative-tokens speculative-num-steps": ["drafts", "speculation: tokens guessed ahead in a step and checked together; how often they are right is yours to say"],
	"speculative-algorithm speculative-eagle-topk speculative-num-draft-tokens speculative-draft-model-path speculative-model": [null, "how the guesses are made: not counted, only how many and how often right"],
	"enable-prefix-caching no-enable-prefix-caching disable-radix-cache": [null, "prefix caching: the share cached of the question says what it finds"],
	"enable-chunked-prefill no-enable-chunked-prefill": [null, "prompts are read in pieces beside the steps, as assumed here"],
	"cpu-offload-gb swap-space": [null, "memory of the host: weights there are read over the bus, far slower than forecast here"],
	"block-size page-size": ["page", "tokens of a page of cache"],
	"host port api-key served-model-name trust-remote-code tool-call-parser reasoning-parser enable-auto-tool-choice chat-template uvicorn-log-level log-level disable-log-requests disable-log-stats seed download-dir tokenizer tokenizer-path revision generation-config": [null, "no matter for time or memory"],
	"async-scheduling enable-metrics max-log-len": [null, "not counted"],
};
const flagOf = new Map(Object.entries(FLAGS).flatMap(([names, what]) => names.split(" ").map((name) => [name, what])));
const ALONE = /^(enable|disable|no|trust|enforce|async)-/;

function words(line) {
	const found = [];
	for (const [, quoted, single, plain] of line.replace(/\\\s*\n/g, " ").matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|(\S+)/g)) found.push(quoted ?? single ?? plain);
	return found;
}

// {set: what the question becomes, said: [flag, value, meaning]}, or null if the line starts no engine
function readCommand(line) {
	const all = words(line), serve = all.findIndex((w, i) => (w === "serve" && /(^|\/)vllm$/.test(all[i - 1] ?? "")) || /^(vllm\.entrypoints|sglang\.launch_server|sglang\.bench)/.test(w) || (w === "serve" && all[i - 1] === "sglang"));
	if (serve < 0) return null;
	const sglang = all.slice(0, serve + 1).some((w) => w.includes("sglang")), set = {}, said = [], raw = {};
	for (let i = serve + 1; i < all.length; i++) {
		const word = all[i];
		if (!/^-{1,2}[a-zA-Z]/.test(word)) {
			if (!raw.model) { raw.model = word; said.push([word, "", "the model"]); } else said.push([word, "", "not understood here"]);
			continue;
		}
		const [flag, attached] = word.replace(/^-+/, "").split(/=(.*)/s), name = flag.replaceAll("_", "-"), what = flagOf.get(name);
		const alone = ALONE.test(name) || all[i + 1] === undefined || /^--?[a-zA-Z]/.test(all[i + 1]);
		const value = attached ?? (alone ? "" : all[++i]);
		said.push([`--${name}`, value, what ? what[1] : "not known here: not counted"]);
		if (what?.[0]) raw[what[0]] = value === "" ? true : value;
	}
	const number = (name, low, high) => {
		if (raw[name] === undefined) return undefined;
		const text = String(raw[name]), value = +text.replace(/k$/i, "") * (/k$/i.test(text) ? 1024 : 1);
		if (!(value >= low && value <= high)) { said.push([name, text, `no number from ${low} to ${high}: not counted`]); return undefined; }
		return value;
	};
	const whole = (name) => { const n = number(name, 1, 4096); return n === undefined ? 1 : round(n); };
	let tp = whole("tp"), dp = whole("dp"), ep = whole("ep");
	const pp = whole("pp");
	if (sglang && raw.dp_attention) tp = max(1, tp / dp);
	if (sglang && dp > 1 && !raw.dp_attention) { said.push(["--dp", String(dp), "copies of the whole model, each for different users: counted as replicas"]); dp = 1; }
	if (!sglang && raw.spread) ep = tp * dp;
	set.given = { tp, dp, ep, pp };
	set.engine = sglang ? "SGLang" : "vLLM";
	if (typeof raw.model === "string") {
		const read = readName(raw.model);
		if (read) {
			set.model = read.row.name;
			if (read.weights) set.weights = read.weights;
			said.push(["model", raw.model, `read as ${read.row.name}` + (read.weights && `, stored anew as ${read.weights}`)]);
		} else said.push(["model", raw.model, "not in the catalog: paste its config.json, or choose the nearest"]);
	}
	for (const [name, low, high] of [["memory_share", 0.05, 1], ["batched_tokens", 1, 1e6], ["sequences", 1, 1e5]]) {
		const value = number(name, low, high);
		if (value !== undefined) set[name] = value;
	}
	const guesses = /num_speculative_tokens\W*(\d+)|^(\d+)$/.exec(String(raw.drafts ?? ""));
	if (guesses) set.drafts = min(+(guesses[1] ?? guesses[2]), 32);
	set.length = number("length", 1, 1e8);
	if (typeof raw.cache === "string") set.cache = /fp8|int8/i.test(raw.cache) ? "fp8" : "bf16";
	if (typeof raw.weights === "string") {
		const width = { fp8: "fp8", awq: "gptq", "awq_marlin": "gptq", gptq: "gptq", "gptq_marlin": "gptq", bitsandbytes: "nf4", modelopt_fp4: "nvfp4", mxfp4: "mxfp4", w8a8_int8: "int8" }[raw.weights.toLowerCase()];
		if (width) set.weights = width;
		else said.push(["quantization", raw.weights, "weights taken as released"]);
	}
	return { engine: sglang ? "SGLang" : "vLLM", set, said };
}

// ---- 5 lines of a log

const GiB = 2 ** 30, count = (text) => +text.replaceAll(",", "");
const LOG = [
	[/available KV cache memory[^\d]{0,12}([\d.]+)\s*GiB/i, (m) => ({ kind: "room", value: +m[1] * GiB })],
	[/KV Cache is allocated.*?#tokens:\s*([\d,]+)/i, (m) => ({ kind: "tokens", value: count(m[1]) })],
	[/max_total_num_tokens=([\d,]+)/i, (m) => ({ kind: "tokens", value: count(m[1]) })],
	[/KV cache size:\s*([\d,]+)\s*tokens/i, (m) => ({ kind: "tokens", value: count(m[1]) })],
	[/maximum concurrency for\s*([\d,]+)\s*tokens per request:\s*([\d.]+)x/i, (m) => ({ kind: "concurrency", length: count(m[1]), value: +m[2] })],
	[/max seq(?:uence)? len(?:gth)?\s*\(([\d,]+)\).*?larger than the maximum number of tokens.*?\(([\d,]+)\)/is, (m) => ({ kind: "too long", length: count(m[1]), value: count(m[2]) })],
	[/max seq(?:uence)? len(?:gth)?\s*\(([\d,]+)\)[^]*?\(?([\d.]+)\s*GiB KV cache is needed/i, (m) => ({ kind: "needed", length: count(m[1]), value: +m[2] * GiB })],
	[/(?:model loading took|model weights take|mem usage=)\s*([\d.]+)\s*(?:GiB|GB)/i, (m) => ({ kind: "weights", value: +m[1] * GiB })],
	[/no available memory for the cache blocks/i, () => ({ kind: "none" })],
	[/out of memory(?:[^]*?tried to allocate ([\d.]+)\s*([GM])iB)?/i, (m) => ({ kind: "out of memory", value: m[1] ? +m[1] * (m[2] === "G" ? GiB : 2 ** 20) : NaN })],
];
function readLog(text) {
	const found = [];
	for (const [pattern, make] of LOG) {
		const m = pattern.exec(text);
		if (m && !found.some((f) => f.kind === make(m).kind)) found.push(make(m));
	}
	return found;
}

return { alternatives, answer, at, checkpoint, data, findModel, readName, frontier, heads, inWords, job, jobs, layouts, option, out, prepare, rank, readCommand, readLog, runAt, sizes, vectorOf, whyNot, Refused };
};
