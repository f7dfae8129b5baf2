/* A page that answers back: guesses and exercises that take a number, numbers in sentences that can be
   dragged, a curve to draw, one step through the machine. A classic script after explorer.js, whose
   numbers, axes and charts it uses; no dependency, no request. Answers and curves come from Python. */
var memwallReader = (() => {
const { human, parse, Chart, CHARTS, makeScale, ticksOf, roundRange, put, write, html, draw, on, button, clamp, tenth, widest, textWidth, valueOf } = memwallExplorer;
const { abs, floor, ceil, round, min, max, exp, log } = Math;

// ---- 1 what a reader wrote stays in this browser, under the page's address

const memory = (window.memwallKept ??= {}); // where storage is refused, it lasts as long as the page
const place = (id) => `memwall:${location.pathname}:${id}`;
const kept = (id) => {
	try { return JSON.parse(localStorage.getItem(place(id))) ?? memory[id]; } catch { return memory[id]; }
};
const keep = (id, value) => {
	memory[id] = value;
	try { localStorage.setItem(place(id), JSON.stringify(value)); } catch { /* refused */ }
	document.dispatchEvent(new CustomEvent("mw-kept", { detail: id }));
};

// ---- 2 a question that takes a number and its unit

// what was typed as [number in SI], or [NaN, what is wrong with it]
const read = (text, { unit, like }) => {
	const value = parse(text, unit);
	if (value > 0) return [value];
	return [NaN, (value <= 0 ? "A number above zero, please" : parse(text, "1") ? `${text} of what? Write the unit too` : `“${text}” is not understood`) + `: something like ${like}.`];
};
let asked = 0;
const ask = (parent, spec, verb, act) => {
	const id = `mw-ask${++asked}`, form = html("form", "mw-ask", parent, { autocomplete: "off" });
	html("label", "", form, { for: id }, spec.text);
	const row = html("span", "mw-row", form);
	const box = html("input", "", row, { id, type: "text", placeholder: `such as ${spec.like}`, "aria-describedby": `${id}-reply` });
	const send = html("button", "", row, { type: "submit" }, verb);
	const reply = html("p", "mw-reply", form, { id: `${id}-reply`, role: "status" });
	on(form, "submit", (e) => {
		e.preventDefault();
		const [value, trouble] = read(box.value, spec);
		put(box, { "aria-invalid": String(!!trouble) });
		put(reply, { class: "mw-reply" });
		if (trouble) write(reply, trouble);
		else act(value);
	});
	return { form, box, send, reply };
};
const two = (x) => human(+x.toPrecision(2));
// a factor as people say it: 17 times, or 40 %
const times = (ratio) => (ratio >= 1.995 ? `${two(ratio)} times` : `${two((ratio - 1) * 100)} %`);
// both numbers on one line of powers of ten
const numberLine = (parent, unit, marks) => {
	const values = marks.map((m) => m[0]), width = clamp(parent.clientWidth, 240, 560), svg = put(draw("svg", parent), { class: "mw-line", viewBox: `0 0 ${width} 54`, "aria-hidden": "true" });
	const [low, high] = [10 ** floor(log(min(...values)) / Math.LN10 - 0.15), 10 ** ceil(log(max(...values)) / Math.LN10 + 0.15)];
	const X = makeScale(true, [low, high], 34, width - 34);
	const text = (kind, x, y, words, anchor = "middle") => { put(draw("text", svg), { class: kind, x: tenth(x), y, "text-anchor": anchor }).append(words); };
	put(draw("path", svg), { class: "mw-grid", d: `M34,27H${width - 34}${ticksOf(X, unit, width / 90).map(([x, name]) => { text("mw-tick", X.at(x), 50, name); return "M" + tenth(X.at(x)) + ",22v10"; }).join("")}` });
	const apart = abs(X.at(values[0]) - X.at(values[1])) > 90;
	marks.forEach(([value, name, kind], i) => {
		const x = X.at(value), left = i === +(values[0] > values[1]);
		put(draw("circle", svg), { class: kind, cx: tenth(x), cy: 27, r: 6 });
		text(`mw-label ${kind}`, apart ? x : x + (left ? 4 : -4), 14, name, apart ? "middle" : left ? "end" : "start");
	});
};

const KINDS = {
	// a guess, written down; `settle` meets it further down the page
	guess(root, spec) {
		const { box, send, reply } = ask(root, spec, "Keep it", (value) => keep(spec.id, value));
		const show = () => {
			const value = kept(spec.id);
			write(send, value ? "Change it" : "Keep it");
			if (!value) return;
			box.value = human(value, spec.unit);
			write(reply, `Kept in this browser: ${human(value, spec.unit)}. It is settled further down.`);
		};
		show();
		return show;
	},
	settle(root, spec) {
		const body = html("div", "", root, { "aria-live": "polite" });
		let told = false, given;
		const show = () => {
			const value = kept(spec.id);
			if (told && value === given) return;
			given = value;
			body.replaceChildren();
			if (!value && !told) {
				ask(body, { ...spec, text: `Your guess first? ${spec.text}` }, "Guess", (x) => keep(spec.id, x));
				button(body.querySelector(".mw-row"), "Just tell me", () => { told = true; given = NaN; show(); }, "mw-quiet");
				return;
			}
			told = true;
			const answer = human(spec.answer, spec.unit), line = html("p", "mw-verdict", body);
			if (!value) line.append("It is ", html("strong", "", null, {}, answer), ".");
			else {
				const ratio = value / spec.answer, close = max(ratio, 1 / ratio) <= spec.near, [low, high] = spec.words;
				line.append("You said ", html("strong", "mw-yours", null, {}, human(value, spec.unit)), close ? ": close. It is " : `: ${times(max(ratio, 1 / ratio))} too ${ratio < 1 ? low : high}. It is `, html("strong", "", null, {}, answer), ".");
				html("p", "", body, {}, close ? spec.close : ratio < 1 ? spec.low : spec.high);
				numberLine(body, spec.unit, [[value, "you", "mw-you"], [spec.answer, "it is", "mw-is"]]);
			}
			if (!value) html("p", "", body, {}, spec.close);
		};
		show();
		return show;
	},
	// an exercise knows its usual slips; their values were computed with the answer
	exercise(root, spec) {
		const { box, reply } = ask(root, spec, "Check", (value) => {
			const [good, words] = judge(value);
			put(reply, { class: `mw-reply ${good ? "mw-right" : "mw-slip"}` });
			write(reply, words);
			if (good) keep(`exercise:${spec.id}`, value);
		});
		const near = (a, b) => abs(a - b) <= spec.tolerance * abs(b);
		let wrong = 0;
		const judge = (value) => {
			const ratio = value / spec.answer;
			if (near(value, spec.answer)) return [true, `Right: ${human(spec.answer, spec.unit)}. ${spec.right}`];
			const slip = spec.slips.filter(([x]) => near(value, x)).sort((a, b) => abs(log(value / a[0])) - abs(log(value / b[0])))[0];
			if (slip) return [false, slip[1]];
			for (const [factor, hint] of spec.factors) if (near(ratio, factor) || near(ratio, 1 / factor)) return [false, hint];
			return [false, `Not yet: ${human(value, spec.unit)} is ${times(max(ratio, 1 / ratio))} too ${spec.words[+(ratio > 1)]}.${++wrong > 1 ? " The solution is folded below." : " Try once more."}`];
		};
		if (spec.solution) {
			const fold = html("details", "", root);
			html("summary", "", fold, {}, "Solution");
			for (const text of spec.solution.split("\n\n")) html("p", "", fold, {}, text);
		}
		const before = kept(`exercise:${spec.id}`);
		if (before) {
			box.value = human(before, spec.unit);
			put(reply, { class: "mw-reply mw-right" });
			write(reply, `You had it right: ${human(spec.answer, spec.unit)}.`);
		}
	},
};

// ---- 3 numbers in a sentence: those of a figure on the same page

const sentence = (root) => {
	const place = `explorer-${root.dataset.figure}`, figure = () => document.getElementById(place)?.memwall;
	const shows = [...root.querySelectorAll("[data-show]")], sets = [...root.querySelectorAll("[data-set]")];
	const grown = new Set();
	const say = (node, value, unit) => {
		const { unit: own = unit, word = "" } = node.dataset, text = value === undefined ? "" : human(value, own) + (own === "1" ? word : ""), wide = textWidth(text);
		write(node, text);
		if (!(wide <= node.mwWide)) { node.mwWide = wide; grown.add(node); }
	};
	// what is said may get longer, never shorter again: the lines below rest. Only what never was as
	// long is measured, and all of it together: each look at the page's layout is dear
	const rest = () => {
		const found = [...grown].map((node) => [node, node.offsetWidth]);
		for (const [node, width] of found) node.style.minWidth = `${width}px`;
		grown.clear();
	};
	for (const node of sets) {
		node.replaceChildren();
		const stops = () => figure().sliders[node.dataset.set], to = (i) => {
			const slider = stops(), at = clamp(round(i), 0, slider.stops.length - 1);
			slider.range.value = at;
			slider.accept(slider.stops[at]);
		};
		put(node, { role: "slider", tabindex: "0", class: "mw-number-in-text" });
		let from, began;
		on(node, "pointerdown", (e) => { if (!figure()) return; node.setPointerCapture(e.pointerId); [from, began] = [e.clientX, +stops().range.value]; e.preventDefault(); node.focus(); });
		on(node, "pointermove", (e) => e.buttons && from !== undefined && to(began + (e.clientX - from) / 5));
		on(node, "keydown", (e) => {
			const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10, Home: -1e4, End: 1e4 }[e.key];
			if (!step || !figure()) return;
			e.preventDefault();
			to(+stops().range.value + step);
		});
	}
	const show = () => {
		const f = figure();
		if (!f) return;
		for (const node of sets) {
			const { spec, range, stops } = f.sliders[node.dataset.set], value = f.values[spec.name];
			say(node, value, spec.unit);
			put(node, { "aria-label": spec.label, "aria-valuemin": "0", "aria-valuemax": stops.length - 1, "aria-valuenow": range.value, "aria-valuetext": node.textContent });
		}
		for (const node of shows) {
			const r = f.spec.readouts.find((r) => r.key === node.dataset.show);
			if (r.words) write(node, f.found[r.key]);
			else say(node, f.found[r.key], r.unit);
		}
		rest();
	};
	on(document, "mw-frame", (e) => e.target.id === place && show());
	show();
};

// ---- 4 draw your guess: a curve by hand, then the true one

const COLUMNS = 41, HANDLES = [0, 8, 16, 24, 32, 40];
const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
class Sketch extends Chart {
	constructor(figure, spec, parent) {
		super(figure, spec, parent);
		put(this.svg, { role: "group", class: "mw-sketch" });
		this.handles = HANDLES.map((column) => {
			const node = put(draw("circle", this.svg), { class: "mw-handle", r: 7, role: "slider", tabindex: "0" });
			on(node, "keydown", (e) => this.key(e, column));
			return { node, column };
		});
		const row = html("p", "mw-row", this.box);
		this.show = button(row, "Show me", () => this.do_show());
		this.clear = button(row, "Draw again", () => this.do_clear(), "mw-quiet");
		this.reply = html("p", "mw-reply", this.box, { role: "status" });
		const before = kept(`draw:${figure.spec.id}`);
		this.drawn = before?.drawn ?? Array(COLUMNS).fill(null);
		this.shown = before?.shown ?? false;
		on(this.svg, "pointerdown", (e) => { if (this.shown) return; this.svg.setPointerCapture(e.pointerId); this.last = null; this.hand(e); });
		on(this.svg, "pointermove", (e) => e.buttons && !this.shown && this.hand(e));
		on(this.svg, "pointerup", () => this.remember());
	}
	remember() { keep(`draw:${this.figure.spec.id}`, { drawn: this.drawn.map((y) => y && +y.toPrecision(4)), shown: this.shown }); }
	set(column, y) { if (!this.spec.anchor || column) this.drawn[column] = clamp(y, this.Y.low, this.Y.high); }
	hand(e) {
		const box = this.svg.getBoundingClientRect(), scale = this.width / box.width, { X, Y } = this;
		const at = [clamp(((e.clientX - box.left) * scale - X.from) / (X.to - X.from), 0, 1) * (COLUMNS - 1), (e.clientY - box.top) * scale];
		const from = this.last ?? at, [a, b] = from[0] < at[0] ? [from, at] : [at, from];
		for (let i = round(a[0]); i <= round(b[0]); i++)
			this.set(i, Y.back(b[0] === a[0] ? at[1] : a[1] + ((b[1] - a[1]) * clamp((i - a[0]) / (b[0] - a[0]), 0, 1))));
		this.last = at;
		this.figure.schedule();
	}
	key(e, column) {
		const step = { ArrowUp: 1, ArrowDown: -1, PageUp: 5, PageDown: -5 }[e.key], beside = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
		if (beside) {
			e.preventDefault();
			this.handles[HANDLES.indexOf(column) + beside]?.node.focus();
		}
		if (!step || this.shown) return;
		e.preventDefault();
		const { Y } = this, p = Y.at(this.drawn[column] ?? this.near(column)) + (step * (Y.to - Y.from)) / 40;
		this.set(column, Y.back(p));
		// the stretches to the neighbouring handles follow
		for (const side of [-8, 8]) {
			const end = column + side, other = this.drawn[end];
			if (end < 0 || end >= COLUMNS || other == null) continue;
			for (let i = 1; i < 8; i++) this.set(column + (side * i) / 8, Y.back(Y.at(this.drawn[column]) + ((Y.at(other) - Y.at(this.drawn[column])) * i) / 8));
		}
		this.remember();
		this.figure.schedule();
	}
	// where a handle waits that nobody moved: at its nearest drawn neighbour
	near(column) {
		const known = this.drawn.map((y, i) => [i || !this.spec.anchor ? y : null, abs(i - column)]).filter(([y]) => y != null).sort((a, b) => a[1] - b[1])[0];
		return known ? known[0] : this.Y.back((this.Y.from + this.Y.to) / 2);
	}
	// gaps are filled straight, ends held
	whole() {
		const { Y, drawn } = this, known = drawn.flatMap((y, i) => (y == null ? [] : [i]));
		return drawn.map((y, i) => {
			if (y != null) return y;
			const before = known.filter((k) => k < i).at(-1) ?? known[0], after = known.find((k) => k > i) ?? known.at(-1);
			return before === after ? drawn[before] : Y.back(Y.at(drawn[before]) + ((Y.at(drawn[after]) - Y.at(drawn[before])) * (i - before)) / (after - before));
		});
	}
	get enough() { return this.drawn.filter((y) => y != null).length > COLUMNS / 2 || HANDLES.every((c) => this.drawn[c] != null); }
	do_show() {
		if (!this.enough) return write(this.reply, "Draw the curve across at least half of the chart first.");
		this.drawn = this.whole();
		this.shown = true;
		this.clear.focus({ preventScroll: true });
		this.began = calm() ? 0 : performance.now();
		this.remember();
		this.figure.schedule();
	}
	do_clear() {
		this.drawn = Array(COLUMNS).fill(null);
		this.shown = false;
		this.remember();
		this.figure.schedule();
		this.handles[+!!this.spec.anchor].node.focus({ preventScroll: true });
	}
	draw(v, pinned, width) {
		const { spec, figure, shown } = this;
		this.axes(spec.x.range, spec.y.range, 12);
		const { X, Y, drawn } = this, xs = new Float64Array(COLUMNS).map((_, i) => X.back(X.from + ((X.to - X.from) * i) / (COLUMNS - 1)));
		const level = (y) => tenth(clamp(Y.at(y), Y.to - 4, Y.from + 4)), at = (i) => tenth(X.at(xs[i]));
		const truth = spec.truth(v, xs);
		if (spec.anchor) this.drawn[0] = truth[0];
		if (shown) {
			// the true curve is drawn as a hand would, left to right
			const share = this.began ? clamp((performance.now() - this.began) / 1400, 0, 1) : 1, count = max(2, ceil(share * COLUMNS));
			if (share < 1) figure.schedule();
			const line = (ys) => "M" + [...ys].slice(0, count).map((y, i) => `${at(i)},${level(y)}`).join("L");
			if (spec.low) {
				const [low, high] = [spec.low(v, xs), spec.high(v, xs)].map((ys) => [...ys].slice(0, count));
				this.path("money", "band", line(high) + "L" + low.map((y, i) => `${at(i)},${level(y)}`).reverse().join("L") + "Z");
			}
			for (const c of spec.others) {
				const ys = c.y(v, xs);
				this.path(c.kind, "curve", line(ys));
				if (share === 1) this.label(c, [26, 20, 14].flatMap((i) => [[X.at(xs[i]), level(ys[i]) + 18, 1], [X.at(xs[i]), level(ys[i]) - 8, 0]]));
			}
			this.path("money", "curve", line(truth), "stroke-width:3");
			if (share === 1) this.label({ kind: "money", label: spec.name }, [28, 22, 34].flatMap((i) => [[X.at(xs[i]) + 6, level(truth[i]) - 10, 0], [X.at(xs[i]) - 6, level(truth[i]) + 20, 1]]));
		}
		let d = "", pen = "M";
		drawn.forEach((y, i) => {
			if (y == null) { pen = "M"; return; }
			d += `${pen}${at(i)},${level(y)}`;
			pen = "L";
		});
		this.path("bound", "curve mw-own", d);
		if (spec.anchor) {
			this.path("bound", "point", `M${at(0)},${level(truth[0])}m-5,0a5,5 0 1 0 10,0a5,5 0 1 0-10,0z`);
			this.label({ kind: "bound", label: spec.anchor }, [[at(0) + 10, level(truth[0]) - 4, 0], [at(0) + 10, level(truth[0]) + 16, 0]]);
		}
		const own = drawn.filter((y) => y != null).length > 1;
		if (own && shown) this.label({ kind: "bound", label: "you" }, [36, 30, 24, 18].flatMap((i) => [[X.at(xs[i]), level(drawn[i]) - 9, 0.5], [X.at(xs[i]), level(drawn[i]) + 18, 0.5]]));
		if (!own) this.text("muted", "label mw-invite", (X.from + X.to) / 2, Y.to * 0.65 + Y.from * 0.35, 0.5, "Draw your curve here");
		for (const { node, column } of this.handles) {
			const y = drawn[column] ?? this.near(column), hidden = shown || (spec.anchor && !column);
			put(node, { cx: at(column), cy: level(y), class: `mw-handle${drawn[column] == null ? " mw-waiting" : ""}`, visibility: hidden ? "hidden" : "visible",
				"aria-label": `Your guess at ${human(xs[column], spec.xUnit)}`, "aria-valuemin": "0", "aria-valuemax": "100",
				"aria-valuenow": round((100 * (Y.from - Y.at(y))) / (Y.from - Y.to)), "aria-valuetext": drawn[column] == null ? "not drawn yet" : human(y, spec.y.unit) });
		}
		write(this.reply, shown ? this.verdict(truth) : "");
		this.show.disabled = shown;
		put(this.show, { class: this.enough ? "" : "mw-early" });
	}
	verdict(truth) {
		const ratios = this.drawn.map((y, i) => log(y / truth[i])).slice(this.spec.anchor ? 1 : 0), mean = (list) => list.reduce((a, b) => a + b, 0) / list.length;
		const off = exp(mean(ratios.map(abs))), side = mean(ratios) > 0, end = (ys) => ys[0] / ys[COLUMNS - 1], falls = end(truth) >= 1, change = (r) => `${r >= 1 === falls ? "" : "the other way, "}${two(max(r, 1 / r))}-fold`;
		const { near, words, close, above, below } = this.spec, well = off < near, verb = falls ? "fall" : "rise";
		return `On average your curve is ${times(off)} ${well ? "off: well drawn" : "too " + words[+side]}. You let it ${verb} ${change(end(this.drawn))} from end to end; it ${verb}s ${change(end(truth))}. ${well ? close : side ? above : below}`;
	}
}

// ---- 5 one step through the machine

const LAPS = 2, SHOWN = 6000; // ms in which the longest step on the slider is shown
class Machine extends Chart {
	constructor(figure, spec, parent) {
		super(figure, spec, parent);
		this.t = 1; // share of the step that is over
		const row = html("div", "mw-time", this.box);
		this.button = button(row, "Play", () => this.play(!this.playing, Infinity));
		this.scrub = html("input", "", row, { type: "range", min: 0, max: 1000, value: 1000, "aria-label": "Moment within the step" });
		this.clock = html("output", "", row);
		on(this.scrub, "input", () => this.at(this.scrub.value / 1000));
		const move = (e) => {
			const box = this.svg.getBoundingClientRect();
			this.at(clamp(this.X.back(((e.clientX - box.left) * this.width) / box.width) / this.step, 0, 1));
		};
		on(this.svg, "pointerdown", (e) => { if (e.target.matches?.(".mw-hit")) { this.svg.setPointerCapture(e.pointerId); this.held = true; move(e); } });
		on(this.svg, "pointermove", (e) => this.held && move(e));
		for (const end of ["pointerup", "pointercancel"]) on(this.svg, end, () => { this.held = false; });
		// the first time it comes into view it moves by itself, twice, unless motion is unwelcome
		let met = false;
		this.seen = new IntersectionObserver(([entry]) => {
			if (!entry.isIntersecting) return this.play(false);
			if (!met && !calm()) this.play(true, LAPS);
			met = true;
		}, { threshold: 0.6 });
		this.seen.observe(this.svg);
	}
	at(t) { this.play(false); this.t = t; this.paint(); }
	paint() { if (this.figure.width) this.frame(this.figure.values, this.figure.pinned, this.figure.width); }
	play(yes, laps = 0) {
		if (this.playing === yes) return;
		Object.assign(this, { playing: yes, laps, last: null, pause: 0 });
		put(this.button, { class: yes ? "mw-playing" : "" });
		write(this.button, yes ? "Pause" : "Play");
		if (!yes) return;
		if (this.t >= 1) this.t = 0;
		requestAnimationFrame((now) => this.tick(now));
	}
	tick(now) {
		if (!this.playing) return;
		const passed = min(now - (this.last ?? now), 100);
		this.last = now;
		if (this.pause > 0) {
			this.pause -= passed;
			if (this.pause <= 0) this.t = 0;
		} else {
			this.t = min(1, this.t + (passed / SHOWN) * (this.span / this.step));
			if (this.t === 1) {
				if (--this.laps <= 0) this.play(false);
				this.pause = 1300;
			}
		}
		this.paint();
		if (this.playing) requestAnimationFrame((next) => this.tick(next));
	}
	// the step's parts at some values, and the step: each layer reads, multiplies meanwhile, then talks
	parts(v) {
		const { weights, caches, arithmetic, network } = this.spec, [w, k, c, n] = [weights, caches, arithmetic, network].map((x) => (x ? valueOf(x, v) : 0));
		return { w, k, c, n, inner: max(w + k, c), step: max(w + k, c) + n };
	}
	draw(v, pinned, W) {
		const { spec, figure, narrow } = this, { slots, stages } = spec, now = this.parts(v), { w, k, c, n, inner, step } = now;
		const most = this.parts({ ...v, [spec.sweep]: spec.most }), t = this.t, over = t >= 1;
		Object.assign(this, { step, span: most.step });
		const i = min(slots - 1, floor(t * slots)), into = over ? Infinity : ((t * slots - i) * step) / slots, during = (from, to) => into >= from / slots && into < to / slots;
		const reading = during(0, w) ? "weights" : during(w, w + k) ? "kv" : "", talking = n > 0 && !over && into >= inner / slots;
		const busy = inner ? c / inner : 0, label = (kind, x, y, anchor, text, style = "label") => this.text(kind, style, x, y, anchor, text);

		// memory: a shelf for each few layers, what lies there to scale
		const top = narrow ? 22 : 26, tall = narrow ? 132 : 168, rack = stages > 1 ? 9 : 0, pitch = (tall - rack * (stages - 1)) / slots, thick = pitch - 3;
		const memoryWidth = W * (narrow ? 0.42 : 0.33), scale = (memoryWidth - 12) / (most.w + most.k), shelfY = (s) => top + s * pitch + floor((s * stages) / slots) * rack;
		const bodies = Array.from({ length: stages }, (_, p) => [shelfY((p * slots) / stages) - 4, (slots / stages) * pitch + 5]);
		for (const [y, h] of bodies) this.path("", "body", box(0, y, memoryWidth, h, 5));
		const lying = { weights: "", kv: "" }, lit = { weights: "", kv: "" };
		for (let s = 0; s < slots; s++) {
			const y = shelfY(s);
			for (const [kind, from, size] of [["weights", 0, w], ["kv", w, k]]) {
				const x = 6 + from * scale, wide = max(size * scale, size ? 0.8 : 0), read = over || s < i ? 1 : s > i ? 0 : clamp((into * slots - from) / size, 0, 1) || 0;
				if (!wide) continue;
				lying[kind] += box(x, y, wide, thick);
				if (read) lit[kind] += box(x, y, wide * read, thick);
			}
		}
		for (const kind in lying) { this.path(kind, "part", lying[kind], "fill-opacity:.32"); this.path(kind, "part", lit[kind]); }
		label("", 0, narrow ? 13 : 14, 0, "Memory");
		let next = 6;
		for (const [kind, from, size] of [["weights", 0, w], ["kv", w, k]]) if (size) {
			const said = narrow ? spec.holds[kind].split(" ").at(-1) : figure.fill(spec.holds[kind]);
			label(kind, (next = max(next, 6 + from * scale)), top + tall + 14, 0, said);
			next += textWidth(said) + 10;
		}

		// arithmetic: a hundred units, as many lit as have work
		const side = min(tall, narrow ? W * 0.4 : W * 0.23), unitsX = narrow ? W - side : W * 0.45, unitsY = top + (tall - side) / 2, middle = unitsY + side / 2;
		const gap = n ? side * 0.08 : 0, cell = (side - 8 - gap) / 10, spots = [];
		for (let s = 0; s < 100; s++) spots.push([unitsX + 4 + (s % 10) * cell + (s % 10 > 4 ? gap : 0), unitsY + 4 + floor(s / 10) * cell + (s > 49 ? gap : 0)]);
		// wires from every shelf, the one in use bright
		const wire = (y) => `M${tenth(memoryWidth + 1)},${tenth(y)}C${tenth(memoryWidth + (unitsX - memoryWidth) * 0.55)},${tenth(y)} ${tenth(memoryWidth + (unitsX - memoryWidth) * 0.45)},${tenth(middle)} ${tenth(unitsX - 2)},${tenth(middle)}`;
		this.path("", "wire", Array.from({ length: slots }, (_, s) => wire(shelfY(s) + thick / 2)).join(""));
		this.path(reading || "weights", "flow", reading ? wire(shelfY(i) + thick / 2) : "", `stroke-dashoffset:${tenth(-(t * step * 1500) / most.step)}`);
		this.path("", "body", box(unitsX, unitsY, side, side, 5));
		const square = ([x, y]) => box(x + 1, y + 1, cell - 2, cell - 2, 1.5), count = busy * 100, shimmer = over ? 0 : floor(t * 40);
		const works = spots.map((_, s) => (s * 37 + shimmer * 11) % 100 < max(1, round(count)));
		this.path("", "off", spots.map(square).join(""));
		if (c && !talking) this.path("compute", "part", spots.filter((_, s) => works[s]).map(square).join(""), `fill-opacity:${count < 1 ? max(0.3, count) : 1}`);
		if (n) {
			const near = unitsX + side * 0.25, far = unitsX + side * 0.75, up = unitsY + side * 0.25, down = unitsY + side * 0.75;
			this.path("network", "links", `M${tenth(near)},${tenth(up)}H${tenth(far)}V${tenth(down)}H${tenth(near)}ZL${tenth(far)},${tenth(down)}M${tenth(far)},${tenth(up)}L${tenth(near)},${tenth(down)}`, talking ? `stroke-opacity:1;stroke-dashoffset:${tenth(-t * 900)}` : "stroke-opacity:.35");
		}
		label("", unitsX, narrow ? 13 : 14, 0, "Arithmetic");
		if (c) label("compute", unitsX + side, narrow ? top + tall + 14 : 14, 1, `busy ${share((busy * inner) / step)}`, "label");

		// the people it works for, each on a seat; they get their token when the step is over
		const { seats } = spec, columns = narrow ? 50 : 20, lines = ceil(seats / columns), seatsX = narrow ? 0 : W * 0.755, room = (narrow ? W : W - seatsX) / columns, rowHigh = narrow ? room * 1.2 : room * 1.45;
		const seatsY = narrow ? top + tall + 48 : middle - (lines * rowHigh) / 2, radius = tenth(min(room * 0.4, 4.2)), taken = max(1, round((v[spec.sweep] * seats) / spec.most)), dots = ["", ""];
		for (let s = 0; s < seats; s++) {
			const x = seatsX + (s % columns + 0.5) * room, y = seatsY + (floor(s / columns) + 0.5) * rowHigh;
			dots[+(s < taken)] += `M${tenth(x - radius)},${tenth(y)}a${radius},${radius} 0 1 0 ${2 * radius},0a${radius},${radius} 0 1 0 ${-2 * radius},0z`;
		}
		if (!narrow) this.path("", over ? "wire mw-done" : "wire", `M${tenth(unitsX + side + 2)},${tenth(middle)}H${tenth(seatsX - 4)}`);
		this.path("", "off", dots[0]);
		this.path("money", over ? "part" : "rider", dots[1]);
		label("", seatsX, narrow ? seatsY - 8 : 14, 0, figure.fill(spec.aboard));
		const seatsEnd = seatsY + lines * rowHigh;
		label(over ? "money" : "", W, narrow ? seatsY - 8 : top + tall, 1, figure.fill(over ? spec.arrived : spec.riding), over ? "label" : "tick");

		// the step in time: what works, what waits
		const rows = stages > 1 ? bodies.map((_, p) => [`rack ${p + 1}`, p]) : [["memory", 0], ...(c ? [["arithmetic", 0]] : []), ...(n ? [["network", 0]] : [])];
		const started = (narrow ? seatsEnd : top + tall) + 40, line = narrow ? 38 : 27, high = 17, base = started + rows.length * line;
		const left = narrow ? 0 : widest(rows.map((r) => r[0])) + 12, right = W - (narrow ? 0 : 84), [, end] = roundRange(0, most.step * 0.999, { unit: "s" });
		const X = makeScale(false, [0, end], left, right - 4);
		this.across(X, ticksOf(X, "s", (right - left) / 80), { from: base, to: started - 12 });
		const bars = {}, done = t * step, add = (kind, y, from, to) => {
			if (to <= from) return;
			for (const [pale, a, b] of [[0, from, min(to, done)], [1, max(from, done), to]]) if (b > a) (bars[`${kind},${pale}`] ??= []).push(box(X.at(a), y, max(X.at(b) - X.at(a), 0.7), high));
		};
		rows.forEach(([name, p], r) => {
			const y = started + r * line + (narrow ? 18 : 3), one = step / slots, own = (s) => stages === 1 || floor((s * stages) / slots) === p;
			for (let s = 0; s < slots; s++) if (own(s)) {
				const from = s * one;
				if (name === "arithmetic") add("compute", y, from, from + c / slots);
				else if (name === "network") add("network", y, from + inner / slots, from + one);
				else { add("weights", y, from, from + w / slots); add("kv", y, from + w / slots, from + (w + k) / slots); }
			}
			const used = name === "arithmetic" ? c / step : name === "network" ? n / step : (w + k) / step / stages;
			this.path("", "track", box(X.at(0), y, X.at(step) - X.at(0), high));
			label("", narrow ? 0 : left - 10, narrow ? y - 5 : y + 13, narrow ? 0 : 1, name, "tick");
			label("", W, narrow ? y - 5 : y + 13, 1, `busy ${share(used)}`, "tick");
		});
		for (const key in bars) { const [kind, pale] = key.split(","); this.path(kind, "part", bars[key].join(""), +pale ? "fill-opacity:.28" : ""); }
		const finish = X.at(step), text = figure.fill(spec.length), half = textWidth(text) / 2;
		this.path("", "guide mw-is-muted", `M${tenth(finish)},${started - 8}V${base}`);
		label("", clamp(finish, X.from + half, W - half), started - 14, 0.5, text);
		const head = tenth(X.at(done));
		this.path("", "playhead", `M${head},${base}V${started - 6}`);
		this.path("bound", "part", `M${head},${started - 1}l-5,-8h10z`);
		this.path("", "hit", box(X.from, started - 10, X.to - X.from, base - started + 10));
		this.scrub.value = round(t * 1000);
		const layer = min(spec.layers, floor(t * spec.layers) + 1), said = `${human(done, "s")} of ${human(step, "s")}`;
		write(this.clock, over ? `the whole step, ${human(step, "s")}` : `${said}, layer ${layer} of ${spec.layers}`);
		put(this.scrub, { "aria-valuetext": this.clock.textContent });
	}
}
const box = (x, y, w, h, r = 0) => (r ? `M${tenth(x + r)},${tenth(y)}h${tenth(w - 2 * r)}a${r},${r} 0 0 1 ${r},${r}v${tenth(h - 2 * r)}a${r},${r} 0 0 1 ${-r},${r}h${tenth(2 * r - w)}a${r},${r} 0 0 1 ${-r},${-r}v${tenth(2 * r - h)}a${r},${r} 0 0 1 ${r},${-r}z`
	: `M${tenth(x)},${tenth(y)}h${tenth(w)}v${tenth(h)}h${tenth(-w)}z`);
const share = (x) => human(+x.toPrecision(2), "%");
Object.assign(CHARTS, { Sketch, Machine });

// ---- 6 mounting

const start = (root, spec) => {
	root.querySelector(".mw-still")?.remove();
	const show = KINDS[spec.kind](root, spec);
	if (show) on(document, "mw-kept", (e) => e.detail === spec.id && show());
	root.memwall = true;
};
const mount = () => {
	for (const root of document.querySelectorAll(".mw-reader")) {
		const source = root.querySelector("script");
		if (!root.memwall && source) start(root, JSON.parse(source.textContent));
	}
	for (const root of document.querySelectorAll(".mw-sentence")) if (!root.memwall) { sentence(root); root.memwall = true; }
	memwallExplorer.mount();
};
const render = ({ model, el }) => {
	const spec = model.get("spec");
	if (spec.kind === "sentence") {
		el.innerHTML = spec.html;
		return sentence(el.querySelector(".mw-sentence"));
	}
	start(html("div", `mw-reader mw-${spec.kind}`, el), spec);
};
if (document.readyState === "loading") on(document, "DOMContentLoaded", mount);
else mount();
return { mount, render, kept };
})();
