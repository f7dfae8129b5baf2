/* Reads a model's config.json in the page: the same rules as catalog/config.py, from the same table
   (core/data/families.json), in the same six words. A classic script without dependencies, as
   explorer.js is; a test runs both readers over every known configuration. */
var memwallConfig = (() => {

class ConfigError extends Error {}
const refuse = (text) => { throw new ConfigError(text); };
const show = (value) => (JSON.stringify(value) ?? String(value)).slice(0, 60);
const isObject = (v) => v !== null && typeof v === "object" && !Array.isArray(v);
const get = (object, key) => (isObject(object) && Object.hasOwn(object, key) ? object[key] : undefined);
const there = (v) => v !== undefined && v !== null;

// ---- 1 the six words: a key, arithmetic, count, repeat, a default, a condition

class Missing { constructor(name) { this.name = name; } }
const TOKEN = /\s*(?:(\d+\.?\d*)|'([^']*)'|([A-Za-z_]\w*)|(\?\?|\/\/|[=!<>]=|[-+*/%<>()[\].,]))/y;
const LEVELS = [["or"], ["and"], ["==", "!=", "<", "<=", ">", ">="], ["+", "-"], ["*", "/", "//", "%"]];
const parsed = new Map();

function parse(text) {
	if (!parsed.has(text)) parsed.set(text, parseNew(text));
	return parsed.get(text);
}

function parseNew(text) {
	const tokens = [], whole = text.trimEnd();
	TOKEN.lastIndex = 0;
	for (let at = 0; at < whole.length; at = TOKEN.lastIndex) {
		TOKEN.lastIndex = at;
		const found = TOKEN.exec(text) ?? refuse(`no rule reads ${show(text.slice(at))}`);
		tokens.push(found[1] !== undefined ? ["number", +found[1]] : found[2] !== undefined ? ["text", found[2]]
			: found[3] ? ["word", found[3]] : ["mark", found[4]]);
	}
	tokens.push(["end"]);
	let here = 0;
	const take = (...wanted) => {
		const [kind, value] = tokens[here];
		return (kind === "word" || kind === "mark") && wanted.includes(value) ? (here++, value) : undefined;
	};
	const need = (wanted) => take(wanted) ?? refuse(`${wanted} is missing in the rule ${text}`);
	const list = () => {
		const found = [condition()];
		while (take(",")) found.push(condition());
		need(")");
		return found;
	};
	function condition() {
		const value = standIn();
		if (!take("if")) return value;
		const test = standIn();
		need("else");
		return ["if", test, value, condition()];
	}
	function standIn() {
		const value = binary(0);
		return take("??") ? ["??", value, standIn()] : value;
	}
	function binary(level) {
		if (level === LEVELS.length) return unary();
		let value = binary(level + 1);
		for (let mark; (mark = take(...LEVELS[level])); ) value = [mark, value, binary(level + 1)];
		return value;
	}
	const unary = () => (take("not") ? ["not", unary()] : take("-") ? ["-", ["number", 0], unary()] : postfix());
	function postfix() {
		let value = primary();
		for (let mark; (mark = take(".", "[")); ) {
			value = ["at", value, mark === "." ? ["text", name()] : condition()];
			if (mark === "[") need("]");
		}
		return value;
	}
	const name = () => (tokens[here][0] === "word" ? tokens[here++][1] : refuse(`a name is missing in the rule ${text}`));
	function primary() {
		if (take("(")) { const value = condition(); need(")"); return value; }
		if (["number", "text"].includes(tokens[here][0])) return tokens[here++];
		const word = name();
		if (word === "true" || word === "false") return ["number", word === "true"];
		if (word === "infinite") return ["number", Infinity];
		return (word === "count" || word === "repeat") && take("(") ? [word, ...list()] : ["name", word];
	}
	const tree = condition();
	return tokens[here][0] === "end" ? tree : refuse(`the rule ${text} goes on after its end`);
}

const keysOf = (tree) => (tree[0] === "name" ? [tree[1]] : tree.slice(1).flatMap((part) => (Array.isArray(part) ? keysOf(part) : [])));
const truth = (v) => !(v instanceof Missing) && Boolean(Array.isArray(v) ? v.length : isObject(v) ? Object.keys(v).length : v);
const isNumber = (v) => (typeof v === "number" && !Number.isNaN(v)) || typeof v === "boolean";
const same = (a, b) => !(a instanceof Missing || b instanceof Missing) && (isNumber(a) && isNumber(b) ? Number(a) === Number(b) : a === b);
const isList = (v) => Array.isArray(v) || typeof v === "string";

function entry(value, index) {
	if (value instanceof Missing) return value;
	if (typeof index === "string") return there(get(value, index)) ? plausible(index, value[index]) : new Missing(index);
	if (!isList(value) || index instanceof Missing || !(index >= 0 && index < value.length)) return new Missing(`entry ${index?.name ?? index}`);
	return plausible(`entry ${index}`, value[Math.trunc(index)] ?? new Missing(`entry ${index}`));
}

function plausible(name, value) {
	if (typeof value === "number" && value < 0) refuse(`${name} = ${value} is negative`);
	return typeof value === "number" && !(value < 1e15) ? refuse(`${name} is absurdly large`) : value;
}

const ARITHMETIC = {
	"+": (a, b) => a + b, "-": (a, b) => a - b, "*": (a, b) => a * b, "/": (a, b) => a / b,
	"//": (a, b) => Math.floor(a / b), "%": (a, b) => a - b * Math.floor(a / b),
	"<": (a, b) => a < b, "<=": (a, b) => a <= b, ">": (a, b) => a > b, ">=": (a, b) => a >= b,
};

function evaluate(tree, lookup) {
	const [word, ...parts] = tree, at = (i) => evaluate(parts[i], lookup);
	if (word === "number" || word === "text") return parts[0];
	if (word === "name") return lookup(parts[0]);
	if (word === "if") return at(truth(at(0)) ? 1 : 2);
	if (word === "??" || word === "and" || word === "or") {
		const value = at(0), stays = word === "??" ? !(value instanceof Missing) : truth(value) === (word === "or");
		return stays ? value : at(1);
	}
	const [a, b] = parts.map((_, i) => at(i));
	if (word === "not") return !truth(a);
	if (word === "at") return entry(a, b);
	if (word === "repeat") return isList(a) && a.length ? entry(a, b % a.length) : new Missing(a?.name ?? show(a));
	if (word === "count") {
		if (!isList(a)) return 0;
		const whole = typeof a === "string" && a.includes(",") ? a.split(",").filter((v) => /^\s*\d+\s*$/.test(v)).map(Number) : [...a];
		return parts.length === 1 ? whole.length : whole.filter((v) => same(v, b)).length;
	}
	if (word === "==") return same(a, b);
	if (word === "!=") return !same(a, b);
	for (const value of [a, b]) {
		if (value instanceof Missing) refuse(`${value.name} is missing`);
		if (!isNumber(value)) refuse(`${show(value)} stands where a number is needed`);
	}
	if (["/", "//", "%"].includes(word) && Number(b) === 0) refuse(`${a} ${word} 0: a size is zero that cannot be`);
	return ARITHMETIC[word](Number(a), Number(b));
}

// ---- 2 how weights are stored: catalog/storage.py

const glob = (pattern) => new RegExp(`^${pattern.replace(/[.+^${}()|\\]/g, "\\$&").replace(/\*/g, ".*").replace(/\?/g, ".")}$`, "s");

class Pattern {
	constructor(text, names) {
		if (typeof text !== "string") refuse(`a quantisation block lists ${show(text)} where a module's name belongs`);
		this.everything = ["Linear", "*", "re:.*"].includes(text);
		this.parts = [];
		if (text.startsWith("re:")) {
			try { this.regex = new RegExp(`^(?:${text.slice(3)})`); } catch { refuse(`${text} in a quantisation block is no regular expression`); }
			return;
		}
		this.parts = text.replace(/\.weight$/, "").split(".").filter(Boolean).map((p) => get(names.same, p) ?? p);
		while (this.parts.length && names.frames.includes(this.parts[0])) this.parts.shift();
		this.globs = this.parts.map((p) => (p.includes("*") ? glob(p) : null));
	}
	matches(name) {
		if (this.regex) return ["model.", "language_model.model.", "model.language_model.", ""].some((prefix) => this.regex.test(prefix + name.join(".")));
		const alike = (i, part) => this.parts[i] === part || (this.parts[i] === "mixer" && ["mamba", "self_attn", "mlp"].includes(part)) || this.globs[i]?.test(part);
		for (let start = 0; this.parts.length && start <= name.length - this.parts.length; start++) {
			if (this.parts.every((_, i) => alike(i, name[start + i]))) return true;
		}
		return false;
	}
}

function widthOf(storage, module, part, layer) {
	if (["norm", "router", "vision"].includes(part) || module.endsWith(".bias")) return storage.plain;
	if (part === "routed" && storage.experts) return storage.experts;
	if (storage.expertsOnly && part !== "routed") return storage.plain;
	const name = [...(layer >= 0 ? ["layers", String(layer)] : []), ...module.split(".")];
	if (storage.ignored.some((pattern) => pattern.matches(name))) return storage.plain;
	const outside = part === "head" || part === "embedding";
	const rule = storage.rules.find(([targets]) => targets.some((t) => (t.everything && !outside) || t.matches(name)));
	return rule ? rule[1] : storage.plain;
}

const listOf = (value, name) => (!there(value) ? [] : Array.isArray(value) ? value : refuse(`${name} of the quantisation block is ${show(value)}, not a list`));
const sizeOf = (value, name) => (typeof value === "number" && value > 0 && value < 1e9 ? value : refuse(`${name} = ${show(value)} of the quantisation block must be a number above 0`));
const areaOf = (shape, name) => (!there(shape) ? Infinity : Array.isArray(shape) && shape.length === 2 ? sizeOf(shape[0], name) * sizeOf(shape[1], name)
	: refuse(`${name} of the quantisation block is ${show(shape)}, not two sizes`));

function storageOf(config, block, width, names) {
	const stated = config.expert_dtype;
	if (there(stated) && get(names.expert_dtypes, stated) === undefined) refuse(`expert_dtype ${show(stated)} has no rule`);
	const found = { plain: [width, "bf16"], experts: there(stated) ? names.expert_dtypes[stated] : null, rules: [], ignored: [] };
	if (!truth(block)) return found;
	if (!isObject(block)) refuse(`quantization_config is ${show(block)}, not a block of keys`);
	if (isObject(block.quantization)) block = block.quantization;
	for (const key of names.ignoring) found.ignored.push(...listOf(block[key], key).map((text) => new Pattern(text, names)));
	found.rules = storageRules(block, names, found);
	return found;
}

function storageRules(block, names, found) {
	const everything = [new Pattern("Linear", names)], all = (width, arithmetic) => [[everything, [width, arithmetic]]];
	const algorithm = (name) => get(names.algorithms, String(name).toUpperCase()) ?? refuse(`quant_algo ${show(name)} has no rule`);
	const method = block.quant_method || ("quant_algo" in block ? "modelopt" : undefined);
	if (!there(method) && "bits" in block) {
		const outside = ["lm_head", "embed_tokens"].map((text) => new Pattern(text, names));
		return [[[...everything, ...outside], [sizeOf(block.bits, "bits") / 8 + 4 / sizeOf(block.group_size, "group_size"), "bf16"]]];
	}
	switch (typeof method === "string" ? get(names.methods, method) : undefined) {
		case "fp8": return all(1 + (found.experts && block.scale_fmt === "ue8m0" ? 1 : 4) / areaOf(block.weight_block_size, "weight_block_size"), "fp8");
		case "grouped": {
			const bits = sizeOf(block.bits ?? block.w_bit ?? 4, "bits"), group = "group_size" in block ? block.group_size : block.q_group_size ?? 128;
			return all((bits + (group === -1 || group === null ? 0 : (16 + bits) / sizeOf(group, "group_size"))) / 8, "bf16");
		}
		case "bitsandbytes":
			return block.load_in_8bit || block._load_in_8bit ? all(1, "int8") : all(0.5 + (block.bnb_4bit_use_double_quant ? 1 + 4 / 256 : 4) / 64, "bf16");
		case "algorithm":
			if (isObject(block.quantized_layers) && ["MIXED_PRECISION", undefined, null].includes(block.quant_algo)) {
				return Object.entries(block.quantized_layers).map(([k, v]) => [[new Pattern(k, names)], algorithm(isObject(v) ? v.quant_algo : v)]);
			}
			return all(...algorithm(block.quant_algo ?? method));
		case "experts": found.expertsOnly = true; return all(...algorithm(method));
		case "groups": return groupRules(block.config_groups, names);
		case "quark": return groupRules({ global: { weights: block.global_quant_config?.weight, input_activations: block.global_quant_config?.input_tensors } }, names);
		default: return refuse(`quant_method ${show(method)} has no rule`);
	}
}

function groupRules(groups, names) {
	if (!isObject(groups) || !Object.keys(groups).length) refuse("a block of groups without config_groups says nothing about widths");
	const numbers = (stated) => {
		if (!there(stated.num_bits) && typeof stated.dtype === "string") return get(names.quark_dtypes, stated.dtype) ?? refuse(`numbers of dtype ${stated.dtype} have no rule`);
		return [sizeOf(stated.num_bits, "num_bits"), String(stated.type ?? "int")];
	};
	const found = [];
	for (const [name, group] of Object.entries(groups)) {
		const weights = get(group, "weights");
		if (!there(weights)) continue;
		if (!isObject(weights)) refuse(`config_groups.${name}.weights is ${show(weights)}, not a block of keys`);
		const [bits, kind] = numbers(weights), size = weights.group_size;
		let scales = 0, activations = group.input_activations;
		if (there(size) && size !== -1) scales = ((kind === "float" ? 8 : 16) + (weights.symmetric ?? true ? 0 : bits)) / sizeOf(size, "group_size");
		else if (truth(weights.block_structure)) scales = 16 / areaOf(weights.block_structure, "block_structure");
		if (Array.isArray(activations)) activations = activations[0];
		const products = isObject(activations) ? numbers(activations) : [16, "float"];
		const targets = listOf(truth(group.targets) ? group.targets : ["Linear"], "targets").map((text) => new Pattern(text, names));
		found.push([targets, [(bits + scales) / 8, get(names.products, `${products[1]}${products[0]}`) ?? "bf16"]]);
	}
	const wide = (rule) => rule[0].some((t) => t.everything);
	return [...found.filter((rule) => !wide(rule)), ...found.filter(wide)];
}

// ---- 3 a family's rules, asked about each layer: catalog/config.py

function family(name, tables) {
	const own = tables.families[name], whole = own.like ? family(own.like, tables) : {};
	const merged = Object.fromEntries(["let", "mixers", "feeds", "notes"].map((part) => [part, { ...whole[part], ...own[part] }]));
	return { ...merged, unmoved: [...(whole.unmoved ?? []), ...(own.unmoved ?? [])] };
}

function modelTypes(tables) {
	const found = new Map();
	for (const [name, own] of Object.entries(tables.families)) for (const type of [name, ...(own.models ?? [])]) found.set(type, name);
	for (const name of tables.templates) found.delete(name);
	return found;
}

function scopeOf(levels, places, given, tables) {
	const below = {};
	const value = (rule) => (typeof rule === "string" ? evaluate(parse(rule), lookup) : rule);
	function lookup(name) {
		if (Object.hasOwn(given, name)) return given[name];
		const start = below[name] ?? 0;
		for (let level = start; level < levels.length; level++) {
			if (!Object.hasOwn(levels[level], name)) continue;
			below[name] = level + 1;
			try { return limited(name, levels[level][name], value(levels[level][name])); } finally { below[name] = start; }
		}
		return key(name);
	}
	function limited(name, rule, found) {
		const most = get(tables.limits, name);
		if (most === undefined || found instanceof Missing || found === Infinity) return found;
		if (typeof found !== "number" || !Number.isInteger(found) || found < 1 || found > most) {
			refuse(`${name}${rule === name ? "" : " (from " + rule + ")"} = ${show(found)} is out of range: a whole number from 1 to ${most}`);
		}
		return found;
	}
	function key(name) {
		const found = (name === "tie_word_embeddings" ? places : places.slice(0, 1)).map((place) => get(place, name)).find(there);
		if (found === undefined) return new Missing(name);
		return tables.signed.includes(name) ? found : plausible(name, found);
	}
	function number(rule) {
		const found = value(rule);
		if (found instanceof Missing) refuse(`${found.name} is missing`);
		if (!isNumber(found) || found < 0) refuse(`${rule} gives ${show(found)} where a number of at least 0 is needed`);
		return Number(found);
	}
	const sized = (name) => { const found = lookup(name); return found instanceof Missing ? refuse(`${found.name} is missing`) : found; };
	return { value, number, sized, lookup };
}

const specsOf = (found) => (Array.isArray(found) ? found : [found]);

/* What a configuration says: { name, groups, parts, layers, d_model, notes ... }, or a ConfigError.
   tables: families.json. quantisation: the block of a hf_quant_config.json, if there is one. */
function read(config, tables, { name, quantisation } = {}) {
	if (!isObject(config)) refuse("a configuration is an object with keys");
	let outer = config, text = tables.texts.map((k) => config[k]).find(isObject) ?? config;
	if (text === config && isObject(config.thinker_config)) {
		outer = { ...config.thinker_config, model_type: config.model_type };
		text = outer.text_config ?? config.thinker_config;
	}
	const known = modelTypes(tables), stated = [text.model_type, outer.model_type];
	const spellings = stated.filter((t) => typeof t === "string").flatMap((t) => [t, t.replace(/_text$/, ""), t.toLowerCase().replaceAll("-", "_")].map((s) => [t, s]));
	const [type, spelling] = spellings.find(([, s]) => known.has(s)) ?? refuse(stated.some(truth) ? `model_type ${show(stated.find(truth))} has no rules` : "model_type is missing: no rule says how to read this configuration");
	const own = family(known.get(spelling), tables), let_ = own.let, notes = [];
	name ??= String(config._name_or_path || config.name_or_path || type);

	const dtype = [text.dtype, text.torch_dtype, outer.dtype, outer.torch_dtype].find(there);
	if (dtype === undefined) notes.push("no dtype is stated: weights taken to be 16 bit");
	const width = get(tables.storage.dtypes, String(dtype ?? "auto").replace(/^torch\./, "")) ?? refuse(`dtype ${show(dtype)} has no rule`);
	let block = quantisation || [text, outer].flatMap((p) => [p.quantization_config, p.compression_config, p.quantization]).find(truth);
	const promised = /(?<![a-z])(nvfp4|fp8)(?![a-z0-9])/i.exec(name.split("/").at(-1));
	if (!truth(block) && promised) {
		block = { quant_algo: promised[1].toUpperCase() };
		notes.push(`the name says ${block.quant_algo} and the file has no quantisation block (it may lie in hf_quant_config.json): all linear layers but the head taken to be ${block.quant_algo}`);
	}
	const storage = storageOf({ ...outer, ...text }, block, width, tables.storage);

	const scope = (given = {}, first = {}, defaults = {}) => scopeOf([first, let_, defaults], [text, outer], given, tables);
	const plain = scope(), layers = plain.sized("layers"), d = plain.sized("d"), vocab = plain.sized("vocab");
	checkKeys(text, own, type, tables);
	const predictors = Math.trunc(plain.number(let_.predictors));
	for (const key of tables.per_layer) {
		const found = text[key];
		if (isList(found) && !(layers <= found.length && found.length <= layers + Math.max(predictors, 16))) refuse(`${key} has ${found.length} entries for ${layers} layers`);
	}
	if (predictors > 64) refuse(`${predictors} layers that predict further tokens are absurd`);

	const parts = new Map(), groups = new Map();
	let routed = { experts: 1, experts_active: 1, expert_width: null }, routedLayers = 0;
	function add(part, n, active, [bytes, arithmetic]) {
		if (!n) return;
		const key = `${part} ${arithmetic}`;
		if (!parts.has(key)) parts.set(key, { kind: part, arithmetic, parameters: 0, active: 0, bytes: 0 });
		const total = parts.get(key);
		total.parameters += n;
		total.active += part === "predictor" || part === "vision" ? 0 : active;
		total.bytes += n * bytes;
	}
	function kind(at, which, i) {
		const found = at.value(let_[which]), choices = own[`${which}s`];
		if (found instanceof Missing) refuse(`${found.name} is missing: it says what layer ${i} is`);
		return typeof found === "string" && Object.hasOwn(choices, found) ? found : refuse(`layer ${i} is ${show(found)}, for which ${type} has no rule: known are ${Object.keys(choices).join(", ")}`);
	}
	function layer(i, names, predictor) {
		const as = (part) => (predictor ? "predictor" : part);
		for (const which of ["mixers", "feeds"]) {
			for (const { kind: called, called: renamed = ["", ""], ...first } of specsOf(own[which][names[which]])) {
				const spec = tables[which][called], at = scope({ i }, first, spec.defaults ?? {});
				if (spec.group && !predictor) {
					const group = {};
					for (const [field, rule] of Object.entries(spec.group)) {
						group[field] = field === "kind" ? at.value(rule) : Math.max(at.number(rule), field === "kv_heads" ? 1 : 0);
					}
					if ("entry" in group && group.kv_heads > group.query_heads) refuse(`${group.kv_heads} key-value heads for ${group.query_heads} query heads`);
					const key = Object.entries(group).join();
					groups.set(key, { ...group, layers: (groups.get(key)?.layers ?? 0) + 1 });
				}
				for (const [usual, [part, rule]] of Object.entries(spec.weights)) {
					const module = usual.replace(...renamed), n = at.number(rule);
					if (!n) continue;
					let share = 1;
					if (part === "routed") {
						routed = { experts: at.sized("experts"), experts_active: at.sized("experts_active"), expert_width: at.sized("expert_width") };
						if (routed.experts_active > routed.experts) refuse(`${routed.experts_active} experts are chosen of ${routed.experts}`);
						share = routed.experts_active / routed.experts;
					}
					add(as(part), n, n * share, widthOf(storage, module, part, i));
				}
				if (spec.router) {
					routedLayers += predictor ? 0 : 1;
					const n = at.number(spec.router);
					add(as("router"), n, n, storage.plain);
				}
				const n = at.number(spec.small);
				add(as("norm"), n, n, storage.plain);
			}
		}
		const n = scope({ i }).number(let_.norms);
		add(as("norm"), n, n, storage.plain);
	}
	const optional = (at, rule) => (Object.hasOwn(let_, rule) ? at.number(let_[rule]) : 0);
	for (let i = 0; i < layers; i++) {
		const at = scope({ i });
		layer(i, { mixers: kind(at, "mixer", i), feeds: kind(at, "feed", i) }, false);
	}
	for (let j = 0; j < predictors; j++) {
		const i = layers - 1, at = scope({ i });
		const choose = (which) => (let_[`predictor_${which}`] ? at.value(let_[`predictor_${which}`]) : kind(at, which, i));
		layer(i, { mixers: choose("mixer"), feeds: choose("feed") }, true);
		add("predictor", optional(at, "predictor_extra") + optional(at, "predictor_copies"), 0, storage.plain);
	}
	const tied = truth(plain.value(let_.tied)), table = vocab * d;
	add("head", table, table, tied ? storage.plain : widthOf(storage, "lm_head", "head", -1));
	add("embedding", (tied ? 0 : table) + plain.number(let_.positions) * d + optional(plain, "extra_embedding"), 0, widthOf(storage, "embed_tokens", "embedding", -1));
	const projection = optional(plain, "extra_dense");
	add("dense", projection, projection, widthOf(storage, "per_layer_projection", "dense", -1));
	const last = plain.number(let_.final_norm) + optional(plain, "head_bias") * vocab;
	add("norm", last, last, storage.plain);
	see(outer, d, tables, notes, (n) => add("vision", n, 0, storage.plain));
	for (const [key, note] of Object.entries(own.notes)) if (truth(text[key])) notes.push(`${key}: ${note}`);
	if (!([...parts.values()].reduce((sum, part) => sum + part.parameters, 0) < 1e18)) refuse("the sizes multiply to an absurd number of parameters");
	const context = plain.lookup("context");
	return {
		name, layers, d_model: d, context_max: truth(context) ? context : null, routed_layers: routedLayers, ...routed, notes,
		groups: [...groups.values()],
		parts: [...parts.values()].map(({ bytes, ...part }) => ({ ...part, bytes_per_param: bytes / part.parameters })),
	};
}

function see(outer, d, tables, notes, add) {
	const tower = outer.vision_config;
	for (const key of ["audio_config", "speech_config"]) if (truth(outer[key])) notes.push(`weights of ${key} are not counted`);
	if (!isObject(tower) || !truth(tower)) {
		if (["vision_config", "image_token_id", "image_token_index"].some((k) => k in outer) || outer.model_type === "llama4") {
			notes.push("the tower that reads pictures is not described and not counted");
		}
		return;
	}
	const find = (type) => Object.entries(tables.vision).find(([name, own]) => name === type || own.models.includes(type))?.[1];
	try {
		const own = find(tower.model_type) ?? find(outer.model_type) ?? refuse(`vision model_type ${show(tower.model_type)} has no rule`);
		add(scopeOf([own.let], [tower], { text_d: d }, tables).number(own.parameters));
	} catch (error) {
		if (!(error instanceof ConfigError)) throw error;
		notes.push(`the tower that reads pictures is not counted: ${error.message}`);
	}
}

function checkKeys(text, own, type, tables) {
	const known = new Set(["num_hidden_layers", ...Object.keys(own.notes)]);
	const learn = (rules) => rules.forEach((rule) => typeof rule === "string" && keysOf(parse(rule)).forEach((key) => known.add(key)));
	learn(Object.values(own.let));
	for (const which of ["mixers", "feeds"]) {
		const always = parse(own.let[which.slice(0, -1)]);
		for (const [name, specs] of Object.entries(own[which])) {
			if (always[0] === "text" && always[1] !== name) continue;
			specsOf(specs).forEach((spec) => learn(Object.values(spec)));
		}
	}
	const unmoved = [...own.unmoved, ...tables.unmoved].map(glob);
	for (const [key, value] of Object.entries(text)) {
		if (!truth(value) || known.has(key) || unmoved.some((pattern) => pattern.test(key))) continue;
		if (tables.structural.some((word) => key.toLowerCase().includes(word))) refuse(`${show(key)} = ${show(value)} has no rule for ${type}: it may change sizes`);
	}
}

return { read, parse, evaluate, Missing, ConfigError };
})();
