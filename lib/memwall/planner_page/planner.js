/* The planner's page: the question on one side, the answer on the other. `search.js` finds the answer;
   here are controls, words and drawings. While a control moves, the sentence is found among the best
   options of the last full search; the table follows when the hand rests. */
var memwallPlanner = (() => {
const { human, parse } = memwallExplorer, { abs, ceil, floor, log10, max, min, round } = Math;
const NEAR = 8, REST = 140;  // options searched while a control moves; ms of rest before the table
const SLIDERS = {
	rate: ["requests a second", "1", 0.01, 1000], users: ["users at once", "1", 1, 20000], prompt: ["Prompt", "tokens", 1, 1e6], output: ["Answer", "tokens", 1, 32000],
	cached: ["Found in a cache", "%", 0, 1], first_token: ["First token within", "s", 0.1, 600], token_rate: ["Then, token/s each", "token/s", 1, 300],
};
const WHOLE = new Set(["users", "prompt", "output"]);
const ENGINE = {
	tp: ["tensor_parallel_size", "search", 1, 1024], dp: ["data_parallel_size", "search", 1, 1024], ep: ["expert parallel", "search", 1, 1024], pp: ["pipeline_parallel_size", "search", 1, 64],
	most: ["chips of a replica, at most", "64", 1, 1024], memory_share: ["gpu_memory_utilization", "the engine's", 0.05, 1], batched_tokens: ["max_num_batched_tokens", "the engine's", 1, 1e6], sequences: ["max_num_seqs", "no cap", 1, 1e5],
	drafts: ["num_speculative_tokens", "none", 1, 32], acceptance: ["chance a guess is right", "", 0, 1],
};
const SHARES = new Set(["memory_share", "acceptance"]);
const OWN = { capacity: ["memory, GB", 1e9], bandwidth: ["bandwidth, TB/s", 1e12], bf16: ["dense TFLOP/s, 16 bit", 1e12], fp8: ["8 bit", 1e12], fp4: ["4 bit", 1e12], scale_up: ["link, GB/s one way", 1e9], scale_out: ["network card, Gbit/s", 1e9 / 8], domain: ["chips in a box", 1] };
const KINDS = { weights: "weights", experts: "compute", attention: "kv", exchange: "network", launches: "muted", prompts: "money" };
const PART_WORDS = { weights: "reading weights", experts: "experts", attention: "reading caches", exchange: "exchanges between chips", launches: "starting kernels", prompts: "others' prompts" };
const FEW = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];

function el(tag, given = {}, ...inside) {
	const node = tag === "svg" || el.svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
	for (const [name, value] of Object.entries(given)) {
		if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
		else if (value === true) node.setAttribute(name, "");
		else if (value !== false && value != null) node.setAttribute(name, value);
	}
	node.append(...inside.filter((x) => x != null));
	return node;
}
const svg = (tag, given, ...inside) => { el.svg = true; try { return el(tag, given, ...inside); } finally { el.svg = false; } };
const columnHead = (text) => (text ? el("th", { scope: "col" }, text) : el("td"));
const dollars = (x) => human(x, "$", 3);
const rounded = (x) => (x >= 1e5 ? `$${human(round(x / 1e3))}k` : x >= 1e4 ? `$${(x / 1e3).toFixed(1).replace(/\.0$/, "")}k` : `$${human(round(x))}`);
const percent = (x) => `${round(x * 100)} %`;
const span = (low, high, show) => (show(low) === show(high) ? show(low) : `${show(low)} to ${show(high)}`);
const say = (n) => FEW[n] ?? human(n);

const widthsOf = (model) => model.parts.filter((p) => p.kind !== "predictor").map((p) => ({ int8: "fp8" }[p.arithmetic] ?? p.arithmetic));

class Planner {
	constructor(root, data, chapters) {
		this.root = root;
		this.P = memwallPlan(data);
		this.data = data;
		this.chapters = chapters;  // where "explain" leads: a folder of chapters, or null outside the book
		this.state = this.first();
		this.kept = null;
		this.build();
		this.fromLink();
		this.show();
		this.full();
		this.warm();
		addEventListener("hashchange", this.heard = () => { if (this.fromLink()) { this.show(); this.full(); } });
	}

	// ---- the question

	first() {
		const { data } = this, use = Object.keys(data.presets)[0];
		return { model: data.first.model, config: "", use, users: 0, rate: 0, ...data.presets[use], chips: [...data.first.chips], rents: {}, weights: "", cache: "bf16", serves: "vLLM", engine: {}, own: {}, all: false, open: "" };
	}

	ownChip() {
		const { own } = this.state, number = (f) => (own[f] > 0 ? own[f] * OWN[f][1] : null);
		if (!(own.capacity > 0 && own.bandwidth > 0 && own.bf16 > 0)) return null;
		const fields = Object.fromEntries(Object.keys(OWN).map((f) => [f, number(f)]));
		return { ...fields, name: own.name || "your chip", vendor: "", kind: "server-2025", torus: 0, rent: null, rent_low: null, rent_high: null };
	}
	chips() {
		const own = this.ownChip();
		return own ? [...this.data.chips, own] : this.data.chips;
	}

	// the state as `search.js` asks it
	question(changes = {}) {
		const s = this.state, e = s.engine, some = ["tp", "dp", "ep", "pp"].some((n) => e[n]);
		const one = (n) => e[n] ?? 1;
		return {
			model: s.model, config: s.config ? this.config : null, weights: s.weights, cache: s.cache,
			rate: s.users ? 0 : s.rate, users: s.users, prompt: s.prompt, output: s.output, cached: s.cached, first_token: s.first_token, token_rate: s.token_rate,
			engine: s.serves, memory_share: e.memory_share, batched_tokens: e.batched_tokens, sequences: e.sequences, drafts: e.drafts, acceptance: e.acceptance, most: e.most ?? 64,
			given: some ? { tp: one("tp"), dp: one("dp"), ep: one("ep"), pp: one("pp") } : null,
			chips: this.chips().filter((c) => s.chips.includes(c.name)), rents: Object.fromEntries(Object.entries(s.rents).map(([n, x]) => [n, x / 3600])), ...changes,
		};
	}

	set(changes, moving = false) {
		const asks = Object.keys(changes).some((k) => ["rate", "users", "prompt", "output", "cached", "first_token", "token_rate"].includes(k));
		if (asks && !changes.use) this.state.use = "";
		Object.assign(this.state, changes);
		this.show();
		if (moving) this.soon(); else this.full();
	}

	// ---- links

	query() {
		const first = this.first(), s = this.state, pairs = [];
		for (const name of Object.keys(first)) {
			const value = ["rents", "engine", "own"].includes(name) ? Object.entries(s[name]).map(([k, x]) => `${k}:${x}`).join(",") : Array.isArray(s[name]) ? s[name].join(",") : s[name];
			const usual = ["rents", "engine", "own"].includes(name) ? "" : Array.isArray(first[name]) ? first[name].join(",") : first[name];
			if (String(value) !== String(usual)) pairs.push(`${name}=${encodeURIComponent(value)}`);
		}
		return pairs.join("&");
	}
	link() { return `#plan?${this.query()}` + (this.kept ? `&A=${encodeURIComponent(this.kept.query)}` : ""); }
	fromLink() {
		if (!location.hash.startsWith("#plan?")) return false;
		const [now, A] = location.hash.slice(6).split(/&?\bA=/);
		this.kept = null;
		try { if (A !== undefined) this.answerAgain(decodeURIComponent(A)); } catch (error) { if (!(error instanceof URIError)) throw error; }
		this.adopt(now);
		return true;
	}
	// a link carries the question of plan A; its answer is worked out, as all answers are
	answerAgain(query) {
		this.adopt(query);
		this.show();
		this.full();
		if (this.last) this.kept = { query, summary: this.summary() };
	}
	adopt(query) {
		const s = this.first(), numbers = new Set(Object.keys(SLIDERS));
		for (const pair of query.split("&").filter(Boolean)) {
			let [name, value = ""] = pair.split("=");
			try { value = decodeURIComponent(value); } catch { continue; }
			if (!Object.hasOwn(s, name)) continue;
			if (numbers.has(name)) { if (isFinite(+value) && +value >= 0) s[name] = +value; }
			else if (name === "chips") s.chips = value.split(",").filter(Boolean);
			else if (name === "all") s.all = value === "true";
			else if (["rents", "engine", "own"].includes(name)) {
				for (const item of value.split(",").filter(Boolean)) {
					const cut = item.lastIndexOf(":"), key = item.slice(0, cut), text = item.slice(cut + 1);
					if (key === "name") s[name][key] = text;
					else if (+text > 0 && isFinite(+text)) s[name][key] = +text;
				}
			} else s[name] = value;
		}
		if (!s.rate && !s.users) s.rate = 1;
		if (s.config) { try { this.config = JSON.parse(s.config); this.P.checkpoint({ config: this.config }); } catch { s.config = ""; } }
		if (!s.config && !this.P.findModel(s.model)) s.model = this.data.first.model;
		s.weights = this.data.widthsCalled[s.weights.toLowerCase()] ?? "";
		if (!["bf16", "fp8"].includes(s.cache)) s.cache = "bf16";
		if (!Object.hasOwn(this.data.engines, s.serves)) s.serves = "vLLM";
		this.state = s;
	}

	// ---- controls

	build() {
		const { root, data } = this;
		root.replaceChildren();
		[this.boxes, this.told] = [{}, {}];
		const names = el("datalist", { id: "mw-plan-models" }, ...data.models.map((m) => el("option", { value: m.name })));
		this.model = el("input", {
			type: "text", id: "mw-plan-model", list: "mw-plan-models", autocomplete: "off", spellcheck: "false", "aria-describedby": "mw-plan-model-said",
			onfocus: () => this.model.select(), onchange: () => this.named(this.model.value), onpaste: (e) => this.pasted(e),
		});
		this.modelSaid = el("small", { id: "mw-plan-model-said", class: "mw-said" });
		this.cases = Object.keys(data.presets).map((name) => el("input", { type: "radio", name: "mw-plan-use", value: name, onchange: () => this.preset(name) }));
		this.start = el("fieldset", { class: "mw-cases" }, el("legend", {}, "Start from"), ...this.cases.map((radio) => el("label", {}, radio, el("span", {}, radio.value))));
		this.unit = el("select", { "aria-label": "Unit of the traffic", onchange: () => this.units(this.unit.value) }, el("option", { value: "rate" }, "requests / s"), el("option", { value: "users" }, "users at once"));
		this.weights = el("select", { id: "mw-plan-weights", onchange: () => this.set({ weights: this.weights.value }) }, el("option", { value: "" }, "as released"),
			...Object.keys(data.widths).map((n) => el("option", { value: n }, n)));
		this.cache = el("select", { id: "mw-plan-cache", onchange: () => this.set({ cache: this.cache.value }) }, el("option", { value: "bf16" }, "16 bit"), el("option", { value: "fp8" }, "8 bit (fp8)"));
		this.serves = el("select", { id: "mw-plan-serves", onchange: () => this.set({ serves: this.serves.value }) }, ...Object.keys(data.engines).map((n) => el("option", {}, n)));
		this.chipsSaid = el("span");
		const row = (label, ...inside) => el("div", { class: "mw-row" }, label, ...inside);
		const engine = Object.entries(ENGINE).map(([name, [label, usual, low, high]]) => {
			const box = el("input", { type: "text", inputmode: "decimal", id: `mw-plan-${name}`, placeholder: usual || String(data.engines.vLLM.small[name]), onchange: () => this.engineTyped(name, box, low, high) });
			this.boxes[name] = box;
			return el("label", { for: `mw-plan-${name}` }, label, box);
		});
		const own = ["name", ...Object.keys(OWN)].map((name) => {
			const box = el("input", { type: "text", inputmode: name === "name" ? "text" : "decimal", id: `mw-plan-own-${name}`, onchange: () => this.ownTyped(name, box) });
			this.boxes[`own-${name}`] = box;
			return el("label", { for: `mw-plan-own-${name}` }, name === "name" ? "name" : OWN[name][0], box);
		});
		this.paste = el("textarea", { id: "mw-plan-paste", rows: "3", spellcheck: "false", placeholder: "vllm serve ...   python -m sglang.launch_server ...   a config.json   lines of a log", oninput: () => this.read(this.paste.value) });
		this.pasteSaid = el("div", { class: "mw-read", "aria-live": "polite" });
		this.ask = el("form", { class: "mw-ask", "aria-label": "What you need", onsubmit: (e) => e.preventDefault() },
			row(el("label", { for: "mw-plan-model" }, "Model"), this.model, names, this.modelSaid),
			row(el("label", { for: "mw-plan-traffic" }, "Traffic"), el("span", { class: "mw-with" }, this.field("traffic"), this.unit), this.range("traffic")),
			el("fieldset", {}, el("legend", {}, "Each request", el("small", {}, "type, drag, or ↑ ↓")), el("div", { class: "mw-three-fields" }, ...["prompt", "output", "cached"].map((n) => this.labelled(n)))),
			el("fieldset", {}, el("legend", {}, "Fast enough"), el("div", { class: "mw-two-fields" }, ...["first_token", "token_rate"].map((n) => this.labelled(n)))),
			this.chipBox = el("details", { class: "mw-chips", onkeydown: (e) => { if (e.key === "Escape") { this.chipBox.open = false; this.chipBox.firstChild.focus(); } }, onfocusout: (e) => { if (e.relatedTarget && !this.chipBox.contains(e.relatedTarget)) this.chipBox.open = false; } },
				el("summary", {}, "Chips and rents: ", this.chipsSaid), this.chipList = el("div", { class: "mw-list" })),
			el("details", { class: "mw-more" }, el("summary", {}, "For those who know: layout, widths"),
				el("p", {}, "In the words of vLLM. What is left empty is searched, or as the engine has it."),
				el("div", { class: "mw-grid" }, el("label", { for: "mw-plan-serves" }, "engine", this.serves), el("label", { for: "mw-plan-weights" }, "quantization", this.weights), el("label", { for: "mw-plan-cache" }, "kv_cache_dtype", this.cache), ...engine),
				el("p", {}, "A chip of your own: the first three are needed."), el("div", { class: "mw-grid" }, ...own)),
			el("details", { class: "mw-paste" }, el("summary", {}, "Paste a command line, a config or a log"),
				el("label", { for: "mw-plan-paste", class: "mw-spoken" }, "Command line, config.json or log"), this.paste, this.pasteSaid));
		this.sentence = el("p", { class: "mw-sentence" });
		this.why = el("p", { class: "mw-why" });
		this.three = ["a month", "million tokens out", "each user"].map((name) => [el("dd"), el("dd", { class: "mw-small" }), name]);
		this.spoken = el("p", { class: "mw-spoken", role: "status", "aria-live": "polite" });
		this.top = el("div", { class: "mw-top" }, this.sentence, this.why, el("dl", { class: "mw-three" }, ...this.three.map(([value, band, name]) => el("div", {}, el("dt", {}, name), value, band))), this.spoken);
		this.rows = el("tbody");
		this.more = el("button", { type: "button", onclick: () => this.set({ all: !this.state.all }) });
		this.table = el("div", { class: "mw-options", role: "region", "aria-label": "Alternatives, best first", tabindex: "0" },
			el("table", {}, el("thead", {}, el("tr", {}, ...["Chips", "a month", "Mtok out", "first token", "each", "busy", "what stops more"].map(columnHead))), this.rows));
		this.asked = el("p", { class: "mw-asked" });
		this.detail = el("div", { class: "mw-detail" });
		this.versus = el("div", { class: "mw-versus" });
		const button = (text, act) => el("button", { type: "button", onclick: act }, text);
		this.copy = button("Copy link", () => this.copyLink());
		this.rest = el("div", { class: "mw-rest" }, this.asked, this.table,
			el("div", { class: "mw-actions" }, this.more, button("Keep as A", () => this.keep()), this.copy, button("CSV", () => this.csv()), button("Print", () => this.print()), button("Reset", () => { this.state = this.first(); this.kept = null; this.show(); this.full(); })),
			this.versus, this.detail);
		root.append(this.start, this.top, this.ask, this.rest);
		this.listChips();
	}

	field(name) {
		const box = el("input", { type: "text", inputmode: "decimal", id: `mw-plan-${name}`, autocomplete: "off", onfocus: () => box.select(), onchange: () => this.typed(name, box.value), onkeydown: (e) => this.nudge(name, e) });
		this.boxes[name] = box;
		return box;
	}
	range(name) {
		// box and slider are one control: the keyboard meets it once, and the box has arrow keys
		const slider = el("input", { type: "range", tabindex: "-1", min: "0", max: "1000", step: "1", "aria-label": `${name === "traffic" ? "Traffic" : SLIDERS[name][0]}, slider`, oninput: () => this.slid(name, slider.value / 1000, true), onchange: () => this.slid(name, slider.value / 1000, false) });
		this.boxes[`${name}-range`] = slider;
		return slider;
	}
	labelled(name) {
		return el("div", {}, el("label", { for: `mw-plan-${name}` }, SLIDERS[name][0]), this.field(name), this.range(name));
	}
	real(name) { return name === "traffic" ? (this.state.users ? "users" : "rate") : name; }
	shown(name) { const real = this.real(name), unit = SLIDERS[real][1]; return human(this.state[real], unit, 4).replace(/ (tokens|token\/s)$/, ""); }
	slid(name, share, moving) {
		const real = this.real(name), [, , low, high] = SLIDERS[real];
		let value = low ? low * (high / low) ** share : share * high;
		value = real === "cached" ? round(value * 100) / 100 : WHOLE.has(real) && value < 100 ? round(value) : +value.toPrecision(2);
		this.set({ [real]: value }, moving);
	}
	nudge(name, event) {
		const sign = { ArrowUp: 1, ArrowDown: -1 }[event.key], box = this.boxes[name];
		if (!sign) return;
		event.preventDefault();
		const real = this.real(name), [, , low, high] = SLIDERS[real], now = this.state[real];
		let value = real === "cached" ? round(100 * now + 5 * sign) / 100 : +(now * 1.1 ** sign).toPrecision(2);
		if (WHOLE.has(real)) value = round(value) === round(now) ? now + sign : round(value);
		this.set({ [real]: min(max(value, low), high) }, true);
		box.value = this.shown(name);
		box.select();
	}
	typed(name, text) {
		// "100 users" and "5 requests/s" say the unit as well
		const unitSaid = name !== "traffic" ? "" : /user/i.test(text) ? "users" : /req|rps|\/\s*s/i.test(text) ? "rate" : "";
		const real = unitSaid || this.real(name), [label, unit, low] = SLIDERS[real];
		let value = parse(unitSaid ? text.replace(/\s*(users?|req|rps|\/).*$/i, "") : text, unit, this.state[real] || 1);
		if (real === "cached" && value > 1) value = NaN;
		const most = { prompt: 1e7, output: 1e6, users: 1e6, rate: 1e6, first_token: 86400, token_rate: 1e5, cached: 1 }[real], least = real === "cached" ? 0 : min(low, 1e-4);
		const good = isFinite(value) && value >= (WHOLE.has(real) ? 1 : least) && value <= most;
		this.boxes[name].setAttribute("aria-invalid", String(!good));
		this.boxes[name].title = good ? "" : `${label}: a number from ${human(WHOLE.has(real) ? 1 : least, unit)} to ${human(most, unit)}`;
		if (good) this.set({ ...(name === "traffic" ? { users: 0, rate: 0 } : {}), [real]: WHOLE.has(real) ? round(value) : value });
		else this.tell(this.boxes[name].title);
	}
	units(unit) {
		const s = this.state, answer = this.last?.[0];
		// the same load in the other unit, as far as the present answer knows it
		const each = answer && !answer.fails ? answer.result[this.P.out.request_rate] / answer.users : 0.1;
		if (unit === "users") this.set({ users: max(1, round(s.rate / each)), rate: 0 });
		else this.set({ rate: +(s.users * each).toPrecision(2), users: 0 });
	}
	preset(name) {
		if (name) this.set({ rate: 0, users: 0, ...this.data.presets[name], use: name });
	}
	named(text) {
		text = text.trim();
		if (text.startsWith("{") || /\b(vllm|sglang)/.test(text)) { this.read(text); return; }
		const read = this.P.readName(text);
		if (read) { this.set({ model: read.row.name, config: "", ...(read.weights ? { weights: read.weights } : {}) }); return; }
		const near = this.data.models.filter((m) => text.length > 1 && m.name.toLowerCase().includes(text.toLowerCase())).slice(0, 3).map((m) => m.name);
		this.modelSaid.textContent = `No model is called ${text.slice(0, 40)}. ` + (near.length ? `${near.join(", ")}?` : "Paste its config.json here.");
		this.model.setAttribute("aria-invalid", "true");
	}
	pasted(event) {
		const text = event.clipboardData?.getData("text") ?? "";
		if (!/^\s*\{/.test(text) && !/\b(vllm|sglang)\b/.test(text)) return;
		event.preventDefault();
		this.read(text);
	}
	engineTyped(name, box, low, high) {
		const text = box.value.trim(), value = text === "" ? undefined : +text.replaceAll(",", "");
		const good = text === "" || (value >= low && value <= high && (SHARES.has(name) || value % 1 === 0));
		box.setAttribute("aria-invalid", String(!good));
		box.title = good ? "" : `${SHARES.has(name) ? "A" : "A whole"} number from ${low} to ${human(high)}`;
		if (!good) { this.tell(box.title); return; }
		const engine = { ...this.state.engine };
		if (text === "") delete engine[name]; else engine[name] = value;
		this.set({ engine });
	}
	ownTyped(name, box) {
		const value = name === "name" ? box.value.replace(/[,:]/g, " ").trim() : +box.value, good = name === "name" || box.value === "" || (value > 0 && value < 1e6);
		box.setAttribute("aria-invalid", String(!good));
		if (!good) return;
		const before = this.ownChip()?.name, own = { ...this.state.own };
		if (box.value === "") delete own[name]; else own[name] = value;
		this.state.own = own;
		const after = this.ownChip()?.name, chips = this.state.chips.filter((c) => c !== before);
		this.listChips();
		this.set({ chips: after ? [...chips, after] : chips });
	}

	listChips() {
		const quick = (text, choose) => el("button", { type: "button", onclick: () => this.set({ chips: this.chips().filter(choose).map((c) => c.name) }) }, text);
		this.find = el("input", { type: "text", autocomplete: "off", spellcheck: "false", "aria-label": "Find chips by name; Enter chooses them alone", placeholder: "RTX 3090, H20: Enter chooses", oninput: () => this.filter(), onkeydown: (e) => { if (e.key === "Enter") this.choose(); } });
		this.checks = this.chips().map((chip) => {
			const check = el("input", { type: "checkbox", onchange: () => this.set({ chips: check.checked ? [...this.state.chips, chip.name] : this.state.chips.filter((n) => n !== chip.name) }) });
			const rent = el("input", { type: "text", inputmode: "decimal", "aria-label": `Rent of ${chip.name}, dollars an hour`, placeholder: chip.rent == null ? "enter yours" : (chip.rent * 3600).toFixed(2), onchange: () => this.rented(chip, rent) });
			return { chip, check, rent, node: el("div", {}, el("label", {}, check, ` ${chip.name}`, el("small", {}, ` ${human(chip.capacity, "B", 3)}`)), el("span", {}, "$", rent, "/h")) };
		});
		this.chipList.replaceChildren(this.find,
			el("div", { class: "mw-quick" }, quick("the usual three", (c) => this.data.first.chips.includes(c.name)), quick("all with a rent", (c) => c.rent != null || c.name in this.state.rents), quick("servers", (c) => c.kind !== "local" && c.scale_up != null), quick("one desk", (c) => c.kind === "local"), quick("every chip", () => true)),
			...this.checks.map((c) => c.node), el("p", {}, "Rents of one chip, middle of the public range unless you type yours."));
	}
	// chips that a text with commas names: the one of that very name, or all that have it in theirs
	namedChips() {
		const all = this.chips();
		return this.find.value.toLowerCase().split(",").map((t) => t.trim()).filter(Boolean).flatMap((t) => {
			const own = all.filter((c) => c.name.toLowerCase() === t);
			return own.length ? own : all.filter((c) => c.name.toLowerCase().includes(t));
		}).map((c) => c.name);
	}
	filter() {
		const parts = this.find.value.toLowerCase().split(",").map((t) => t.trim()).filter(Boolean);
		for (const { chip, node } of this.checks) node.hidden = parts.length > 0 && !parts.some((t) => chip.name.toLowerCase().includes(t));
	}
	choose() {
		const chips = [...new Set(this.namedChips())];
		this.find.setAttribute("aria-invalid", String(!chips.length));
		if (chips.length) this.set({ chips }); else this.tell("No chip is called that.");
	}
	// where a price wants a rent: to the box in which it is typed
	askRent(name) {
		this.chipBox.open = true;
		this.find.value = "";
		this.filter();
		const box = this.checks.find((c) => c.chip.name === name)?.rent;
		box?.focus();
		box?.scrollIntoView({ block: "nearest" });
	}
	rented(chip, box) {
		const rents = { ...this.state.rents }, value = +box.value.replace("$", ""), good = box.value === "" || (value > 0 && value < 1e5);
		box.setAttribute("aria-invalid", String(!good));
		if (!good) return;
		if (box.value === "") delete rents[chip.name]; else rents[chip.name] = value;
		this.set({ rents });
	}

	// controls say what the state says; a box in use is left alone
	show() {
		const s = this.state, put = (box, text) => { if (box !== document.activeElement || box.type !== "text") { if (box.value !== text) box.value = text; if (box.getAttribute("aria-invalid") === "true") { box.setAttribute("aria-invalid", "false"); box.title = ""; } } };
		put(this.model, s.config ? this.configName ?? "your config.json" : s.model);
		for (const radio of this.cases) radio.checked = radio.value === s.use;
		this.unit.value = s.users ? "users" : "rate";
		for (const name of ["traffic", "prompt", "output", "cached", "first_token", "token_rate"]) {
			const real = this.real(name), [, unit, low, high] = SLIDERS[real], box = this.boxes[name], range = this.boxes[`${name}-range`], now = `${real} ${s[real]}`;
			if (this.told[name] === now && box.getAttribute("aria-invalid") !== "true") continue;  // most stand still while one moves
			this.told[name] = box === document.activeElement ? "" : now;
			put(box, this.shown(name));
			const place = String(round(1000 * min(max(low ? Math.log(s[real] / low) / Math.log(high / low) : s[real] / high, 0), 1)));
			if (range.value !== place && range !== this.active) range.value = place;
			range.setAttribute("aria-valuetext", human(s[real], unit));
		}
		this.weights.value = s.weights;
		this.cache.value = s.cache;
		this.serves.value = s.serves;
		if (s.engine !== this.engineShown) for (const name of Object.keys(ENGINE)) put(this.boxes[name], s.engine[name] === undefined ? "" : String(s.engine[name]));
		if (s.own !== this.ownShown) for (const name of ["name", ...Object.keys(OWN)]) put(this.boxes[`own-${name}`], s.own[name] === undefined ? "" : String(s.own[name]));
		[this.engineShown, this.ownShown] = [s.engine, s.own];
		const key = s.chips.join();
		if (key !== this.chipKey || s.rents !== this.rentKey) {
			this.chipKey = key;
			this.rentKey = s.rents;
			for (const { chip, check, rent } of this.checks) { check.checked = s.chips.includes(chip.name); put(rent, s.rents[chip.name] === undefined ? "" : String(s.rents[chip.name])); }
			this.chipsSaid.textContent = s.chips.length > 5 ? `${s.chips.slice(0, 3).join(", ")} and ${s.chips.length - 3} more` : s.chips.join(", ") || "none chosen";
		}
	}

	// ---- the answer

	// while a control moves: only what did well at the last rest, once a frame
	soon() {
		this.moving ??= requestAnimationFrame(() => { this.moving = null; this.quick(); });
		clearTimeout(this.timer);
		this.timer = setTimeout(() => this.full(), REST);
	}
	// while nobody asks: the first question about every chip, or about experts, then finds compiled code
	warm() {
		const { first, chips } = this.data, P = this.P, all = (model) => {
			const q = P.prepare({ ...this.question(), model, config: null, weights: "", given: null, chips });
			return P.jobs(q).map((work) => () => P.answer(q, work));
		};
		let waiting;
		const go = (deadline) => {
			waiting ??= [first.model, first.experts].flatMap(all);
			while (waiting.length && deadline.timeRemaining() > 1) waiting.pop()();
			if (waiting.length) requestIdleCallback(go);
		};
		globalThis.requestIdleCallback?.(go);
	}
	prepared(changes) {
		try { return this.P.prepare(this.question(changes)); } catch (error) {
			if (!(error instanceof memwallConfig.ConfigError || error instanceof this.P.Refused)) throw error;
			this.refused = error.message;
			return null;
		}
	}
	quick() {
		const q = this.prepared(), some = (this.last ?? []).slice(0, NEAR);
		if (!q || !some.length) return;
		const found = some.map((o) => this.P.answer(q, o.work ? this.P.job(q, o.work.chip, o.count, o.layout) : { ...o, chip: { name: o.chip } })).sort(this.P.rank);
		this.tellAnswer(found[0], q, found);
	}
	full() {
		clearTimeout(this.timer);
		const q = this.prepared();
		if (!q) { this.nothing(this.refused); return; }
		this.last = this.P.jobs(q).map((work) => this.P.answer(q, work)).sort(this.P.rank);
		this.q = q;
		const notes = q.checkpoint.notes, size = q.checkpoint.parts.filter((p) => p.kind !== "predictor");
		const total = size.reduce((n, p) => n + p.parameters, 0), bytes = size.reduce((n, p) => n + p.parameters * p.bytes_per_param, 0);
		this.modelSaid.textContent = `${human(total)} parameters, ${human(bytes, "B")}` + (notes.length ? `. ${notes.at(-1)[0].toUpperCase()}${notes.at(-1).slice(1)}.` : "; type to search, or paste a config.json");
		this.modelSaid.title = notes.join("; ");
		this.tellAnswer(this.last[0], q, this.last);
		this.listOptions();
		this.asked.textContent = this.questionInWords();
		if (this.linkTimer === undefined) { this.linkTimer = 0; return; }  // a page just opened keeps its address, and is read as it stands
		clearTimeout(this.linkTimer);
		this.linkTimer = setTimeout(() => { this.tell(`${this.sentence.textContent} ${this.why.textContent}`); history.replaceState(null, "", this.link()); }, 500);
	}
	tell(text) { if (this.spoken.textContent !== text) this.spoken.textContent = text; }
	nothing(reason) {
		this.sentence.textContent = reason;
		this.why.textContent = "";
		for (const [value, band] of this.three) { value.textContent = "—"; band.textContent = ""; }
		this.rows.replaceChildren();
		this.detail.replaceChildren();
	}

	// price of a token written: all rent over all tokens out
	pricePer(o, q) {
		const { out } = this.P, rate = q.users ? o.replicas * o.result[out.request_rate] : q.rate;
		return { price: o.dollars == null ? null : o.dollars / (rate * q.output), month: o.dollars == null ? null : o.dollars * this.data.month };
	}
	machineInWords(o, replicas = o.replicas) {
		const n = human(o.count * replicas), each = o.count;
		if (each === 1) return `${n} ${o.chip}${replicas > 1 ? ", each on its own" : ""}`;
		return replicas === 1 ? `${n} ${o.chip} in one group` : `${n} ${o.chip} in ${say(replicas)} groups of ${each}`;
	}
	// the cheapest that would still do if all came as slow as the forecast's band allows
	atWorst(found) {
		const cost = (o) => (o.dollars == null ? 1e9 * o.count : o.dollars / o.replicas) * o.replicasBand[1];
		return found.filter((o) => !o.fails && o.replicasBand[1]).reduce((a, b) => (a && cost(a) <= cost(b) ? a : b), null);
	}
	binds(o) {
		const { out } = this.P, r = o.result;
		const kept = r[out.kept], parts = { ...Object.fromEntries(Object.keys(this.data.parts).map((n) => [n, r[out[`step.${n}`]] / kept])), prompts: r[out.time_per_token] - r[out.step] / kept };
		return { parts, most: Object.keys(parts).reduce((a, b) => (parts[a] >= parts[b] ? a : b)) };
	}
	limitInWords(o, q) {
		return {
			speed: `Speed binds: with more load each gets less than ${human(q.token_rate)} token/s.`, "first token": `The first token binds: with more load it comes after ${human(q.first_token, "s")}.`,
			cache: q.sequences && o.most >= q.sequences ? "max_num_seqs binds: no more at once." : "The cache binds: memory holds no more requests.",
		}[o.limit];
	}
	tellAnswer(o, q, found) {
		const { P } = this;
		if (!o) { this.nothing("Choose at least one chip."); return; }
		const put = (node, text) => { if (node.textContent !== text) node.textContent = text; };
		if (o.fails) {
			put(this.sentence, `None of these chips serves it. ${o.chip}, ${P.inWords(o.layout)}: ${o.fails}.`);
			put(this.why, o.depth >= 2 ? "Ask for less speed, or allow a faster chip." : "Allow larger chips or more of them, or store the weights in fewer bits.");
			for (const [value, band] of this.three) { put(value, "—"); put(band, ""); }
			return;
		}
		const { price, month } = this.pricePer(o, q), r = o.result, { out } = P, band = this.data.bands[o.work.chip.kind], unknown = "a rent is not known, enter yours";
		const [best, worst] = o.replicasBand, short = worst == null || worst > o.replicas, reserve = short ? this.atWorst(found) : o;
		const most = reserve?.dollars && o.dollars ? ((reserve.dollars / reserve.replicas) * reserve.replicasBand[1]) / o.dollars : worst == null ? Infinity : worst / o.replicas;
		// users who get their tokens later ask for fewer of them
		const rents = [best / o.replicas, most], [low, high] = rents.map((x, i) => x * (q.users ? band.tpot[i] : 1));
		const [least, fullest] = o.busyBand, share = (x) => String(round(x * 100));
		const busy = (short ? `${share(least)} to over\u00a0100` : span(least, fullest, share)) + "\u00a0% busy";
		const reaching = (a, b, show) => (isFinite(b) ? span(a, b, show) : `${show(a)} and up`);
		const cost = price == null ? unknown : `${rounded(month)} a month, ${reaching(price * low * 1e6, price * high * 1e6, dollars)} a million tokens out`;
		put(this.sentence, `${this.machineInWords(o)}, ${busy}: ${cost}.`);
		const then = !short ? "" : reserve ? ` At worst ${this.machineInWords(reserve, reserve.replicasBand[1])}.` : " At worst none of these is fast enough.";
		put(this.why, `${this.limitInWords(o, q)} Most of a token's time: ${PART_WORDS[this.binds(o).most]}.${then}`);
		const speed = 1 / r[out.time_per_token], lines = [
			[month == null ? "enter yours" : rounded(month), month == null ? "" : rents[0] === most ? "either way" : reaching(month * rents[0], month * most, rounded)],
			[price == null ? "enter yours" : dollars(price * 1e6), price == null ? "" : reaching(price * low * 1e6, price * high * 1e6, dollars)],
			[`${human(speed)} token/s`, `${span(speed / band.tpot[1], speed / band.tpot[0], (x) => human(x, "1", 2))}, first ${human(r[out.first_token], "s", 2)}`],
		];
		this.three.forEach(([value, small], i) => { put(value, lines[i][0]); put(small, lines[i][1]); });
	}

	// one row a chip, or every layout; what cannot run has no price and no speed
	shownOptions() {
		if (this.state.all) return this.last;
		const best = new Map();
		for (const o of this.last) {
			const known = best.get(o.chip);
			if (!known || (known.fails && o.fails && (o.depth ?? 0) > (known.depth ?? 0))) best.set(o.chip, o);
		}
		return [...best.values()].sort(this.P.rank);
	}
	listOptions() {
		const { P, q } = this, shown = this.shownOptions(), { out } = P;
		const key = (o) => `${o.chip} ${o.count} ${P.inWords(o.layout)}`;
		const chosen = shown.find((o) => key(o) === this.state.open) ?? shown[0];
		this.rows.replaceChildren(...shown.slice(0, 150).map((o) => {
			const name = el("th", { scope: "row" }, el("button", { type: "button", "aria-expanded": String(o === chosen), onclick: () => this.open(key(o)) }, `${o.fails ? human(o.count) : human(o.chips)} ${o.chip}`), el("small", {}, (o.replicas > 1 ? `${o.replicas} × ` : "") + P.inWords(o.layout)));
			if (o.fails) return el("tr", { class: "mw-fails" }, name, el("td", { colspan: "6" }, o.fails));
			const { price, month } = this.pricePer(o, q), r = o.result, ask = () => el("button", { type: "button", class: "mw-ask-rent", onclick: () => this.askRent(o.chip) }, "enter yours");
			return el("tr", { class: o === chosen ? "mw-open" : "", onclick: (e) => { if (e.target.tagName !== "BUTTON") this.open(key(o)); } }, name, ...[
				month == null ? ask() : rounded(month), price == null ? ask() : dollars(price * 1e6), human(r[out.first_token], "s", 2), `${human(1 / r[out.time_per_token], "1", 2)}/s`, percent(o.busy),
				{ speed: "speed", "first token": "first token", cache: "memory" }[o.limit],
			].map((x) => el("td", {}, x)));
		}));
		const hidden = this.last.length - shown.length;
		this.more.textContent = this.state.all ? "Best layout of each chip" : `Every layout (${human(hidden)} more)`;
		this.more.disabled = !this.state.all && !hidden;
		this.drawDetail(chosen);
		this.compare();
	}
	open(key) {
		this.state.open = key;
		this.listOptions();
		if (this.logged) this.read(this.paste.value);
		const again = [...this.rows.querySelectorAll("button[aria-expanded=true]")][0];
		if (again && this.rows.contains(document.activeElement) === false) again.focus({ preventScroll: true });
	}

	// ---- one option, opened

	drawDetail(o) {
		const { P, q } = this;
		this.chosen = o;
		if (!o) { this.detail.replaceChildren(); return; }
		const head = el("h2", {}, `${o.fails ? human(o.count) : human(o.chips)} ${o.chip}, ${P.inWords(o.layout)}`);
		if (o.fails) {
			this.detail.replaceChildren(head, el("p", {}, `${o.fails[0].toUpperCase()}${o.fails.slice(1)}.`), ...(o.work ? [this.memory(o)] : []));
			return;
		}
		this.detail.replaceChildren(head, ...this.widths(o), el("div", { class: "mw-blocks" }, this.time(o), this.memory(o), this.drawFrontier(o, q), this.whatIf(o)), this.numbers(o));
	}
	// widths that a chip has no arithmetic for are read narrow and multiplied in the next one it has
	widths(o) {
		const { chip } = o.work, used = new Set(widthsOf(this.q.checkpoint)), low = chip.fp8 == null ? "16" : "8";
		const missing = [["fp4", "4"], ["fp8", "8"]].filter(([w]) => used.has(w) && chip[w] == null).map(([, bits]) => bits);
		return missing.length ? [el("p", { class: "mw-note" }, `${chip.name} has no ${missing.join("- or ")}-bit arithmetic: such weights are kept and read narrow, and multiplied at its ${low}-bit rate.`)] : [];
	}
	explain(chapter) { return this.chapters == null ? null : el("a", { class: "mw-explain", href: `${this.chapters}${chapter}.html` }, "explain"); }
	block(title, chapter, ...inside) { return el("section", { class: "mw-block" }, el("h3", {}, title, " ", this.explain(chapter)), ...inside); }

	time(o) {
		const { parts, most } = this.binds(o), whole = o.result[this.P.out.time_per_token];
		const bars = Object.entries(parts).filter(([, x]) => x > 0).map(([name, x]) => el("div", { class: `mw-bar mw-is-${KINDS[name] ?? "muted"}` },
			el("span", {}, name === "prompts" ? "others' prompts" : this.data.parts[name]), el("i", { style: `--share:${(x / whole).toFixed(4)}` }), el("b", {}, human(x, "s", 2))));
		return this.block(`A token: ${human(whole, "s")}, most of it ${PART_WORDS[most]}`, "09_measured", ...bars);
	}
	memory(o) {
		const { P } = this, { out } = P, r = o.result ?? Float64Array.from(P.runAt(o.work, 1)), v = o.work.v;
		const whole = v[P.at["system.capacity"]] / o.count, allowed = whole * v[P.at["engine.memory_share"]], held = r[out.weight_bytes] + r[out.room];
		const engine = r[out.room] ? allowed - held : r[out.activation_bytes] + v[P.at["engine.allowance"]];
		const used = o.fails ? 0 : r[out.room] * min(1, o.users / r[out.largest_concurrency]);
		const pieces = [["weights", r[out.weight_bytes], "weights"], ["passes and engine", engine, "muted"], [`caches of ${human(round(o.users ?? 0))} requests`, used, "kv"], ["room for more", r[out.room] - used, "kv mw-pale"], ["kept free", whole - allowed, "none"]];
		const total = max(whole, r[out.weight_bytes] + engine);
		const bar = el("div", { class: "mw-stack", role: "img", "aria-label": pieces.map(([n, x]) => `${n} ${human(max(x, 0), "B")}`).join(", ") },
			...pieces.filter(([, x]) => x > 0).map(([, x, kind]) => el("i", { class: `mw-is-${kind}`, style: `--share:${(x / total).toFixed(4)}` })),
			total > whole ? el("u", { style: `--share:${(whole / total).toFixed(4)}` }) : null);
		const legend = el("ul", {}, ...pieces.filter(([, x]) => x > 0).map(([name, x, kind]) => el("li", { class: `mw-is-${kind}` }, `${name}: ${human(x, "B", 2)}`)));
		const rooms = this.roomBand(o, r), fit = floor(r[out.largest_concurrency]), tokens = r[out.largest_concurrency] * (v[P.at["workload.prompt"]] + v[P.at["workload.output"]]);
		const title = total > whole ? `A chip has ${human(whole, "B")}; this needs ${human(total, "B")}` : `A chip: ${human(whole, "B")}; ${human(fit)} requests fit a group, ${human(+tokens.toPrecision(3))} tokens`;
		const spread = rooms && tokens ? el("p", { class: "mw-note" }, `Eight logs in ten: ${span(...rooms.map((x) => +(x * tokens).toPrecision(2)), human)} tokens.`) : null;
		return this.block(title, "05_pipelining", bar, legend, spread);
	}
	// how far the room that engines found lay from such an estimate, as factors of it
	roomBand(o, r) {
		const { P } = this, chip = o.work.v[P.at["system.capacity"]] / o.count, room = r[P.out.room];
		return room ? this.data.rooms.map((share) => max(room + share * chip, 0) / room) : null;
	}
	// two blocks side by side, or one; measured once a width, for it costs a layout
	blockWidth() {
		if (this.measured !== innerWidth) {
			this.measured = innerWidth;
			const whole = this.rest.clientWidth || 600;
			this.width = round(innerWidth > 800 ? (whole - 26) / 2 : whole);
		}
		return this.width;
	}
	drawFrontier(o, q) {
		const points = this.P.frontier(o, q), priced = points[0].price != null, W = this.blockWidth(), H = 150, L = 44, B = 26, T = 8, M = 12;
		const y = (p) => (priced ? p.price * 1e6 : p.per_chip), xs = points.map((p) => p.speed), ys = points.map(y);
		const listed = priced && !this.state.config ? q.checkpoint.row?.list : null;
		const range = (all) => [min(...all) / 1.15, max(...all) * 1.15], [x0, x1] = range([...xs, q.token_rate]), [y0, y1] = range(listed ? [...ys, listed.output * 1e6] : ys);
		const X = (x) => L + ((W - L - M) * Math.log(x / x0)) / Math.log(x1 / x0), Y = (v) => H - B - ((H - B - T) * Math.log(v / y0)) / Math.log(y1 / y0);
		const ticks = (a, b) => { const found = []; for (let e = floor(log10(a)); e <= ceil(log10(b)); e++) for (const m of b / a < 30 ? [1, 2, 5] : [1, 3]) { const t = m * 10 ** e; if (t >= a && t <= b) found.push(t); } return found.length > 6 ? found.filter((_, i) => i % 2 === 0) : found; };
		const line = (a, b, c, d, k) => svg("line", { x1: a, y1: b, x2: c, y2: d, class: k }), text = (x, at, t, k, anchor = "start") => svg("text", { x, y: at, class: k, "text-anchor": anchor }, t);
		const here = { speed: 1 / o.result[this.P.out.time_per_token], users: o.users };
		here.y = priced ? this.pricePer(o, q).price * 1e6 : o.result[this.P.out.token_rate] / o.count;
		const end = points.at(-1), money = (x) => `$${x >= 1 ? human(x, "1", 3) : +x.toPrecision(2)}`;
		const drawn = svg("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": `Price against speed of one user: from ${human(xs[0])} token/s alone to ${human(end.speed)} token/s with ${human(floor(end.users))} users, where ${end.users < this.data.users.at(-1) ? "memory ends" : "the search ends"}; this workload at ${human(here.speed)} token/s.` },
			...ticks(x0, x1).flatMap((t) => [line(X(t), T, X(t), H - B, "mw-grid"), text(X(t), H - B + 12, human(t), "mw-tick", "middle")]),
			...ticks(y0, y1).flatMap((t) => [line(L, Y(t), W - M, Y(t), "mw-grid"), text(L - 4, Y(t) + 4, priced ? money(t) : human(t), "mw-tick", "end")]),
			text((W + L) / 2, H - 2, "token/s each", "mw-tick", "middle"),
			line(X(q.token_rate), T, X(q.token_rate), H - B, "mw-target"), text(X(q.token_rate) + 3, T + 8, "target", "mw-tick"),
			listed?.output ? line(L, Y(listed.output * 1e6), W - M, Y(listed.output * 1e6), "mw-listed") : null, listed?.output ? text(W - M, Y(listed.output * 1e6) - 3, `list: ${listed.name}`, "mw-tick", "end") : null,
			svg("path", { class: "mw-curve", d: points.map((p, i) => `${i ? "L" : "M"}${X(p.speed).toFixed(1)} ${Y(y(p)).toFixed(1)}`).join("") }),
			svg("circle", { class: "mw-end", cx: X(end.speed), cy: Y(y(end)), r: 3 }),
			here.y >= y0 && here.y <= y1 ? svg("circle", { class: "mw-here", cx: X(here.speed), cy: Y(here.y), r: 5 }) : null);
		const words = `Replica kept full; dot: your load. The line ends left at ${human(floor(end.users))} users, where ${end.users < this.data.users.at(-1) ? "memory ends" : "the search ends"}; right, one user alone.`;
		return this.block(priced ? "$ a million out, against speed" : "Token/s and chip, against speed (for prices enter yours)", "01_batching", drawn, el("p", { class: "mw-note" }, words));
	}
	// the same chip, other questions: always the best layout of it
	whatIf(o) {
		const s = this.state, now = this.question(), cases = [
			["as asked", {}], ["prompts × 2", { prompt: s.prompt * 2 }], ["answers × 2", { output: s.output * 2 }],
			["half cached", { cached: 0.5 }], ["traffic × 2", s.users ? { users: s.users * 2 } : { rate: s.rate * 2 }], ["weights in fp8", { weights: "fp8" }], ["caches in fp8", { cache: "fp8" }], ["guess 3 ahead", { drafts: 3 }],
		].filter(([, c]) => !Object.keys(c).length || Object.entries(c).some(([k, x]) => now[k] !== x));
		const rows = cases.map(([label, changes]) => {
			const q = this.prepared({ ...changes, chips: [o.work.chip] });
			const best = q && this.P.jobs(q).map((w) => this.P.answer(q, w)).sort(this.P.rank)[0];
			if (!best || best.fails) return el("tr", { class: "mw-fails" }, el("th", { scope: "row" }, label), el("td", { colspan: "2" }, best?.fails ?? "cannot be"));
			const { price, month } = this.pricePer(best, q);
			return el("tr", {}, el("th", { scope: "row" }, label), el("td", {}, human(best.chips)), el("td", {}, month == null ? "enter yours" : `${rounded(month)}, ${dollars(price * 1e6)}`));
		});
		return this.block(`What if, on ${o.chip}`, "10_serving", el("table", { class: "mw-if" }, el("thead", {}, el("tr", {}, ...["", "chips", "a month, Mtok out"].map(columnHead))), el("tbody", {}, ...rows)));
	}
	numbers(o) {
		const { out } = this.P, band = this.data.bands[o.work.chip.kind], rooms = this.roomBand(o, o.result), of = { step: band.tpot, time_per_token: band.tpot, prompt_time: band.ttft, first_token: band.ttft, room: rooms, largest_concurrency: rooms };
		const rows = Object.entries(this.data.words).map(([name, [label, unit, chapter]]) => {
			const x = o.result[out[name]], unknown = unit.startsWith("$") && o.dollars == null;
			const explain = this.explain(chapter) ?? chapter;
			return el("tr", {}, el("th", { scope: "row" }, label), el("td", {}, unknown ? "enter yours" : human(x, unit)), el("td", {}, of[name] ? span(x * of[name][0], x * of[name][1], (y) => human(y, unit)) : ""), el("td", {}, explain));
		});
		const open = this.detail.querySelector(".mw-numbers")?.open ?? false;
		return el("details", { class: "mw-numbers", open }, el("summary", {}, "All numbers of one replica at this load, with the band and the chapter of each"),
			el("table", {}, el("thead", {}, el("tr", {}, ...["", "value", "eight in ten", ""].map(columnHead))), el("tbody", {}, ...rows)));
	}

	// ---- two plans, a table, a link

	summary() {
		const o = this.last[0];
		const base = [["asked", this.questionInWords()]];
		if (!o || o.fails) return [...base, ["answer", this.sentence.textContent], ["a month", "—"], ["million tokens out", "—"], ["each user", "—"], ["why", this.why.textContent]];
		return [...base, ["answer", this.sentence.textContent], ...this.three.map(([v, small, name]) => [name, v.textContent + (small.textContent ? ` (${small.textContent})` : "")]), ["why", this.why.textContent]];
	}
	questionInWords() {
		const s = this.state, n = (x) => human(x, "1", 4);
		const model = (s.config ? this.configName ?? "your config.json" : s.model) + (s.weights ? ` in ${s.weights}` : ""), load = s.users ? `${n(s.users)} users at once` : `${n(s.rate)} requests a second`;
		return `${model}: ${load}, ${n(s.prompt)} tokens in (${percent(s.cached)} cached), ${n(s.output)} out; first token within ${human(s.first_token, "s")}, then ${n(s.token_rate)} token/s each.`;
	}
	keep() {
		this.kept = this.kept ? null : { query: this.query(), summary: this.summary() };
		this.compare();
		history.replaceState(null, "", this.link());
	}
	compare() {
		const button = [...this.rest.querySelectorAll(".mw-actions button")][1];
		button.textContent = this.kept ? "Drop A" : "Keep as A";
		if (!this.kept) { this.versus.replaceChildren(); return; }
		const now = this.summary();
		this.versus.replaceChildren(el("table", {}, el("thead", {}, el("tr", {}, el("td"), el("th", { scope: "col" }, "A"), el("th", { scope: "col" }, "now"))),
			el("tbody", {}, ...now.map(([name, text], i) => el("tr", {}, el("th", { scope: "row" }, name), el("td", {}, this.kept.summary[i][1]), el("td", {}, text))))));
	}
	async copyLink() {
		history.replaceState(null, "", this.link());
		try { await navigator.clipboard.writeText(location.href); this.copy.textContent = "Copied"; } catch { this.copy.textContent = "See address"; }
		setTimeout(() => { this.copy.textContent = "Copy link"; }, 1600);
	}
	csvText() {
		const { P, q } = this, { out } = P, head = ["chip", "chips", "replicas", "tp", "dp", "ep", "pp", "dollars_per_month", "dollars_per_mtok_out", "first_token_s", "tokens_per_second_user", "busy", "busy_low", "busy_high", "limit", "fails"];
		const rows = this.last.map((o) => {
			const l = o.layout, start = [o.chip, o.chips, o.replicas ?? "", l.tp, l.dp, l.ep, l.pp];
			if (o.fails) return [...start, "", "", "", "", "", "", "", "", o.fails];
			const { price, month } = this.pricePer(o, q);
			return [...start, month ?? "", price == null ? "" : price * 1e6, o.result[out.first_token], 1 / o.result[out.time_per_token], o.busy, o.busyBand[0], isFinite(o.busyBand[1]) ? o.busyBand[1] : "", o.limit, ""];
		});
		return [head, ...rows].map((r) => r.map((x) => (/[",\n]/.test(x) ? `"${String(x).replaceAll('"', '""')}"` : x)).join(",")).join("\n") + "\n";
	}
	csv() {
		const url = URL.createObjectURL(new Blob([this.csvText()], { type: "text/csv" }));
		el("a", { href: url, download: "plan.csv" }).click();
		setTimeout(() => URL.revokeObjectURL(url), 1000);
	}

	// the plan alone, on one page; the rest of its chapter prints from the browser's own menu
	print() {
		const page = document.documentElement.classList;
		page.add("mw-print-plan");
		addEventListener("afterprint", () => page.remove("mw-print-plan"), { once: true });
		print();
	}

	// ---- what was pasted

	read(text) {
		const said = this.pasteSaid, note = (...nodes) => said.replaceChildren(...nodes), line = (t) => el("p", {}, t);
		text = text.trim();
		if (!text) { note(); return; }
		if (text.startsWith("{")) {
			try {
				const config = JSON.parse(text), found = this.P.checkpoint({ config });
				this.P.vectorOf(found);
				this.config = config;
				this.configName = found.name;
				this.set({ config: JSON.stringify(config) });
				this.model.value = found.name;
				note(line(`Read: ${found.name}, ${human(found.layers)} layers.`), ...found.notes.map(line));
			} catch (error) {
				if (!(error instanceof SyntaxError || error instanceof memwallConfig.ConfigError || error instanceof this.P.Refused)) throw error;
				const reason = error instanceof SyntaxError ? `This is no JSON: ${error.message}` : `Not read: ${error.message}`;
				note(line(reason));
				this.modelSaid.textContent = reason;
				this.model.setAttribute("aria-invalid", "true");
				this.tell(reason);
			}
			return;
		}
		// a command may stand above what it printed; its flags may go on over lines
		const lines = text.replace(/\\?\s*\n\s*(?=--?[a-z])/gi, " ").split("\n"), commands = lines.map((one) => this.P.readCommand(one)), command = commands.find(Boolean);
		const log = this.P.readLog(lines.filter((_, i) => !commands[i]).join("\n"));
		this.logged = log.length > 0;
		if (command) {
			this.command(command);
			if (log.length) said.prepend(...this.explainLog(log));
			return;
		}
		note(...(log.length ? this.explainLog(log) : [line("Nothing here that this page reads: a line with “vllm serve” or “sglang.launch_server”, a config.json, or a log's lines about memory.")]));
	}
	command({ engine, set, said }) {
		const { given, length, model, weights, cache, engine: serves, ...rest } = set, names = Object.fromEntries(Object.entries(rest).filter(([, x]) => x !== undefined));
		this.set({ serves, engine: { ...given, ...names }, ...(model ? { model, config: "" } : {}), ...(weights ? { weights } : {}), ...(cache ? { cache } : {}) });
		const longest = length ? [el("p", {}, `max_model_len ${human(length)}: ${length < this.state.prompt + this.state.output ? "shorter than what is asked for: such requests would be refused." : "one request of this length must fit, or the engine does not start."}`)] : [];
		this.pasteSaid.replaceChildren(el("p", {}, `${engine}, ${given.tp * given.dp * given.pp} chips: ${this.P.inWords(given)}.`), ...longest,
			el("table", {}, el("tbody", {}, ...said.map(([flag, value, meaning]) => el("tr", {}, el("th", { scope: "row" }, `${flag} ${value}`.trim()), el("td", {}, meaning))))));
	}
	// a log's numbers beside ours for the opened option, and what would change them
	explainLog(log) {
		const { P } = this, { out } = P, o = this.chosen, line = (t) => el("p", {}, t), GiB = (x) => `${(x / 2 ** 30).toFixed(2)} GiB`, said = [];
		if (!o?.work) return [line("Open an option that has a layout first: the log is read against it.")];
		const longest = log.find((f) => f.length)?.length ?? this.state.prompt + this.state.output;
		const roomOf = (changes, layout = o.layout, count = o.count) => {
			const q = this.prepared({ ...changes, prompt: longest, output: 1 });
			const r = P.runAt(P.job(q, o.work.chip, count, layout), 1);
			return { room: r[out.room], one: r[out.sequence_bytes], fit: r[out.largest_concurrency], weights: r[out.weight_bytes], busy: r[out.activation_bytes] };
		};
		const ours = roomOf({}), tokens = ours.fit * longest, against = `${human(o.count)} ${o.chip}, ${P.inWords(o.layout)}`;
		said.push(line(`Read against ${against}, requests of ${human(longest)} tokens (if it ran elsewhere, open that row):`));
		const compare = (what, theirs, mine, print) => said.push(line(`${what}: the log says ${print(theirs)}, the arithmetic ${print(mine)}${theirs < 0.85 * mine ? ". Less than it could be: another program on the chip, longer passes, or layers counted as if they had no window" : theirs > 1.15 * mine ? ". More than computed: check that model, width and layout above are those of the log" : ", which agree"}.`));
		for (const f of log) {
			if (f.kind === "room") compare("Memory for caches on a chip", f.value, ours.room, GiB);
			if (f.kind === "tokens") compare("Tokens that fit", f.value, tokens, (x) => human(round(x)));
			if (f.kind === "concurrency") compare(`Requests of ${human(f.length)} tokens at once`, f.value, ours.fit, (x) => x.toFixed(2));
			if (f.kind === "weights") compare("Weights on a chip", f.value, ours.weights, GiB);
			if (f.kind === "too long") said.push(line(`A request of ${human(f.length)} tokens is longer than the ${human(f.value)} that fit, so the engine refuses to start: one such request takes ${GiB(ours.one)} on each chip, and ${GiB(ours.room)} are left beside ${GiB(ours.weights)} of weights.`));
			if (f.kind === "needed") said.push(line(`One request of ${human(f.length)} tokens needs ${GiB(f.value)} by the log, ${GiB(ours.one)} by the arithmetic; ${GiB(ours.room)} are left beside ${GiB(ours.weights)} of weights.`));
			if (f.kind === "none") said.push(line(`Weights and the largest pass leave nothing: ${GiB(ours.weights)} and ${GiB(ours.busy)} of a chip's ${GiB(o.work.v[P.at["system.capacity"]] / o.count)}.`));
			if (f.kind === "out of memory") said.push(line(`Out of memory${f.value ? " on " + GiB(f.value) + " more" : ""}: weights take ${GiB(ours.weights)} of a chip, the largest pass ${GiB(ours.busy)}; if it fails while serving, passes were larger than the start-up tried, or other programs share the chip.`));
		}
		const share = o.work.v[P.at["engine.memory_share"]], batched = o.work.v[P.at["engine.batched_tokens"]];
		const helps = [["kv_cache_dtype fp8", () => roomOf({ cache: "fp8" })], [`gpu_memory_utilization ${min(share + 0.05, 0.97).toFixed(2)}`, () => roomOf({ memory_share: min(share + 0.05, 0.97) })],
			[`max_num_batched_tokens ${batched / 4}`, () => roomOf({ batched_tokens: batched / 4 })], ["weights in fp8", () => roomOf({ weights: "fp8" })],
			[`twice the chips, tp ${o.layout.tp * 2}`, () => (P.whyNot(this.q.checkpoint, { ...o.layout, tp: o.layout.tp * 2 }) ? null : roomOf({}, { ...o.layout, tp: o.layout.tp * 2 }, o.count * 2))]];
		const rows = helps.map(([what, run]) => [what, run()]).filter(([, r]) => r && r.fit > 1.02 * ours.fit).sort((a, b) => b[1].fit - a[1].fit);
		if (rows.length) said.push(el("table", {}, el("thead", {}, el("tr", {}, ...["what would help", "tokens that fit", "requests of that length"].map(columnHead))),
			el("tbody", {}, el("tr", {}, el("th", { scope: "row" }, "as it is"), el("td", {}, human(round(tokens))), el("td", {}, ours.fit.toFixed(2))), ...rows.map(([what, r]) => el("tr", {}, el("th", { scope: "row" }, what), el("td", {}, human(round(r.fit * longest))), el("td", {}, r.fit.toFixed(2)))))));
		return said;
	}
}

// in the book this script comes after its page; elsewhere the page calls `mount` where it stands
function mount() {
	for (const root of document.querySelectorAll(".mw-planner:not([data-live])")) {
		root.dataset.live = "";
		root.memwall = new Planner(root, memwallPlannerData, root.dataset.chapters ?? null);
		// whoever skips to the content wants the first control
		root.tabIndex = -1;
		document.querySelector(".skip-link a")?.setAttribute("href", `#${root.id}`);
	}
}
function render({ el: place }) {
	const root = document.createElement("div");
	root.className = "mw-planner";
	place.append(root);
	root.memwall = new Planner(root, memwallPlannerData, null);
	root.dataset.live = "";
	return () => { removeEventListener("hashchange", root.memwall.heard); root.remove(); };
}
if (document.readyState !== "loading") mount();
else document.addEventListener("DOMContentLoaded", mount);
return { mount, render };
})();
