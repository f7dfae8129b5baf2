/* Live figures: a classic script (a module would not load from file://), no dependency, no request.
   A figure's JSON spec, made by explorer.py, holds controls, charts, and expressions that SymPy
   printed as JavaScript from the library's formulas; no formula is written here. */
var memwallExplorer = (() => {
const { abs, floor, ceil, round, min, max, log10 } = Math;

// ---- 1 numbers for people: the rules of units.human, compared with it by a test

const PREFIXES = [..."YZEPTGMk", ""].map((p, i) => [+`1e${24 - 3 * i}`, p]);
const TIMES = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"], [1e-3, "ms"], [1e-6, "µs"], [1e-9, "ns"]];
const WORDS = [[1e15, "quadrillion"], [1e12, "trillion"], [1e9, "billion"], [1e6, "million"], [1, ""]];
const reached = (table, x) => table.find((s) => x >= s[0] * 0.9995) || table.at(-1);

// toFixed, but an exact tie goes to the even digit, as in Python
const fixed = (x, places) => {
	const y = x * 10 ** places, tie = y % 1 === 0.5 && (x * 2 ** 30) % 1 === 0;
	return (tie ? (2 * round(y / 2)) / 10 ** places : x).toFixed(places);
};
const digits = (x, figures = 3) => {
	if (x === 0) return "0";
	if (x >= 999.5 + (figures > 3) / 2) return fixed(x, 0).replace(/\B(?=(\d{3})+$)/g, ",");
	const text = fixed(x, max(0, figures - 1 - floor(log10(x))));
	return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
};
const money = (x, figures) => {
	const word = x >= 1e6 && WORDS.find((w) => x >= w[0]);
	if (word) return `${digits(x / word[0], figures)} ${word[1]}`;
	return figures > 3 || (x < 0.09995 && x) ? digits(x, figures) : x >= 100 ? digits(+fixed(x, 0)) : fixed(x, 2);
};
// x in its unit: [number, scale, words before, words after]
const shape = (x, unit) => {
	if (unit === "%") return [x * 100, 0.01, "", " %"];
	if (unit === "x") return [x, 1, "", "×"];
	if (unit === "$/token") return [x * 1e6, 1e-6, "$", " / Mtok"];
	if (unit === "$/s") return [x * 3600, 1 / 3600, "$", " / h"];
	if (unit[0] === "$") return [x, 1, "$", unit.slice(1)];
	const physical = /^(B|FLOP)/.test(unit), table = unit === "s" ? TIMES : physical ? PREFIXES : WORDS;
	const [scale, name] = reached(x || unit !== "s" ? table : [[1, "s"]], x);
	return [x / scale, scale, "", (name || physical ? " " : "") + name + (unit === "1" || unit === "s" ? "" : physical ? unit : ` ${unit}`)];
};
const human = (value, unit = "1", figures = 3) => {
	if (isNaN(value)) return "not defined";
	if (!isFinite(value)) return value > 0 ? "infinite" : "minus infinite";
	const [number, , before, after] = shape(abs(value), unit);
	return (value < 0 ? "−" : "") + before + (before ? money : digits)(number, figures) + after;
};

// what was typed, in SI, or NaN; a bare number is in the scale shown ("20 ms" -> "30"), or, where
// nothing is shown, refused for times and bytes: 20 what?
const COUNTS = [[1e3, "k"], ...WORDS.slice(0, -1).reverse()];
const SHORT = [[/^(milli|micro|nano)?-?sec(ond)?s?$/, (_, p) => ({ milli: "m", micro: "µ", nano: "n" }[p] ?? "") + "s"], [/^msecs?$/, "ms"],
	[/^[uμ]s$/, "µs"], [/^min(ute)?s$/, "min"], [/^(hours?|hrs?)$/, "h"], [/^days?$/, "d"], [/^percent$/, "%"], [/^thousand/, "k"], [/^-?(times|fold)$/, ""],
	[/(per|a)second$|\/sec$/, "/s"], [/(per|\/)million(tokens?)?$|(per|\/)m?toks?$/, "/mtok"], [/^toks?\b/, "token"], [/([a-z]{3})s($|\/)/, "$1$2"]];
const shortened = (words) => SHORT.reduce((text, [long, short]) => text.replace(long, short), words);
const parse = (typed, unit, shown) => {
	if (/,(?!\d{3}(?!\d))/.test(typed)) return NaN; // 1,5 is not 15
	const found = typed.replace(/^\s*(about|roughly|ca\.?|circa|[~≈])/i, "").replace(/\s*[x×*·]\s*10\^(\d+)/i, "e$1").replace(/10\^(\d+)/, "1e$1")
		.replace(/[\s,_$×]/g, "").match(/^([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)(?:\/(\d+))?(.*)$/i);
	if (!found) return NaN;
	const names = { s: TIMES, "%": [[0.01, "%"]], "$/token": [[1e-6, "/mtok"]], "$/s": [[1 / 3600, "/h"]] }[unit]
		|| (/^(B|FLOP)/.test(unit) ? PREFIXES.map(([x, p]) => [x, p + unit]) : COUNTS);
	let rest = shortened(found[3].toLowerCase()), cents = 1;
	if (unit[0] === "$") rest = rest.replace(/^(¢|cent|ct)/, () => { cents = 0.01; return ""; });
	const own = shortened(unit.toLowerCase());
	if (names === COUNTS && rest.endsWith(own)) rest = rest.slice(0, -own.length);
	const bare = names === COUNTS ? 1 : shown === undefined && (unit === "s" || names.length > 5) ? 0 : shape(shown ?? 1, unit)[1];
	const scale = rest ? names.find((n) => n[1].toLowerCase().startsWith(rest))?.[0] : bare;
	return scale ? (cents * scale * found[1]) / (found[2] ?? 1) : NaN;
};

// ---- 2 expressions: printed by SymPy, compiled once

// {js} becomes a function of the values; {js, over} one of the values and a sweep, one array in and out.
// What `lets` names (last first) is worked out where an expression mentions it.
const mentions = (js, n) => new RegExp(`\\b${n}\\b`).test(js);
const compile = ({ js, over }, names, lookup, lets) => {
	let first = "";
	for (const [n, meaning] of lets) if (mentions(first + js, n)) first = `const ${n} = ${meaning}; ${first}`;
	const used = names.filter((n) => n !== over && mentions(first + js, n));
	return new Function("lookup", `return (v, xs) => { const {${used}} = v; ${over
		? `return xs.map((${over}) => { ${first}return ${js}; });` : `${first}return ${js};`} }`)(lookup);
};
const compileAll = (node, ...env) => {
	for (const key in node) {
		if (node[key]?.js) node[key] = compile(node[key], ...env);
		else if (typeof node[key] === "object") compileAll(node[key], ...env);
	}
	return node;
};
const valueOf = (x, v) => (typeof x === "function" ? x(v) : x);
const valuesOf = (list, v) => list.map((x) => valueOf(x, v));
// a row may be packed as a string, one character a whole number
const lookupIn = (tables) => (name, ...index) => {
	let found = tables[name];
	for (const x of index) {
		const at = min(max(floor(x + 0.5), 0) || 0, found.length - 1);
		found = typeof found === "string" ? found.charCodeAt(at) - 40 : found[at];
	}
	return found;
};

// ---- 3 nodes: made once; a frame touches only what changed

const put = (node, attributes) => {
	const seen = (node.mwSeen ??= {});
	for (const name in attributes)
		if (seen[name] !== attributes[name]) node.setAttribute(name, (seen[name] = attributes[name]));
	return node;
};
const write = (node, text) => {
	if (node.mwText === text) return;
	node.mwText = text;
	if (node.firstChild) node.firstChild.data = text;
	else node.append(text);
};
const html = (tag, className, parent, attributes, text = "") => {
	const node = put(document.createElement(tag), { class: className, ...attributes });
	node.append(text);
	return parent?.appendChild(node) ?? node;
};
const draw = (tag, parent) => parent.appendChild(document.createElementNS("http://www.w3.org/2000/svg", tag));
// nodes of a kind; those a frame does not ask for wait, empty
const pool = (tag, parent, empty) => {
	const group = draw("g", parent), nodes = group.children;
	let used = 0;
	return {
		next: () => nodes[used++] ?? draw(tag, group),
		done() { while (used < nodes.length) empty(nodes[used++]); used = 0; },
	};
};
const on = (node, event, act) => node.addEventListener(event, act);
const button = (parent, text, act, className = "") => {
	const node = html("button", className, parent, { type: "button" }, text);
	on(node, "click", () => act(node));
	return node;
};
const tenth = (p) => round(p * 10) / 10;
const clamp = (x, low, high) => min(max(x, low), high);
// a text is as wide as its letters, each measured once
const widths = {}, pen = document.createElement("canvas").getContext("2d");
const measure = (letter) => {
	pen.font = `12.5px ${getComputedStyle(document.body).fontFamily}`;
	return pen.measureText(letter).width;
};
const textWidth = (text) => [...text].reduce((sum, c) => sum + (widths[c] ??= measure(c)), 0);
const widest = (texts) => max(0, ...texts.map(textWidth));

// ---- 4 axes

const makeScale = (log, [low, high], from, to) => {
	const f = log ? log10 : (x) => x, start = f(low), k = (to - from) / (f(high) - start || 1);
	return { log, low, high, from, to, at: (x) => from + (f(x) - start) * k,
		back: (p) => (log ? 10 ** (start + (p - from) / k) : start + (p - from) / k) };
};
const niceStep = (rough) => {
	const power = 10 ** floor(log10(rough));
	return [1, 2, 5, 10].find((n) => n * power >= rough * 0.999) * power;
};
// round values: powers of ten, but 1 min, 1 h, 1 d for long times
const logMarks = (low, high, unit, mantissas) => {
	let marks = [];
	for (let k = max(-99, floor(log10(low))); k <= min(99, log10(high)); k++) marks.push(...mantissas.map((m) => +`${m}e${k}`));
	if (unit === "s" && high > 60)
		marks = [...marks.filter((t) => t < 60), 60, 600, 3600, 36e3, ...[..."012345"].map((k) => 86400 * 10 ** k)];
	return marks.filter((t) => t >= low * (1 - 1e-9) && t <= high * (1 + 1e-9));
};
// ticks [value, text]; a linear axis has one scale: 0.5 ms and 1 ms, not 500 µs
const ticksOf = ({ log, low, high }, unit, count) => {
	const [, size, before, after] = shape(max(abs(low), abs(high)), unit), few = max(count, 2);
	const text = (x) => log && !before ? human(x, unit) : x === 0 ? "0"
		: (x < 0 ? "−" : "") + before + digits(abs(+((x / size).toPrecision(9)))) + after;
	let marks = [];
	if (log) {
		marks = logMarks(low, high, unit, [1]);
		if (marks.length < 3) marks = logMarks(low, high, unit, [1, 2, 5]);
		marks = marks.filter((_, i) => i % ceil(marks.length / few) === 0);
	} else {
		const gap = niceStep((high - low) / size / few) * size;
		for (let k = ceil(low / gap - 1e-9); k * gap <= high + gap * 1e-9; k++) marks.push(k * gap);
	}
	return marks.map((x) => [x, text(x)]);
};
// ends of an axis that follows its curves: round, so that it rests while a slider moves
const roundRange = (low, high, { log, unit }) => {
	if (!(low < Infinity)) return log ? [1, 10] : [0, 1];
	if (log) {
		low = max(low, high * 1e-9);
		const down = logMarks(low / 10, low, "", [1, 2, 5]).at(-1), up = logMarks(high, high * 10, "", [1, 2, 5])[0];
		return down < up ? [down, up] : [down / 2, up * 2];
	}
	low = min(low, 0);
	if (high <= low) high = low + 1;
	const [, size] = shape(max(-low, high), unit), gap = niceStep((high - low) / size / 5) * size;
	return [floor(low / gap + 1e-9) * gap, ceil(high / gap - 1e-9) * gap];
};

// ---- 5 labels: clear of each other and, if possible, of the curves

const LINE = 15;
const spread = (items, top, bottom) => {
	items.sort((a, b) => a.y - b.y);
	let edge = top - LINE;
	for (const item of items) edge = item.y = max(item.y, edge + LINE);
	edge = bottom + LINE;
	for (const item of items.reverse()) edge = item.y = min(item.y, edge - LINE);
};
class Placer {
	constructor(left, top, right, bottom) {
		Object.assign(this, { left, top, right, bottom, boxes: [], ink: [] });
	}
	// the first place [x, y, anchor] that is free for a text, else the least crowded
	find(text, places, optional) {
		const width = textWidth(text);
		let best = optional ? 1000 : Infinity, chosen, box;
		for (const place of places) {
			const left = place[0] - width * place[2];
			const tried = [left - 2, place[1] - 12, left + width + 2, place[1] + 4], cost = this.cost(tried);
			if (cost < best) [best, chosen, box] = [cost, place, tried];
			if (!cost) break;
		}
		if (box) this.boxes.push(box);
		return chosen;
	}
	cost([left, top, right, bottom]) {
		let cost = left < this.left || right > this.right || top < this.top || bottom > this.bottom ? 500 : 0;
		for (const b of this.boxes) if (left < b[2] && right > b[0] && top < b[3] && bottom > b[1]) cost += 1000;
		for (const { xs, ys } of this.ink)
			for (let i = 1; i < xs.length; i++)
				if (max(xs[i], xs[i - 1]) > left && min(xs[i], xs[i - 1]) < right && max(ys[i], ys[i - 1]) > top && min(ys[i], ys[i - 1]) < bottom) cost++;
		return cost;
	}
}
const around = (x, y, gap) => [[x + gap, y + 14, 0], [x + gap, y - 7, 0], [x - gap, y - 7, 1],
	[x - gap, y + 14, 1], [x, y - 12, 0.5], [x, y + 22, 0.5]];
// the reader's point is a disc; series of dots differ by shape
const SHAPES = ["m-5,0a5,5 0 1 0 10,0a5,5 0 1 0-10,0z", "m-3.5,0a3.5,3.5 0 1 0 7,0a3.5,3.5 0 1 0-7,0z",
	"m-3.2-3.2h6.4v6.4h-6.4z", "m0-4l4,7.4h-8z", "m0-4.6l4.6,4.6l-4.6,4.6l-4.6-4.6z"];

// ---- 6 charts: each frame asks for paths and texts in order and gets the last one's nodes

class Chart {
	constructor(figure, spec, parent) {
		const box = html("figure", `mw-chart mw-chart-${spec.kind}`, parent);
		Object.assign(this, { figure, spec, box });
		if (spec.title) this.title = html("figcaption", "", box);
		this.svg = put(draw("svg", box), { role: "img" });
		this.paths = pool("path", this.svg, (p) => put(p, { d: "" }));
		this.texts = pool("text", this.svg, (t) => write(t, ""));
	}
	frame(v, pinned, width) {
		const narrow = width < 520;
		// charts that share controls are lower, so that all stay in sight
		const height = narrow ? clamp(width * 0.8, 250, 320) : min(400, width * (this.figure.charts.length > 1 ? 0.38 : 0.55));
		Object.assign(this, { width, height, narrow });
		this.draw(v, pinned, width);
		this.paths.done();
		this.texts.done();
		if (this.title) write(this.title, this.figure.fill(this.spec.title));
	}
	path(kind, style, d, css = "") {
		put(this.paths.next(), { class: `mw-${style} mw-is-${kind}`, d, style: css });
	}
	// anchor: the share of the text that stands left of x; or an x for each letter
	text(kind, style, x, y, anchor, text) {
		const place = { x: x.map ? x.map(tenth).join(" ") : tenth(x), y: tenth(y), "text-anchor": ["start", "middle", "end"][anchor * 2] };
		write(put(this.texts.next(), { class: `mw-${style} mw-is-${kind}`, ...place }), text);
	}
	label(mark, places) {
		const text = this.figure.fill(mark.label), place = text && this.placer.find(text, places, mark.dot);
		if (place) this.text(mark.kind, mark.dot ? "small" : "label", ...place, text);
	}
	// an axis' two ends: given, or round numbers around what is seen
	ends(axis, v, seen) {
		const given = valuesOf(axis.range, v);
		if (!given.includes(null)) return given;
		let low = Infinity, high = -Infinity;
		for (const list of seen()) for (let i = 0; i < list?.length; i++) {
			const x = list[i];
			if (!isFinite(x) || (axis.log && x <= 0)) continue;
			if (x < low) low = x;
			if (x > high) high = x;
		}
		const found = roundRange(given[0] ?? low, given[1] ?? high, axis);
		return [given[0] ?? found[0], given[1] ?? found[1]];
	}
	// grid, ticks and names around two axes
	axes(xRange, yRange, right) {
		const { width, height, spec: { x, y } } = this, top = y.name ? 26 : 10, bottom = height - (x.name ? 40 : 22);
		const Y = makeScale(y.log, yRange, bottom, top), yMarks = ticksOf(Y, y.unit, (bottom - top) / 42);
		const left = ceil(widest(yMarks.map((m) => m[1]))) + 8;
		const X = makeScale(x.log, xRange, left, width - right), room = X.to - left;
		let xMarks = ticksOf(X, x.unit, room / 60), d = "";
		const wide = widest(xMarks.map((m) => m[1])) + 12;
		if (xMarks.length * wide > room) xMarks = ticksOf(X, x.unit, room / wide);
		for (const [at, text] of yMarks) {
			d += `M${left},${tenth(Y.at(at))}H${tenth(X.to)}`;
			this.text("", "tick", left - 6, Y.at(at) + 4, 1, text);
		}
		this.text("", "tick", 0, 12, 0, y.name);
		this.across(X, xMarks, Y, d);
	}
	// the x axis alone is what bars need
	across(X, marks, Y, d = "") {
		const { width, spec: { x: { name } } } = this, bottom = Y.from;
		Object.assign(this, { X, Y, placer: new Placer(X.from, Y.to - 8, X.to, bottom) });
		for (const [at, text] of marks) {
			const half = textWidth(text) / 2;
			d += `M${tenth(X.at(at))},${Y.to}V${bottom}`;
			this.text("", "tick", clamp(X.at(at), half, width - half), bottom + 17, 0.5, text);
		}
		this.path("", "grid", d);
		this.text("", "tick", X.to, bottom + 36, 1, name);
		put(this.svg, { viewBox: `0 0 ${round(width)} ${round(bottom + (name ? 40 : 22))}` });
	}
	guides(v) {
		const { X, Y } = this, high = Y.from - Y.to;
		for (const g of this.spec.guides || []) {
			const level = !g.x, scale = level ? Y : X, at = valueOf(g.x || g.y, v), p = tenth(scale.at(at));
			if (!(at >= scale.low && at <= scale.high)) continue;
			this.path(g.kind, "guide", level ? `M${X.from},${p}H${X.to}` : `M${p},${Y.to}V${Y.from}`);
			this.label(g, level ? [-5, 14].flatMap((dy) => [[X.to - 4, p + dy, 1], [X.from + 6, p + dy, 0]])
				: [0, 0.14, 0.28, 0.8].flatMap((f) => [[p + 5, Y.to + 12 + f * high, 0], [p - 5, Y.to + 12 + f * high, 1]]));
		}
	}
	// where a point stands, perhaps at its own value of what is swept
	spot(p, v) { return valuesOf([p.x, p.y], p.at ? { ...v, [this.spec.sweep]: p.at(v) } : v); }
	points(v, pinned) {
		const { X, Y } = this;
		let { grip } = this; // what a hand can move shows which way
		for (const p of this.spec.points || []) for (const values of p.dot || !pinned ? [v] : [pinned, v]) {
			const [x, y] = this.spot(p, values), at = [tenth(X.at(x)), tenth(Y.at(y))];
			if (!(x >= X.low && x <= X.high && y >= Y.low && y <= Y.high)) continue;
			if (grip && !p.dot && values === v) {
				const [x, y] = at;
				this.path(p.kind, "grip", `M${x - 11},${y - 4}l-4,4l4,4M${x + 11},${y - 4}l4,4l-4,4`);
				grip = false;
			}
			this.path(p.kind, p.dot ? "dot" : values === v ? "point" : "point mw-ghost", `M${at}${SHAPES[p.dot || 0]}`);
			if (values !== v) this.label({ kind: "muted", label: "A" }, around(...at, 6));
			else this.label(p, around(...at, p.dot ? 5 : 8));
		}
	}
	// dragging in the chart moves swept variables with a slider
	drag(names) {
		const sliders = names.map((name) => this.figure.sliders[name]);
		if (!sliders.some(Boolean)) return;
		this.grip = true;
		put(this.svg, { class: sliders.filter(Boolean).length > 1 ? "mw-drag mw-both" : "mw-drag" });
		const move = (e) => {
			const box = this.svg.getBoundingClientRect(), at = [e.clientX - box.left, e.clientY - box.top];
			[this.X, this.Y].forEach((scale, i) => sliders[i]?.take(scale.back((at[i] * this.width) / box.width)));
		};
		on(this.svg, "pointerdown", (e) => { this.svg.setPointerCapture(e.pointerId); move(e); });
		on(this.svg, "pointermove", (e) => e.buttons && move(e));
	}
}

class Lines extends Chart {
	constructor(figure, spec, parent) {
		super(figure, spec, parent);
		const clip = put(draw("clipPath", this.svg), { id: `${figure.id}-clip${figure.charts.length}` });
		this.clip = draw("rect", clip);
		this.clipped = `clip-path:url(#${clip.id});`;
		if (!spec.parametric) this.drag([spec.sweep]);
	}
	draw(v, pinned, width) {
		const { spec, figure } = this, { curves, samples } = spec, inside = this.narrow || spec.parametric;
		const along = makeScale(spec.sweepLog, valuesOf(spec.swept, v), 0, samples - 1);
		const xs = new Float64Array(samples).map((_, i) => along.back(i)), marks = [...(spec.points || []), ...(spec.guides || [])];
		const sweep = (values) => curves.map((c) => ({ step: c.step, x: c.x?.(values, xs), y: c.y(values, xs), fill: c.fill?.(values, xs) }));
		const now = sweep(v), then = pinned ? sweep(pinned) : [];
		const ends = (part, also) => this.ends(spec[part], v, () =>
			[...[...now, ...then].flatMap((data) => [data[part], data[also]]), marks.map((m) => this.spot(m, v)[part === "x" ? 0 : 1])]);
		const right = inside ? 10 : min(width * 0.3, widest(curves.map((c) => figure.fill(c.label))) + 14);
		this.axes(ends("x"), ends("y", "fill"), right);
		const { X, Y, placer, clipped } = this, margin = [], inner = [];
		this.px = xs.map(X.at);
		put(this.clip, { x: X.from - 6, y: Y.to - 6, width: tenth(X.to - X.from + 12), height: tenth(Y.from - Y.to + 12) });
		const traced = now.map((data) => this.trace(data));
		traced.forEach((t, k) => t.band && this.path(curves[k].kind, "band", t.band, clipped));
		then.forEach((data, k) => this.path(curves[k].kind, "curve mw-ghost", this.trace(data).d, clipped));
		curves.forEach((c, k) => {
			const ink = traced[k], last = ink.xs.length - 1;
			this.path(c.kind, "curve", ink.d, clipped + (c.width ? `stroke-width:${c.width}` : ""));
			placer.ink.push(ink);
			if (!c.label) return;
			// a name stands where its curve ends or, on a phone, along it
			if (!inside && ink.xs[last] > X.to - 4) margin.push({ c, y: ink.ys[last] + 4 });
			else if (last >= 0) inner.push([c, ink]);
		});
		this.points(v, pinned);
		this.guides(v);
		spread(margin, Y.to + 4, Y.from + 4);
		for (const { c, y } of margin) this.text(c.kind, "label", X.to + 7, y, 0, figure.fill(c.label));
		for (const [c, { xs, ys }] of inner) this.label(c, [1, 0.85, 0.7, 0.55, 0.4, 0.25, 0.1].flatMap((f) => {
			const i = round((xs.length - 1) * f), x = xs[i], y = ys[i], anchor = f === 1 ? 1 : 0.5;
			return [[x, y - 8, anchor], [x, y + 17, anchor], [x - 12, y + 4, 1], [x + 12, y + 4, 0]];
		}));
	}
	// a curve's path (a straight stretch is one line), its band's, and the pixels it covers
	trace(data) {
		const { X, Y } = this, xs = [], ys = [], n = data.y.length, level = (value) => tenth(clamp(Y.at(value), -2000, 4000));
		let d = "", back = "", corner = null, held = null, slope;
		const lift = () => { if (held) d += `L${held}`; corner = held; held = null; };
		for (let i = 0; i < n; i++) {
			const value = data.y[i], x = tenth(data.x ? X.at(data.x[i]) : this.px[i]);
			if (!isFinite(value) || !isFinite(x) || (Y.log && value <= 0)) { lift(); corner = null; continue; }
			const y = level(value);
			if (!corner) d += `M${(corner = [x, y])}`;
			else if (data.step) d += `H${x}V${y}`;
			else {
				if (held && !(abs(y - corner[1] - slope * (x - corner[0])) < 0.2)) lift();
				if (!held) slope = (y - corner[1]) / (x - corner[0]);
				held = [x, y];
			}
			if (data.fill) back = `L${x},${level(data.fill[i])}${back}`;
			if ((i % 4 && i < n - 1) || x < X.from - 1 || x > X.to + 1 || y < Y.to - 1 || y > Y.from + 1) continue;
			xs.push(x);
			ys.push(y);
		}
		lift();
		return { d, band: back && `${d}${back}Z`, xs, ys };
	}
}

class Bars extends Chart {
	draw(v, pinned, width) {
		const { figure, narrow, spec: { x, bars, stacked, guides } } = this, tall = narrow ? 42 : 30, top = guides ? 22 : 6;
		const rows = [], print = (r) => (r.zero && !r.amount ? r.zero : human(r.amount, x.unit)), lines = bars.length + !!stacked;
		let total = 0;
		for (const b of bars) {
			const amount = b.value(v), start = stacked ? total : 0;
			if (isNaN(amount)) continue; // not defined just now: not there
			total += amount;
			rows.push({ kind: b.kind, name: figure.fill(b.label), amount, zero: b.zero, start, end: start + amount });
		}
		if (stacked) rows.unshift({ kind: "bound", name: x.name, amount: total, start: 0, end: total, parts: rows.slice() });
		const range = this.ends(x, v, () => [rows.map((r) => r.end), valuesOf((guides || []).map((g) => g.x), v)]);
		const left = narrow ? 0 : ceil(widest(rows.map((r) => r.name))) + 10;
		const X = makeScale(x.log, range, left, width - widest(rows.map(print)) - 8);
		this.across(X, ticksOf(X, x.unit, (X.to - left) / 75), { from: top + lines * tall, to: 4 });
		rows.forEach((r, i) => {
			const y = top + i * tall + (narrow ? 19 : 6), at = (value) => tenth(X.at(clamp(value, ...range)));
			for (const part of r.parts || [r])
				this.path(part.kind, "bar", `M${at(part.start)},${y}H${at(part.end)}v${narrow ? 16 : 18}H${at(part.start)}z`);
			this.text(r.kind, "label", narrow ? 0 : left - 10, narrow ? y - 5 : y + 13, narrow ? 0 : 1, r.name);
			this.text("", "tick", max(at(r.start), at(r.end)) + 6, y + 13, 0, print(r));
		});
		this.guides(v);
	}
}

const COLUMNS = 45, ROWS = 40;
class Regions extends Chart {
	constructor(figure, spec, parent) {
		super(figure, spec, parent);
		this.drag([spec.sweep, spec.sweepY]);
	}
	// one line of the map: [winner, from, to], borders found between the samples
	runs(v, y) {
		const { xs, X, spec: { regions, pick, sweepY } } = this, sign = pick === "largest" ? 1 : -1, found = [];
		for (const r of regions) r.row = r.value({ ...v, [sweepY]: y }, xs);
		let now, from = X.from;
		for (let i = 0; i < COLUMNS; i++) {
			let best = regions[0];
			for (const r of regions) if (sign * r.row[i] > sign * best.row[i]) best = r;
			if (now && best !== now) {
				const before = Math.log(now.row[i - 1] / best.row[i - 1]), after = Math.log(now.row[i] / best.row[i]);
				const to = X.from + ((X.to - X.from) * (i - 1 + clamp(before / (before - after) || 0, 0, 1))) / (COLUMNS - 1);
				found.push([now, from, to]);
				from = to;
			}
			now = best;
		}
		return [...found, [now, from, X.to]];
	}
	draw(v, pinned, width) {
		const { spec } = this;
		this.axes(this.ends(spec.x, v), this.ends(spec.y, v), 14);
		const { X, Y } = this;
		this.xs = new Float64Array(COLUMNS).map((_, i) => X.back(X.from + ((X.to - X.from) * i) / (COLUMNS - 1)));
		for (const r of spec.regions) Object.assign(r, { d: "", area: 0, sx: 0, sy: 0 });
		let above, y0;
		for (let line = 0; line <= ROWS; line++) {
			const y = round(Y.to + ((Y.from - Y.to) * line) / ROWS), here = this.runs(v, Y.back(y));
			// where two lines show the same regions, slanted borders join them
			const same = above?.length === here.length && above.every((run, i) => run[0] === here[i][0]);
			above?.forEach(([r, a, b], i) => {
				const [, c, e] = same ? here[i] : [r, a, b], area = (b - a) * (y - y0);
				r.d += `M${tenth(a)},${y0}H${tenth(b)}L${tenth(e)},${y}H${tenth(c)}Z`;
				r.area += area; r.sx += (area * (a + b)) / 2; r.sy += (area * (y0 + y)) / 2;
			});
			[above, y0] = [here, y];
		}
		for (const r of spec.regions) this.path(r.kind, "area", r.d);
		this.points(v, pinned);
		for (const r of spec.regions) {
			const half = textWidth(this.figure.fill(r.label)) / 2 + 4, x = clamp(r.sx / r.area, X.from + half, X.to - half);
			if (r.area > 30 * half) this.label(r, [4, -22, 30].map((dy) => [x, r.sy / r.area + dy, 0.5]));
		}
		this.guides(v);
	}
}

class Grid extends Chart {
	draw(v, pinned, width) {
		const { spec } = this, [rows, columns] = [spec.rows, spec.columns].map((n) => clamp(round(n(v)) || 1, 1, 256));
		const left = textWidth(String(rows)) + 10, top = spec.y.name ? 26 : 8, w = (width - left - 4) / columns;
		const h = max(5, min(40, this.height / rows)), right = left + w * columns, bottom = top + h * rows;
		const gap = min(w, h) > 6 ? 1 : 0, box = `h${tenth(w - gap)}v${tenth(h - gap)}h${tenth(gap - w)}z`, xs = new Float64Array(columns).map((_, i) => i), paths = {};
		const X = makeScale(false, [0.5, columns + 0.5], left, right), Y = makeScale(false, [0.5, rows + 0.5], top, bottom);
		const marks = (scale, count, room) => ticksOf(scale, "1", min(count, room)).filter(([i]) => i % 1 === 0);
		this.across(X, marks(X, columns, (right - left) / 40), { from: bottom, to: bottom });
		for (let row = 0; row < rows; row++) {
			const at = { ...v, row }, y = tenth(top + row * h), numbers = {};
			const [cell, which, text] = ["cell", "which", "text"].map((part) => spec[part]?.(at, xs));
			// nine shades: a grid is a few paths, not thousands of nodes
			for (let i = 0; i < columns; i++) {
				const shade = round(clamp(cell[i] || 0, 0, 1) * 9);
				const key = `${spec.kinds[round(which[i])] ?? spec.kinds[0]},${shade}`;
				if (!shade) continue;
				paths[key] = `${paths[key] ?? ""}M${tenth(left + i * w)},${y}${box}`;
				if (!spec.text || w < 14) continue;
				// nor a node a number: a row's are one text
				const ink = (numbers[shade > 4 ? "number" : "number mw-pale"] ??= { xs: [], digits: "" });
				const number = String(round(text[i])), last = number.length - 1;
				for (let k = 0; k <= last; k++) ink.xs.push(left + (i + 0.5) * w + (k - last / 2) * textWidth("0"));
				ink.digits += number;
			}
			for (const style in numbers) this.text("", style, numbers[style].xs, y + h / 2 + 4, 0.5, numbers[style].digits);
		}
		for (const key in paths) this.path(key.split(",")[0], "cell", paths[key], `fill-opacity:${key.split(",")[1] / 9}`);
		for (const [i, number] of marks(Y, rows, (bottom - top) / 22)) this.text("", "tick", left - 6, Y.at(i) + 4, 1, number);
		this.text("", "tick", 0, 12, 0, spec.y.name);
		this.path("", "grid", `M${left},${top}H${tenth(right)}V${tenth(bottom)}H${left}Z`);
	}
}
const CHARTS = { Lines, Bars, Regions, Grid }; // reader.js adds its own

// ---- 7 controls: native inputs with labels

// an arrow key's steps: 26 round values a decade, or equal ones
const MANTISSAS = [1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.8, 2, 2.2, 2.4, 2.6, 2.8, 3, 3.2, 3.5, 4, 4.5, 5, 5.5, 6, 6.5, 7, 7.5, 8, 9];
const stopsOf = ({ low, high, log, zero, step, integer }) => {
	const gap = step || max(niceStep((high - low) / 100), integer ? 1 : 0), count = ceil((high - low) / gap - 1e-6);
	const inner = log ? logMarks(low, high, "", MANTISSAS) : Array.from({ length: count }, (_, k) => +((low + k * gap).toPrecision(12)));
	const stops = [zero ? 0 : low, low, ...inner, high].map((x) => (integer ? round(x) : x));
	return [...new Set(stops)].sort((a, b) => a - b);
};
const fieldFor = (figure, spec, parent) => {
	const id = `${figure.id}-control${figure.controls.length}`, field = html("div", "mw-field", parent);
	html("label", "", field, { for: id }, spec.label);
	return [id, field];
};
class Slider {
	constructor(figure, spec, parent) {
		const [id, field] = fieldFor(figure, spec, parent), error = `${id}-error`;
		Object.assign(this, { figure, spec, field, stops: stopsOf(spec) });
		figure.sliders[spec.name] = this;
		const box = html("span", "mw-box", field);
		this.box = html("input", "", box, { type: "text", autocomplete: "off",
			"aria-label": `${spec.label}, exact value`, "aria-describedby": error });
		html("span", "", box, {}, spec.after);
		this.range = html("input", "", field, { type: "range", id, max: this.stops.length - 1 });
		this.error = html("span", "mw-error", field, { id: error, role: "alert" });
		// as wide as its longest value, so that the label beside it rests
		put(this.box, { size: max(3, ...this.stops.map((x) => this.text(x).length)) });
		on(this.range, "input", () => this.accept(this.stops[this.range.value]));
		on(this.box, "change", () => this.typed());
	}
	// in the box: more digits, and the unit of counts beside it
	text(x) { return human(x, this.spec.after === undefined ? this.spec.unit : "1", 7); }
	accept(value) {
		this.shown = null;
		this.figure.set(this.spec.name, value);
	}
	// pointed at in the chart: three figures are as fine as a hand
	take(value) {
		const { low, high, integer } = this.spec;
		value = +value.toPrecision(3);
		this.accept(clamp(integer ? round(value) : value, low, high));
	}
	wrong(value) {
		const { low, high, zero, integer, unit, label } = this.spec;
		if (integer && !Number.isInteger(value)) return `${label} is a whole number.`;
		if ((value >= low && value <= high) || (zero && value === 0)) return "";
		return `${label} goes from ${zero ? "0 or " : ""}${human(low, unit)} to ${human(high, unit)}.`;
	}
	typed() {
		const { unit, name } = this.spec, now = this.figure.values[name], text = this.box.value, value = parse(text, unit, now);
		const trouble = isNaN(value) ? `“${text}” is no number: write one such as ${this.text(now)}.` : this.wrong(value);
		if (!trouble) return this.accept(value);
		write(this.error, trouble);
		put(this.box, { "aria-invalid": "true" });
	}
	show(v) {
		const { stops, spec: { name, unit } } = this, value = v[name];
		if (value === this.shown) return;
		this.shown = value;
		if (stops[this.range.value] !== value) this.range.value = stops.reduce((best, s, i) => (abs(s - value) < abs(stops[best] - value) ? i : best), 0);
		put(this.range, { "aria-valuetext": human(value, unit) });
		this.box.value = this.text(value);
		put(this.box, { "aria-invalid": "false" });
		write(this.error, "");
	}
	entry(v) { return human(v[this.spec.name], this.spec.unit); }
	samples() { return Array.from({ length: 9 }, (_, i) => ({ [this.spec.name]: this.stops[round((i * (this.stops.length - 1)) / 8)] })); }
}
// a list sets one or several variables; it reads "custom" when their values are no option's
class List {
	constructor(figure, spec, parent) {
		const [id, field] = fieldFor(figure, spec, parent);
		this.spec = spec;
		this.select = html("select", "", field, { id });
		for (const option in spec.options) html("option", "", this.select, { value: option }, option);
		this.custom = html("option", "", this.select, { value: "", disabled: "" }, "custom");
		on(this.select, "change", () => figure.set(spec.label, this.select.value));
	}
	option(v) {
		const { options, first } = this.spec, fits = (o) => Object.entries(options[o]).every(([name, x]) => v[name] === x);
		return [this.last, first, ...Object.keys(options)].find((o) => o && fits(o)) ?? "";
	}
	show(v) {
		const option = this.option(v);
		if (option === this.shown) return;
		this.select.value = this.shown = option;
		this.custom.hidden = option !== "";
	}
	entry(v) { return this.option(v) || "custom"; }
	samples() { return Object.values(this.spec.options); }
}
class Toggle {
	constructor(figure, spec, parent) {
		const label = html("label", "mw-field mw-toggle", parent);
		this.spec = spec;
		this.input = html("input", "", label, { type: "checkbox" });
		label.append(spec.label);
		on(this.input, "change", () => figure.set(spec.name, this.input.checked ? 1 : 0));
	}
	show(v) { this.input.checked = v[this.spec.name] !== 0; }
	entry(v) { return v[this.spec.name] ? "yes" : "no"; }
	samples() { return [0, 1].map((x) => ({ [this.spec.name]: x })); }
}
const CONTROLS = { Slider, List, Toggle };

// ---- 8 the figure

class Figure {
	// changed: called where a kernel listens; on a page the state goes into the URL
	constructor(root, given, { values, changed } = {}) {
		const spec = compileAll(given, [...Object.keys(given.values), ...given.own], lookupIn(given.tables), given.lets);
		Object.assign(this, { root, spec, changed, id: `mw-${spec.id}`, values: { ...spec.values, ...values }, pinned: null,
			sliders: {}, controls: [], charts: [] });
		this.build();
		this.observer = new ResizeObserver(([entry]) => {
			if (this.width === (this.width = entry.contentRect.width)) return;
			this.reserve();
			this.schedule();
		});
		this.observer.observe(this.chartBox);
		this.width = this.chartBox.clientWidth;
		if (!changed) {
			on(window, "hashchange", () => this.read());
			this.read();
		}
		this.found = this.readouts();
		this.reserve();
		this.frame();
		root.memwall = this;
		root.dispatchEvent(new CustomEvent("mw-frame", { bubbles: true }));
	}
	build() {
		const { spec, root } = this, live = html("div", "mw-live", null, { role: "group", "aria-labelledby": this.id });
		this.title = html("p", "mw-title", live, { id: this.id });
		const list = html("dl", "mw-readouts", live);
		for (const r of spec.readouts) if (r.label) {
			const item = html("div", "", list), name = html("dt", "", item);
			html(r.link ? "a" : "span", "", name, r.link && { href: r.link }, r.label);
			r.node = html("dd", r.words ? "mw-words" : "", item);
			if (r.low) r.band = html("dd", "", item);
		}
		this.chartBox = html("div", "mw-charts", live);
		const panel = html("div", "mw-controls", live);
		this.message = html("p", "mw-message", live, { role: "status" });
		this.message.hidden = !spec.messages.length;
		const actions = html("div", "mw-actions", live);
		for (const c of spec.controls) this.controls.push(new CONTROLS[c.kind](this, c, panel));
		for (const c of spec.charts) this.charts.push(new CHARTS[c.kind](this, c, this.chartBox));
		// the slider that moves a chart's point stands under it
		const moved = new Set();
		for (const { box, spec: { sweep, sweepY } } of this.charts) for (const name of [sweep, sweepY]) if (this.sliders[name] && !moved.has(name)) {
			moved.add(name);
			const below = box.nextElementSibling?.matches(".mw-main") ? box.nextElementSibling : html("div", "mw-main");
			box.after(below);
			below.append(this.sliders[name].field);
		}
		button(actions, "Reset", () => { this.pin(null); this.assign(spec.values); });
		if (spec.compare) this.keep = button(actions, "Keep this as A", () => this.pin(this.pinned ? null : { ...this.values }));
		if (!this.changed) button(actions, "Copy link", (node) => this.copy(node));
		this.details = html("details", "", live);
		html("summary", "", this.details, {}, "All numbers");
		this.table = html("table", "", this.details);
		on(this.details, "toggle", () => this.schedule());
		this.spoken = html("p", "mw-spoken", live, { "aria-live": "polite" });
		// nothing to set, nothing to send
		actions.hidden = this.details.hidden = panel.hidden = !spec.controls.length;
		panel.hidden ||= !panel.childElementCount;
		root.querySelector(".mw-still")?.remove();
		root.append(live);
	}

	// every readout: raw numbers in SI, then words, which may quote them
	readouts(v = this.values) {
		const found = {}, { readouts } = this.spec;
		for (const r of readouts) if (!r.words) found[r.key] = r.value(v);
		for (const r of readouts) if (r.words) found[r.key] = this.say(r.words, v, found);
		return found;
	}
	say(cases, v, found) { return this.fill(cases.find((c) => c[0](v))?.[1] ?? "", v, found); }
	// 23 – 38 ms: the unit once, where both ends share it
	band(r, v) {
		const [low, high] = [r.low, r.high].map((run) => human(run(v), r.unit)), tail = high.replace(/^[−$\d.,]+/, "");
		return `${low.endsWith(tail) ? low.slice(0, low.length - tail.length) : low} – ${high}`;
	}
	print(r, found) { return r.words ? found[r.key] ?? "" : human(found[r.key], r.unit); }
	fill(template, v = this.values, found = this.found) {
		return template.replace(/\{([^{}]*)\}/g, (_, key) => {
			const r = this.spec.readouts.find((r) => r.key === key);
			if (r) return this.print(r, found);
			return key in v ? human(v[key], this.sliders[key]?.spec.unit) : this.controls.find((c) => c.spec.label === key).entry(v);
		});
	}

	// a variable by its name, or a list by its label
	set(name, value) {
		const list = this.controls.find((c) => c.select && c.spec.label === name);
		if (list) list.last = value;
		this.assign(list ? list.spec.options[value] : { [name]: value });
		if (list && this.found) this.reserve();
	}
	assign(values) {
		const moved = Object.keys(values).filter((n) => n in this.values && this.values[n] !== values[n]);
		for (const name of moved) this.values[name] = values[name];
		this.moved ||= moved.length > 0;
		if (moved.length) this.changed?.({ ...this.values });
		this.schedule();
	}
	pin(values) {
		this.pinned = values;
		if (this.keep) {
			write(this.keep, values ? "Forget A" : "Keep this as A");
			this.details.open = !!values;
		}
		this.schedule();
	}
	// Nothing may move under a dragging hand: texts that change get the room of their longest, over a
	// few positions of every control, with a few digits to spare.
	reserve() {
		const { spec, values } = this, texts = new Map(), add = (node, text) => node && texts.get(node)?.add(text) || texts.set(node, new Set([text]));
		for (const change of this.controls.flatMap((c) => c.samples())) {
			const v = { ...values, ...change }, found = this.readouts(v);
			add(this.title, this.say(spec.title, v, found));
			for (const [when, text] of spec.messages) if (when(v)) add(this.message, this.fill(text, v, found));
			for (const r of spec.readouts) {
				if (r.node && r.words) add(r.node, found[r.key]);
				if (r.band) add(r.band, this.band(r, v));
			}
			for (const c of this.charts) if (c.title) add(c.title, this.fill(c.spec.title, v, found));
		}
		// all probes stand before the first is measured: the page is laid out once
		const nodes = [...texts.keys()], widths = nodes.map((node) => node.clientWidth), probes = nodes.map((node, i) =>
			[...texts.get(node)].sort((a, b) => b.length - a.length).slice(0, 3).map((text) => {
				const probe = html(node.tagName, node.className, node.parentNode, {}, text + " 0000");
				probe.style.cssText = `position:absolute;visibility:hidden;width:${widths[i]}px`;
				return probe;
			}));
		const tall = probes.map((all) => max(...all.map((p) => ceil(p.getBoundingClientRect().height))));
		nodes.forEach((node, i) => { node.style.minHeight = tall[i] + "px"; });
		for (const p of probes.flat()) p.remove();
	}
	schedule() { this.waiting ??= requestAnimationFrame(() => { this.waiting = null; this.frame(); }); }
	frame() {
		const { values: v, pinned, spec, width } = this, found = (this.found = this.readouts(v));
		const before = pinned && this.readouts(pinned), title = this.say(spec.title, v, found);
		const trouble = spec.messages.filter(([when]) => when(v)).map((m) => this.fill(m[1])).join(" ");
		write(this.title, title);
		write(this.message, trouble);
		for (const r of spec.readouts) if (r.node) {
			write(r.node, this.print(r, found));
			if (r.band) write(r.band, this.band(r, v));
		}
		for (const c of this.controls) c.show(v);
		if (width) for (const chart of this.charts) chart.frame(v, pinned, width);
		if (this.details.open) this.tabulate(v, found, before);
		// what stands in sentences follows (reader.js)
		this.root.dispatchEvent(new CustomEvent("mw-frame", { bubbles: true }));
		// once the hand rests
		clearTimeout(this.rest);
		this.rest = setTimeout(() => {
			this.charts.forEach(({ svg }, i) => put(svg, { "aria-label": this.fill(spec.alt[i] ?? spec.alt[0]) }));
			if (this.moved) write(this.spoken, title);
			if (!this.changed) this.remember();
		}, this.moved ? 400 : 0);
	}
	tabulate(v, found, before) {
		const rows = this.controls.map((c) => [c.spec.label, before && c.entry(this.pinned), c.entry(v)]);
		for (const r of this.spec.readouts) if (r.label) rows.push([r.label, before && this.print(r, before), this.print(r, found)]);
		if (before) rows.unshift(["", "A", "now"]);
		this.table.replaceChildren(...rows.map((texts) => {
			const row = html("tr");
			texts.forEach((text, k) => text !== null && html(k ? "td" : "th", "", row, {}, text));
			return row;
		}));
	}

	// ---- the state in the URL: #latency?batch=512&Model=DeepSeek-V3;latency~A?batch=1
	query(v) {
		const base = { ...this.spec.values }, parts = new URLSearchParams();
		for (const c of this.controls) {
			const option = c.option?.(v);
			if (!option || option === c.spec.first) continue;
			parts.set(c.spec.label, option);
			Object.assign(base, c.spec.options[option]);
		}
		for (const name in v) if (v[name] !== base[name]) parts.set(name, v[name]);
		return String(parts);
	}
	state(always) {
		const { id } = this.spec, now = this.query(this.values);
		return [...(now || always ? [`${id}?${now}`] : []), ...(this.pinned ? [`${id}~A?${this.query(this.pinned)}`] : [])];
	}
	read() {
		for (const part of location.hash.slice(1).split(";")) {
			const [, id, old, query] = part.match(/^([^~?]*)(~A)?\?(.*)$/) || [];
			if (id !== this.spec.id) continue;
			const values = { ...this.spec.values }, given = new URLSearchParams(query);
			for (const c of this.controls) Object.assign(values, c.spec.options?.[given.get(c.spec.label)]);
			for (const [name, text] of given)
				if (name in values && text && isFinite(+text) && !this.sliders[name]?.wrong(+text)) values[name] = +text;
			if (old) this.pin(values);
			else this.assign(values);
			requestAnimationFrame(() => this.root.scrollIntoView({ block: "center" }));
		}
	}
	remember() {
		const old = location.hash.slice(1), other = (part) => part.includes("?") && part.split(/[?~]/)[0] !== this.spec.id;
		const parts = [...old.split(";").filter(other), ...this.state()];
		// an ordinary anchor stays until a figure has something to say
		if (parts.join(";") === old || (!parts.length && !old.includes("?"))) return;
		history.replaceState(null, "", parts.length ? `#${parts.join(";")}` : location.pathname + location.search);
	}
	async copy(button) {
		const url = `${location.href.split("#")[0]}#${this.state(true).join(";")}`;
		history.replaceState(null, "", url);
		write(button, (await navigator.clipboard?.writeText(url).then(() => "Copied", () => "")) || "It is in the address bar");
		setTimeout(() => write(button, "Copy link"), 2000);
	}
	destroy() { this.observer.disconnect(); clearTimeout(this.rest); }
}

// ---- 9 mounting: on a page from JSON, in Jupyter as an anywidget

const mount = () => {
	for (const root of document.querySelectorAll(".mw-explorer")) {
		const source = root.querySelector("script");
		if (!source || root.memwall) continue;
		try {
			const spec = JSON.parse(source.textContent);
			// a chart whose script is still on its way keeps its still until then
			if (spec.charts.every((c) => CHARTS[c.kind])) new Figure(root, spec);
		} catch (error) {
			console.error("a live figure could not start", error);
		}
	}
};
const render = ({ model, el }) => {
	const changed = (values) => { model.set("values", values); model.save_changes(); };
	const figure = new Figure(html("div", "mw-explorer", el, { id: `explorer-${model.get("spec").id}` }), structuredClone(model.get("spec")), { values: model.get("values"), changed });
	model.on("change:values", () => figure.assign(model.get("values")));
	return () => figure.destroy();
};
if (document.readyState === "loading") on(document, "DOMContentLoaded", mount);
else mount();
return { human, parse, mount, render, CHARTS, Chart, makeScale, ticksOf, roundRange, logMarks, put, write, html, draw, on, button, clamp, tenth, widest, textWidth, valueOf };
})();
