/* Live figures for The Memory Wall: one classic script (a module would not load from file://), no
   dependency, no request. For each figure the page holds a JSON spec made by explorer.py: controls,
   charts, and expressions that SymPy printed as JavaScript from the library's formulas; no formula
   is written here. A frame reads the values, runs the expressions and moves SVG nodes that exist.
   Parts: 1 numbers for people, 2 expressions, 3 nodes, 4 axes, 5 labels, 6 charts, 7 controls,
   8 the figure, 9 mounting. */
var memwallExplorer = (() => {
"use strict";

// ---- 1 numbers for people: the rules of units.human, compared with it by a test ---------------

const PREFIXES = [[1e24, "Y"], [1e21, "Z"], [1e18, "E"], [1e15, "P"], [1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""]];
const TIMES = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"], [1e-3, "ms"], [1e-6, "µs"], [1e-9, "ns"]];
const WORDS = [[1e15, "quadrillion"], [1e12, "trillion"], [1e9, "billion"], [1e6, "million"], [1, ""]];
const reached = (table, x) => table.find((s) => x >= s[0] * 0.9995) || table.at(-1);

// toFixed, but an exact tie goes to the even digit as in Python, and no exponent appears
const fixed = (x, places) => {
  if (x >= 1e21) return BigInt(x).toString();
  const text = x.toFixed(places), shifted = x * 10 ** places;
  if (Math.abs(shifted - Math.floor(shifted) - 0.5) > 1e-6) return text;
  const exact = x.toFixed(Math.min(100, places + 60)), end = exact.indexOf(".") + 1 + places;
  const kept = exact.slice(0, places ? end : end - 1);
  return /^50*$/.test(exact.slice(end)) && "02468".includes(kept.at(-1)) ? kept : text;
};
const digits = (x, figures = 3) => {
  if (x === 0) return "0";
  if (x >= 1000) return fixed(x, 0).replace(/\B(?=(\d{3})+$)/g, ",");
  const text = fixed(x, Math.max(0, figures - 1 - Math.floor(Math.log10(x))));
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
};
const money = (x, figures) => {
  const word = x >= 1e6 && WORDS.find((w) => x >= w[0]);
  if (word) return `${digits(x / word[0], figures)} ${word[1]}`;
  return figures > 3 || (x < 0.1 && x) ? digits(x, figures) : x >= 100 ? digits(Number(fixed(x, 0))) : fixed(x, 2);
};
// how x is printed in its unit: [number, its scale, words before, words after]
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
  if (Number.isNaN(value)) return "not defined";
  if (!Number.isFinite(value)) return value > 0 ? "infinite" : "minus infinite";
  const [number, , before, after] = shape(Math.abs(value), unit);
  return (value < 0 ? "−" : "") + before + (before ? money : digits)(number, figures) + after;
};

// what a reader typed, in SI, or NaN; a bare number is in the scale now shown ("20 ms" -> "30")
const COUNTS = [[1e3, "k"], [1e6, "million"], [1e9, "billion"], [1e12, "trillion"], [1e3, "thousand"], [1e15, "quadrillion"]];
const parse = (typed, unit, shown) => {
  const found = typed.replace(/[\s,_$×]/g, "").replace("−", "-").replace(/[uμ]s$/, "µs")
    .match(/^([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)(.*)$/i);
  if (!found) return NaN;
  const names = { s: TIMES, "%": [[0.01, "%"]], "$/token": [[1e-6, "/mtok"], [1, "/token"]], "$/s": [[1 / 3600, "/h"]] }[unit]
    || (/^(B|FLOP)/.test(unit) ? PREFIXES.map(([x, p]) => [x, p + unit]) : COUNTS);
  let rest = found[2].toLowerCase();
  if (names === COUNTS && rest.endsWith(unit.toLowerCase())) rest = rest.slice(0, -unit.length);
  const bare = names === COUNTS ? 1 : shape(shown, unit)[1];
  const scale = rest ? names.find((n) => n[1].toLowerCase().startsWith(rest))?.[0] : bare;
  return scale ? Number(found[1]) * scale : NaN;
};

// ---- 2 expressions: printed by SymPy, compiled once ------------------------------------------

// {js} becomes a function of the values; {js, over} one that fills a whole sweep in a single call
const compile = ({ js, over }, names, lookup) => {
  const used = names.filter((n) => n !== over && new RegExp(`\\b${n}\\b`).test(js));
  const body = (used.length ? `const {${used}} = v; ` : "") + (over
    ? `for (let i = 0; i < xs.length; i++) { const ${over} = xs[i]; out[i] = ${js}; }` : `return ${js};`);
  const run = new Function("v", "lookup", "xs", "out", body);
  return (v, xs, out) => run(v, lookup, xs, out);
};
const compileAll = (node, names, lookup) => {
  if (!node || typeof node !== "object") return node;
  if (node.js) return compile(node, names, lookup);
  if (Array.isArray(node)) return node.map((each) => compileAll(each, names, lookup));
  return Object.fromEntries(Object.entries(node).map(([key, each]) => [key, compileAll(each, names, lookup)]));
};
const valueOf = (x, v) => (typeof x === "function" ? x(v) : x);
const lookupIn = (tables) => (name, ...index) => index.reduce(
  (row, i) => row[Math.min(Math.max(Math.floor(i + 0.5), 0) || 0, row.length - 1)], tables[name]);

// ---- 3 nodes: made once; a frame touches only what changed -----------------------------------

const put = (node, attributes) => {
  const seen = (node.mwSeen ??= {});
  for (const name in attributes)
    if (seen[name] !== attributes[name]) node.setAttribute(name, (seen[name] = attributes[name]));
};
const write = (node, text) => { if (node.mwText !== text) node.textContent = node.mwText = text; };
const html = (tag, className, parent, attributes, text) => {
  const node = document.createElement(tag);
  if (className) node.className = className;
  put(node, attributes);
  if (text) node.textContent = text;
  return parent ? parent.appendChild(node) : node;
};
const draw = (tag, className, parent) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  if (className) node.setAttribute("class", className);
  return parent.appendChild(node);
};
const show = (node, visible) => put(node, { display: visible ? "inline" : "none" });
// like nodes, as many as a frame asks for; done() hides the rest
const pool = (tag, className, parent) => {
  const nodes = [];
  let used = 0;
  return {
    next() {
      if (used === nodes.length) nodes.push(draw(tag, className, parent));
      show(nodes[used], true);
      return nodes[used++];
    },
    done() { while (nodes.length > used) nodes.pop().remove(); used = 0; },
  };
};
const tenth = (p) => Math.round(p * 10) / 10;
const clamp = (x, low, high) => Math.min(Math.max(x, low), high);
const textAt = (node, x, y, anchor, text) => {
  put(node, { x: tenth(x), y: tenth(y), "text-anchor": anchor });
  write(node, text);
};
const widths = new Map();
let pen;
const textWidth = (text) => {
  if (!widths.has(text)) {
    pen ??= document.createElement("canvas").getContext("2d");
    pen.font = `12.5px ${getComputedStyle(document.body).fontFamily}`;
    widths.set(text, pen.measureText(text).width);
  }
  return widths.get(text);
};
const widest = (texts) => Math.max(0, ...texts.map(textWidth));

// ---- 4 axes ----------------------------------------------------------------------------------

const makeScale = (log, [low, high], from, to) => {
  const f = log ? Math.log10 : (x) => x, start = f(low), k = (to - from) / (f(high) - start || 1);
  return { log, low, high, from, to, at: (x) => from + (f(x) - start) * k,
    back: (p) => (log ? 10 ** (start + (p - from) / k) : start + (p - from) / k),
    holds: (x) => x >= low && x <= high };
};
const niceStep = (rough) => {
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].find((n) => n * power >= rough * 0.999) * power;
};
// round values that people count in: powers of ten, but 1 min, 1 h, 1 d for long times
const logMarks = (low, high, unit, mantissas) => {
  const base = unit === "$/s" ? 1 / 3600 : 1;
  let marks = [];
  for (let k = Math.floor(Math.log10(low / base)); k <= Math.log10(high / base); k++)
    marks.push(...mantissas.map((m) => Number(`${m}e${k}`) * base));
  if (unit === "s" && high > 60)
    marks = [...marks.filter((t) => t < 60), 60, 600, 3600, 36e3, ...[1, 10, 100, 1e3, 1e4, 1e5].map((d) => d * 86400)];
  return marks.filter((t) => t >= low * (1 - 1e-9) && t <= high * (1 + 1e-9));
};
// ticks [value, text]; a linear axis prints all at one scale: 0.5 ms and 1 ms, not 500 µs and 1 ms
const ticksOf = ({ log, low, high }, unit, count) => {
  const [, size, before, after] = shape(Math.max(Math.abs(low), Math.abs(high)), unit), few = Math.max(count, 2);
  const text = (x) => log && !before ? human(x, unit) : x === 0 ? "0"
    : (x < 0 ? "−" : "") + before + digits(Math.abs(Number((x / size).toPrecision(9)))) + after;
  let marks = [];
  if (log) {
    marks = logMarks(low, high, unit, [1]);
    if (marks.length < 3) marks = logMarks(low, high, unit, [1, 2, 5]);
    marks = marks.filter((_, i) => i % Math.ceil(marks.length / few) === 0);
  } else {
    const gap = niceStep((high - low) / size / few) * size;
    for (let k = Math.ceil(low / gap - 1e-9); k * gap <= high + gap * 1e-9; k++) marks.push(k * gap);
  }
  return marks.map((x) => [x, text(x)]);
};
// where an axis ends when it follows its curves: round, so that it rests while a slider moves
const roundRange = (low, high, { log, unit }) => {
  if (!(low < Infinity)) return log ? [1, 10] : [0, 1];
  if (log) {
    low = Math.max(low, high * 1e-9);
    const down = logMarks(low / 10, low, "", [1, 2, 5]).at(-1), up = logMarks(high, high * 10, "", [1, 2, 5])[0];
    return down < up ? [down, up] : [down / 2, up * 2];
  }
  low = Math.min(low, 0);
  if (high <= low) high = low + 1;
  const [, size] = shape(Math.max(-low, high), unit), gap = niceStep((high - low) / size / 5) * size;
  return [Math.floor(low / gap + 1e-9) * gap, Math.ceil(high / gap - 1e-9) * gap];
};

// ---- 5 labels: beside what they name, clear of each other and, if possible, of the curves -----

const LINE = 15;
const spread = (items, top, bottom) => {
  items.sort((a, b) => a.y - b.y);
  let edge = top - LINE;
  for (const item of items) edge = item.y = Math.max(item.y, edge + LINE);
  edge = bottom + LINE;
  for (const item of items.reverse()) edge = item.y = Math.min(item.y, edge - LINE);
};
class Placer {
  constructor(left, top, right, bottom) {
    Object.assign(this, { left, top, right, bottom, boxes: [], ink: [] });
  }
  // text at the first of the places [x, y, anchor] that is free, else at the least crowded
  put(node, text, places, optional) {
    const width = textWidth(text);
    let best = Infinity, chosen, box;
    for (const place of places) {
      const left = place[0] - { start: 0, middle: width / 2, end: width }[place[2]];
      const tried = [left - 2, place[1] - 12, left + width + 2, place[1] + 4], cost = this.cost(tried);
      if (cost < best) [best, chosen, box] = [cost, place, tried];
      if (!cost) break;
    }
    show(node, !(optional && best >= 1000));
    if (optional && best >= 1000) return;
    this.boxes.push(box);
    textAt(node, ...chosen, text);
  }
  cost([left, top, right, bottom]) {
    let cost = left < this.left || right > this.right || top < this.top || bottom > this.bottom ? 500 : 0;
    for (const b of this.boxes) if (left < b[2] && right > b[0] && top < b[3] && bottom > b[1]) cost += 1000;
    for (const { xs, ys } of this.ink)
      for (let i = 0; i < xs.length; i++) if (xs[i] > left && xs[i] < right && ys[i] > top && ys[i] < bottom) cost++;
    return cost;
  }
}
const around = (x, y, gap) => [[x + gap, y + 14, "start"], [x + gap, y - 7, "start"], [x - gap, y - 7, "end"],
  [x - gap, y + 14, "end"], [x, y - 12, "middle"], [x, y + 22, "middle"], [x + gap + 4, y + 4, "start"], [x - gap - 4, y + 4, "end"]];
// the reader's point is a disc, series of dots differ by shape
const SHAPES = ["M-5,0a5,5 0 1,0 10,0a5,5 0 1,0 -10,0z", "M-3.5,0a3.5,3.5 0 1,0 7,0a3.5,3.5 0 1,0 -7,0z",
  "M-3.2-3.2h6.4v6.4h-6.4z", "M0-4L4,3.4H-4z", "M0-4.6L4.6,0L0,4.6L-4.6,0z"];

// ---- 6 charts ---------------------------------------------------------------------------------

class Chart {
  constructor(figure, spec, parent) {
    const box = html("figure", "mw-chart", parent);
    Object.assign(this, { figure, spec });
    if (spec.title) this.title = html("figcaption", "", box);
    this.svg = draw("svg", "", box);
    this.grid = draw("path", "mw-grid", this.svg);
    [this.under, this.body, this.over] = ["", "", ""].map(() => draw("g", "", this.svg));
    [this.xTicks, this.yTicks] = [1, 2].map(() => pool("text", "mw-tick", this.over));
    [this.xName, this.yName] = [1, 2].map(() => draw("text", "mw-axis", this.over));
    this.guides = this.marks(spec.guides, "path");
    this.points = this.marks(spec.points, "path", "mw-point", this.over);
    for (const p of this.points) for (const node of [p.node, p.ghost]) put(node, { d: SHAPES[p.dot || 0] });
  }
  // points, guides, bars, areas: each with its node, a ghost for what was kept as A, and its label
  marks(list, tag, className = `mw-${tag}`, layer = this.body) {
    return (list || []).map((m) => {
      const node = (style) => draw(tag, `${style} mw-is-${m.kind}`, layer);
      return { ...m, ghost: node(`${className} mw-ghost`), node: node(m.dot ? "mw-dot" : className),
        text: draw("text", `${m.dot ? "mw-small" : "mw-label"} mw-is-${m.kind}`, this.over) };
    });
  }
  // grid, ticks and names around two axes
  axes(width, height, xRange, yRange, right) {
    const { x, y } = this.spec, top = y.name ? 26 : 10, bottom = height - (x.name ? 40 : 22);
    const Y = makeScale(y.log, yRange, bottom, top), yMarks = ticksOf(Y, y.unit, (bottom - top) / 42);
    const left = Math.ceil(widest(yMarks.map((m) => m[1]))) + 8;
    const X = makeScale(x.log, xRange, left, width - right), room = X.to - left;
    let xMarks = ticksOf(X, x.unit, room / 60);
    const wide = widest(xMarks.map((m) => m[1])) + 12;
    if (xMarks.length * wide > room) xMarks = ticksOf(X, x.unit, room / wide);
    let d = "";
    for (const [at, text] of yMarks) {
      d += `M${left},${tenth(Y.at(at))}H${tenth(X.to)}`;
      textAt(this.yTicks.next(), left - 6, Y.at(at) + 4, "end", text);
    }
    this.yTicks.done();
    textAt(this.yName, 0, 12, "start", y.name);
    Object.assign(this, { X, Y, width });
    return this.across(X, xMarks, top, bottom, width, d);
  }
  // the x axis alone: what bars need
  across(X, marks, top, bottom, width, d) {
    for (const [at, text] of marks) {
      const half = textWidth(text) / 2;
      d += `M${tenth(X.at(at))},${top}V${bottom}`;
      textAt(this.xTicks.next(), clamp(X.at(at), half, width - half), bottom + 17, "middle", text);
    }
    this.xTicks.done();
    put(this.grid, { d });
    textAt(this.xName, X.to, bottom + 36, "end", this.spec.x.name);
    put(this.svg, { viewBox: `0 0 ${Math.round(width)} ${Math.round(bottom + (this.spec.x.name ? 40 : 22))}` });
  }
  drawGuides(v, X, Y, placer) {
    for (const g of this.guides) {
      const level = g.y !== undefined, scale = level ? Y : X, at = valueOf(level ? g.y : g.x, v), visible = scale.holds(at);
      for (const node of [g.node, g.text]) show(node, visible);
      if (!visible) continue;
      const p = tenth(scale.at(at)), high = Y.from - Y.to;
      put(g.node, { d: level ? `M${X.from},${p}H${X.to}` : `M${p},${Y.to}V${Y.from}` });
      placer.put(g.text, this.figure.fill(g.label), level
        ? [-5, 14].flatMap((dy) => [[X.to - 4, p + dy, "end"], [X.from + 6, p + dy, "start"]])
        : [0, 0.14, 0.28, 0.8].flatMap((f) => [[p + 5, Y.to + 12 + f * high, "start"], [p - 5, Y.to + 12 + f * high, "end"]]));
    }
  }
  drawPoints(v, pinned, X, Y, placer) {
    for (const p of this.points) for (const [node, values] of [[p.ghost, pinned], [p.node, v]]) {
      const x = values && valueOf(p.x, values), y = values && valueOf(p.y, values);
      const visible = !!values && X.holds(x) && Y.holds(y) && !(p.dot && values === pinned);
      show(node, visible);
      if (values === v) show(p.text, visible);
      if (!visible) continue;
      const px = tenth(X.at(x)), py = tenth(Y.at(y));
      put(node, { transform: `translate(${px},${py})` });
      if (values === v) placer.put(p.text, this.figure.fill(p.label), around(px, py, p.dot ? 5 : 8), p.dot);
    }
  }
  // dragging in the chart moves the swept variables that have a slider
  drag(names) {
    const sliders = names.map((name) => this.figure.sliders[name]);
    if (!sliders.some(Boolean)) return;
    put(this.svg, { class: "mw-drag" });
    const move = (event) => {
      const box = this.svg.getBoundingClientRect(), k = this.width / box.width;
      const at = [event.clientX - box.left, event.clientY - box.top];
      [this.X, this.Y].forEach((s, i) => sliders[i]?.take(s.back(clamp(at[i] * k, Math.min(s.from, s.to), Math.max(s.from, s.to)))));
    };
    this.svg.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      this.svg.setPointerCapture(event.pointerId);
      move(event);
    });
    this.svg.addEventListener("pointermove", (event) => event.buttons && move(event));
  }
}

class Lines extends Chart {
  constructor(figure, spec, parent) {
    super(figure, spec, parent);
    const clip = draw("clipPath", "", this.svg), array = (wanted) => wanted && new Float64Array(spec.samples);
    clip.id = `${figure.id}-clip${figure.charts.length}`;
    this.clip = draw("rect", "", clip);
    for (const layer of [this.under, this.body]) put(layer, { "clip-path": `url(#${clip.id})` });
    this.curves = this.marks(spec.curves, "path", "mw-curve").map((c) => {
      if (c.width) put(c.node, { "stroke-width": c.width });
      if (c.fill) c.band = draw("path", `mw-band mw-is-${c.kind}`, this.under);
      [c.now, c.then] = [1, 2].map(() => ({ x: array(c.x), y: array(true), fill: array(c.fill) }));
      return c;
    });
    [this.xs, this.px] = [array(true), array(true)];
    if (!spec.parametric) this.drag([spec.sweep]);
  }
  // an axis' two ends: given, or round numbers around everything that is drawn
  extent(part, v, pinned) {
    const axis = this.spec[part], given = axis.range.map((end) => valueOf(end, v));
    let low = Infinity, high = -Infinity;
    const see = (x) => {
      if (!Number.isFinite(x) || (axis.log && x <= 0)) return;
      if (x < low) low = x;
      if (x > high) high = x;
    };
    if (given.includes(null)) {
      for (const c of this.curves) for (const data of pinned ? [c.now, c.then] : [c.now]) {
        data[part]?.forEach(see);
        if (part === "y") data.fill?.forEach(see);
      }
      for (const p of this.points) see(valueOf(p[part], v));
    }
    const found = roundRange(given[0] ?? low, given[1] ?? high, axis);
    return [given[0] ?? found[0], given[1] ?? found[1]];
  }
  draw(v, pinned, width) {
    const { spec, xs, px, figure } = this, n = spec.samples, narrow = width < 520;
    const [from, to] = spec.swept.map((end) => valueOf(end, v));
    for (let i = 0; i < n; i++)
      xs[i] = spec.sweepLog ? from * (to / from) ** (i / (n - 1)) : from + ((to - from) * i) / (n - 1);
    for (const c of this.curves) for (const [values, data] of [[v, c.now], [pinned, c.then]])
      if (values) for (const part of ["x", "y", "fill"]) c[part]?.(values, xs, data[part]);
    const names = this.curves.map((c) => figure.fill(c.label));
    const right = narrow ? 10 : Math.min(width * 0.3, widest(names) + 14);
    const height = narrow ? clamp(width * 0.8, 250, 320) : Math.min(400, width * 0.54);
    this.axes(width, height, this.extent("x", v, pinned), this.extent("y", v, pinned), right);
    const { X, Y } = this, placer = new Placer(X.from, Y.to - 8, width, Y.from), margin = [], inner = [];
    put(this.clip, { x: X.from - 6, y: Y.to - 6, width: tenth(X.to - X.from + 12), height: tenth(Y.from - Y.to + 12) });
    for (let i = 0; i < n; i++) px[i] = X.at(xs[i]);
    this.curves.forEach((c, k) => {
      show(c.ghost, pinned);
      if (pinned) this.trace(c.ghost, c.then, c.step);
      const ink = this.trace(c.node, c.now, c.step, c.band), last = ink.xs.length - 1, visible = last >= 0 && names[k];
      placer.ink.push(ink);
      show(c.text, visible);
      if (!visible) return;
      // a name stands in the margin where its curve ends, or, on a phone, along the curve
      if (!narrow && ink.xs[last] > X.to - 4) margin.push({ node: c.text, text: names[k], y: ink.ys[last] + 4 });
      else inner.push([c.text, names[k], ink]);
    });
    this.drawPoints(v, pinned, X, Y, placer);
    this.drawGuides(v, X, Y, placer);
    spread(margin, Y.to + 4, Y.from + 4);
    for (const m of margin) textAt(m.node, X.to + 7, m.y, "start", m.text);
    placer.right = X.to;
    for (const [node, text, ink] of inner) placer.put(node, text, [1, 0.85, 0.7, 0.55, 0.4, 0.25, 0.1].flatMap((f) => {
      const i = Math.round((ink.xs.length - 1) * f), x = ink.xs[i], y = ink.ys[i], anchor = f === 1 ? "end" : "middle";
      return [[x, y - 8, anchor], [x, y + 17, anchor], [x - 8, y + 4, "end"], [x + 8, y + 4, "start"]];
    }));
  }
  // draws a curve; gives the pixels it covers inside the chart
  trace(node, data, stepwise, band) {
    const { X, Y } = this, ink = { xs: [], ys: [] };
    const level = (value) => tenth(clamp(Y.at(value), -2000, 4000));
    let d = "", pen = "M", back = "";
    for (let i = 0; i < data.y.length; i++) {
      const value = data.y[i], x = tenth(data.x ? X.at(data.x[i]) : this.px[i]);
      if (!Number.isFinite(value) || !Number.isFinite(x) || (Y.log && value <= 0)) { pen = "M"; continue; }
      const y = level(value);
      d += stepwise && pen === "L" ? `H${x}V${y}` : `${pen}${x},${y}`;
      pen = "L";
      if (band) back = `L${x},${level(data.fill[i])}${back}`;
      if (x > X.from - 1 && x < X.to + 1 && y > Y.to - 1 && y < Y.from + 1) { ink.xs.push(x); ink.ys.push(y); }
    }
    put(node, { d });
    if (band) put(band, { d: d && `${d}${back}Z` });
    return ink;
  }
}

class Bars extends Chart {
  constructor(figure, spec, parent) {
    super(figure, spec, parent);
    this.bars = this.marks(spec.bars, "rect").map((b) => ({ ...b, number: draw("text", "mw-tick", this.over),
      part: spec.stacked && draw("rect", `mw-rect mw-is-${b.kind}`, this.body) }));
    if (spec.stacked) [this.all, this.sum] = [1, 2].map(() => draw("text", "mw-label", this.over));
  }
  draw(v, pinned, width) {
    const { figure, bars, spec: { x, stacked } } = this, narrow = width < 480, tall = narrow ? 42 : 30, top = 6;
    // a bar that is not defined just now is not there
    const amounts = new Map(bars.map((b) => [b, valueOf(b.value, v)])), rows = bars.filter((b) => !Number.isNaN(amounts.get(b)));
    const old = (b) => (pinned && !stacked ? valueOf(b.value, pinned) : NaN);
    const total = rows.reduce((sum, b) => sum + amounts.get(b), 0), print = (amount) => human(amount, x.unit);
    const seen = (stacked ? [total] : rows.flatMap((b) => [amounts.get(b), old(b)])).filter((a) => Number.isFinite(a) && (a > 0 || !x.log));
    const given = x.range.map((end) => valueOf(end, v)), found = roundRange(given[0] ?? Math.min(...seen), given[1] ?? Math.max(...seen), x);
    const low = given[0] ?? found[0], high = given[1] ?? found[1];
    const left = narrow ? 0 : Math.ceil(widest([...rows.map((b) => figure.fill(b.label)), stacked ? x.name : ""])) + 10;
    const X = makeScale(x.log, [low, high], left, width - widest([total, ...amounts.values()].map(print)) - 8);
    const bottom = top + (rows.length + (stacked ? 1 : 0)) * tall, shift = narrow ? 19 : 6;
    this.across(X, ticksOf(X, x.unit, (X.to - left) / 75), top, bottom, width, "");
    const bar = (node, from, to, y) => {
      const ends = [from, to].map((a) => X.at(clamp(a, low, high)));
      put(node, { x: tenth(Math.min(...ends)), y: y + shift, width: tenth(Math.abs(ends[1] - ends[0])), height: narrow ? 16 : 18 });
      return Math.max(...ends);
    };
    const name = (node, text, y) => narrow ? textAt(node, 0, y + 14, "start", text) : textAt(node, left - 10, y + 19, "end", text);
    if (stacked) {
      name(this.all, x.name, top);
      textAt(this.sum, X.at(clamp(total, low, high)) + 6, top + shift + 13, "start", print(total));
    }
    let start = stacked || !x.log ? 0 : low;
    for (const b of bars) {
      const row = rows.indexOf(b), y = bottom - (rows.length - row) * tall, amount = amounts.get(b), before = old(b);
      for (const node of [b.node, b.text, b.number, b.part]) if (node) show(node, row >= 0);
      show(b.ghost, row >= 0 && !Number.isNaN(before));
      if (row < 0) continue;
      const end = bar(b.node, start, stacked ? start + amount : amount, y);
      bar(b.ghost, start, before || 0, y);
      if (stacked) { bar(b.part, start, start + amount, top); start += amount; }
      name(b.text, figure.fill(b.label), y);
      textAt(b.number, end + 6, y + shift + 13, "start", print(amount));
    }
    this.drawGuides(v, X, { from: bottom, to: top }, new Placer(X.from, 0, width, bottom));
  }
}

const COLUMNS = 57, ROWS = 56;
class Regions extends Chart {
  constructor(figure, spec, parent) {
    super(figure, spec, parent);
    this.xs = new Float64Array(COLUMNS);
    this.regions = this.marks(spec.regions, "path", "mw-area", this.under).map((r) => ({ ...r, row: new Float64Array(COLUMNS) }));
    this.drag([spec.sweep, spec.sweepY]);
  }
  // one line of the map: [winner, from, to], borders found between the samples
  runs(v, y) {
    const { regions, xs, X, spec } = this, sign = spec.pick === "largest" ? 1 : -1, found = [];
    for (const r of regions) r.value({ ...v, [spec.sweepY]: y }, xs, r.row);
    let now, from = X.from;
    for (let i = 0; i < COLUMNS; i++) {
      let best = regions[0];
      for (const r of regions) if (sign * r.row[i] > sign * best.row[i]) best = r;
      if (now && best !== now) {
        const before = Math.log(now.row[i - 1] / best.row[i - 1]), share = before / (before - Math.log(now.row[i] / best.row[i]));
        const to = X.from + ((X.to - X.from) * (i - 1 + (share >= 0 && share <= 1 ? share : 0.5))) / (COLUMNS - 1);
        found.push([now, from, to]);
        from = to;
      }
      now = best;
    }
    return [...found, [now, from, X.to]];
  }
  draw(v, pinned, width) {
    const { spec, xs, regions } = this, ends = (axis) => axis.range.map((end) => valueOf(end, v));
    this.axes(width, width < 520 ? Math.max(260, width * 0.85) : Math.min(400, width * 0.56), ends(spec.x), ends(spec.y), 14);
    const { X, Y } = this, placer = new Placer(X.from, Y.to, X.to, Y.from);
    for (let i = 0; i < COLUMNS; i++) xs[i] = X.back(X.from + ((X.to - X.from) * i) / (COLUMNS - 1));
    for (const r of regions) Object.assign(r, { d: "", area: 0, sx: 0, sy: 0, best: [0] });
    let above, y0;
    for (let line = 0; line <= ROWS; line++) {
      const y = Math.round(Y.to + ((Y.from - Y.to) * line) / ROWS), here = this.runs(v, Y.back(y));
      // where two lines show the same regions, slanted borders join them
      const same = above && above.length === here.length && above.every((run, i) => run[0] === here[i][0]);
      above?.forEach(([r, a, b], i) => {
        const [, c, e] = same ? here[i] : [r, a, b], span = b - a;
        r.d += `M${tenth(a)},${y0}H${tenth(b)}L${tenth(e)},${y}H${tenth(c)}Z`;
        r.area += span; r.sx += (span * (a + b)) / 2; r.sy += (span * (y0 + y)) / 2;
        if (span > r.best[0]) r.best = [span, (a + b) / 2, (y0 + y) / 2];
      });
      [above, y0] = [here, y];
    }
    this.drawPoints(v, pinned, X, Y, placer);
    for (const r of regions) {
      const text = this.figure.fill(r.label), half = textWidth(text) / 2 + 4, visible = r.best[0] > half;
      put(r.node, { d: r.d });
      show(r.text, visible);
      const place = (x, y) => [clamp(x, X.from + half, X.to - half), y, "middle"], y = r.sy / r.area;
      if (visible) placer.put(r.text, text, [...[4, -22, 30].map((dy) => place(r.sx / r.area, y + dy)), place(r.best[1], r.best[2] + 4)]);
    }
    this.drawGuides(v, X, Y, placer);
  }
}

class Grid extends Chart {
  constructor(figure, spec, parent) {
    super(figure, spec, parent);
    // a cell has one of nine shades, so that a grid is a few paths and not thousands of nodes
    this.shades = spec.kinds.map((kind) => Array.from({ length: 9 }, (_, i) => {
      const node = draw("path", `mw-cell mw-is-${kind}`, this.body);
      put(node, { "fill-opacity": (i + 1) / 9 });
      return node;
    }));
    this.numbers = pool("text", "mw-number", this.over);
  }
  draw(v, pinned, width) {
    const { spec, shades } = this, [rows, columns] = [spec.rows, spec.columns].map((n) => clamp(Math.round(n(v)) || 1, 1, 256));
    const left = textWidth(String(rows)) + 10, top = spec.y.name ? 26 : 8, w = (width - left - 4) / columns;
    const h = Math.min(Math.max(w, 22, 360 / rows), 40, ((width - left) / rows) * 1.2), right = left + w * columns, bottom = top + h * rows;
    const gap = Math.min(w, h) > 6 ? 1 : 0, xs = Float64Array.from({ length: columns }, (_, i) => i);
    const [cell, which, text] = [1, 2, 3].map(() => new Float64Array(columns)), paths = shades.map((kind) => kind.map(() => ""));
    for (let row = 0; row < rows; row++) {
      const at = { ...v, row }, y = tenth(top + row * h);
      spec.cell(at, xs, cell); spec.which(at, xs, which); spec.text?.(at, xs, text);
      const look = (i) => [clamp(Math.round(which[i]) || 0, 0, shades.length - 1), Math.round(clamp(cell[i] || 0, 0, 1) * 9)];
      for (let i = 0; i < columns; i++) {
        const [kind, shade] = look(i), start = i;
        // without gaps, a run of like cells is one rectangle
        while (!gap && i + 1 < columns && String(look(i + 1)) === `${kind},${shade}`) i++;
        if (!shade) continue;
        const wide = tenth((i - start + 1) * w - gap);
        paths[kind][shade - 1] += `M${tenth(left + start * w)},${y}h${wide}v${tenth(h - gap)}h${-wide}z`;
        if (spec.text && w >= 14) textAt(this.numbers.next(), left + (i + 0.5) * w, y + h / 2 + 4, "middle", String(Math.round(text[i])));
      }
    }
    this.numbers.done();
    shades.forEach((kind, k) => kind.forEach((node, i) => put(node, { d: paths[k][i] })));
    const counted = (total, room) => {
      const every = Math.max(1, niceStep(total / Math.max(room, 2)));
      return [1, ...Array.from({ length: Math.floor(total / every) }, (_, i) => (i + 1) * every)].filter((i, k) => !k || i > 1);
    };
    for (const i of counted(rows, (bottom - top) / 22)) textAt(this.yTicks.next(), left - 6, top + (i - 0.5) * h + 4, "end", String(i));
    this.yTicks.done();
    textAt(this.yName, 0, 12, "start", spec.y.name);
    const X = { at: (i) => left + (i - 0.5) * w, to: right }, marks = counted(columns, (right - left) / 40).map((i) => [i, String(i)]);
    this.across(X, marks, 0, bottom, width, "");
    put(this.grid, { d: `M${left},${top}H${tenth(right)}V${tenth(bottom)}H${left}Z` });
  }
}
const CHARTS = { lines: Lines, bars: Bars, regions: Regions, grid: Grid };

// ---- 7 controls: native inputs with labels ----------------------------------------------------

// the values an arrow key steps through: 26 round ones a decade, or equal steps
const MANTISSAS = [1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.8, 2, 2.2, 2.4, 2.6, 2.8, 3, 3.2, 3.5, 4, 4.5, 5, 5.5, 6, 6.5, 7, 7.5, 8, 9];
const stopsOf = ({ low, high, log, zero, step, integer }) => {
  const gap = step || Math.max(niceStep((high - low) / 100), integer ? 1 : 0), count = Math.ceil((high - low) / gap - 1e-6);
  const inner = log ? logMarks(low, high, "", MANTISSAS) : Array.from({ length: count }, (_, k) => Number((low + k * gap).toPrecision(12)));
  const stops = [...(zero ? [0] : []), low, ...inner, high].map((x) => (integer ? Math.round(x) : x));
  return [...new Set(stops)].sort((a, b) => a - b);
};
class Slider {
  constructor(figure, spec, parent) {
    const id = `${figure.id}-${spec.name}`, field = html("div", "mw-field", parent), error = `${id}-error`;
    Object.assign(this, { figure, spec, stops: stopsOf(spec) });
    html("label", "", field, { for: id }, spec.label);
    const box = html("span", "mw-box", field);
    this.box = html("input", "", box, { type: "text", inputmode: "decimal", autocomplete: "off", spellcheck: "false",
      "aria-label": `${spec.label}, exact value`, "aria-describedby": error });
    html("span", "", box, {}, spec.after);
    this.range = html("input", "", field, { type: "range", id, min: 0, max: this.stops.length - 1, step: 1 });
    this.error = html("span", "mw-error", field, { id: error, role: "alert" });
    this.range.addEventListener("input", () => this.accept(this.stops[this.range.value]));
    this.box.addEventListener("change", () => this.typed());
    this.box.addEventListener("keydown", (event) => { if (event.key === "Escape") this.accept(figure.values[spec.name]); });
  }
  // in the box: more digits, and counts in full
  text(x) {
    const { unit, after } = this.spec;
    return after === undefined ? human(x, unit, 7) : x < 1e9 ? digits(x, 7) : human(x, "1", 7);
  }
  accept(value) {
    this.shown = null;
    this.figure.set(this.spec.name, value);
  }
  // a value pointed at in the chart: three figures are as fine as a hand
  take(value) {
    const { low, high, integer } = this.spec, near = Number(value.toPrecision(3));
    this.accept(clamp(integer ? Math.round(near) : near, low, high));
  }
  wrong(value) {
    const { low, high, zero, integer, unit, label } = this.spec;
    if (integer && !Number.isInteger(value)) return `${label} is a whole number.`;
    if ((value >= low && value <= high) || (zero && value === 0)) return "";
    return `${label} goes from ${zero ? "0 or " : ""}${human(low, unit)} to ${human(high, unit)}.`;
  }
  typed() {
    const { unit, name, high } = this.spec, now = this.figure.values[name], text = this.box.value;
    const value = text === this.text(now) ? now : parse(text, unit, now);
    const trouble = Number.isNaN(value) ? `“${text}” is not a value: write a number such as ${this.text(high)}.` : this.wrong(value);
    if (trouble) this.complain(trouble);
    else this.accept(value);
  }
  complain(trouble) {
    write(this.error, trouble);
    put(this.box, { "aria-invalid": !!trouble });
  }
  show(v) {
    const { stops, spec: { name, unit } } = this, value = v[name];
    if (value === this.shown) return;
    this.shown = value;
    this.range.value = stops.reduce((best, s, i) => (Math.abs(s - value) < Math.abs(stops[best] - value) ? i : best), 0);
    put(this.range, { "aria-valuetext": human(value, unit) });
    this.box.value = this.text(value);
    put(this.box, { size: Math.max(3, this.box.value.length) });
    this.complain("");
  }
  entry(v) { return human(v[this.spec.name], this.spec.unit); }
}
// a list sets one or several variables; it reads "custom" when their values are no option's
class List {
  constructor(figure, spec, parent) {
    const id = `${figure.id}-list${figure.controls.length}`, field = html("div", "mw-field", parent);
    this.spec = spec;
    html("label", "", field, { for: id }, spec.label);
    this.select = html("select", "", field, { id });
    for (const option in spec.options) html("option", "", this.select, { value: option }, option);
    this.custom = html("option", "", this.select, { value: "", disabled: "" }, "custom");
    this.select.addEventListener("change", () => figure.set(spec.label, this.select.value));
  }
  option(v) {
    const { options, first } = this.spec, fits = (o) => Object.entries(options[o]).every(([name, x]) => v[name] === x);
    return [this.last, first, ...Object.keys(options)].find((o) => o && fits(o)) ?? "";
  }
  show(v) {
    this.select.value = this.option(v);
    this.custom.hidden = this.select.value !== "";
  }
  entry(v) { return this.option(v) || "custom"; }
}
class Toggle {
  constructor(figure, spec, parent) {
    const label = html("label", "mw-field mw-toggle", parent);
    this.spec = spec;
    this.input = html("input", "", label, { type: "checkbox" });
    label.append(spec.label);
    this.input.addEventListener("change", () => figure.set(spec.name, this.input.checked ? 1 : 0));
  }
  show(v) { this.input.checked = v[this.spec.name] !== 0; }
  entry(v) { return v[this.spec.name] ? "yes" : "no"; }
}
const CONTROLS = { slider: Slider, list: List, toggle: Toggle };

// ---- 8 the figure -----------------------------------------------------------------------------

class Figure {
  // changed: called with new values where a kernel listens; on a page the state goes into the URL
  constructor(root, given, { values, changed } = {}) {
    const names = [...Object.keys(given.values), ...given.own], spec = compileAll(given, names, lookupIn(given.tables));
    Object.assign(this, { root, spec, changed, id: `mw-${spec.id}`, values: { ...spec.values, ...values }, pinned: null, sliders: {} });
    this.units = Object.fromEntries(spec.controls.map((c) => [c.name, c.unit]));
    this.build();
    this.observer = new ResizeObserver(([entry]) => { this.width = entry.contentRect.width; this.schedule(); });
    this.observer.observe(this.chartBox);
    this.width = this.chartBox.clientWidth;
    if (!changed) {
      this.onhash = () => this.read();
      addEventListener("hashchange", this.onhash);
      this.read();
    }
    this.frame();
    root.memwall = this;
  }
  build() {
    const { spec, root } = this, live = html("div", "mw-live", null, { role: "group", "aria-labelledby": this.id });
    this.title = html("p", "mw-title", live, { id: this.id });
    const list = html("dl", "mw-readouts", live);
    for (const r of spec.readouts.filter((r) => r.label)) {
      const item = html("div", "", list), name = html("dt", "", item, {}, r.link ? "" : r.label);
      if (r.link) html("a", "", name, { href: r.link }, r.label);
      r.node = html("dd", r.words ? "mw-words" : "", item);
      if (r.low || r.high) r.band = html("dd", "", item);
      r.before = html("dd", "", item);
    }
    this.chartBox = html("div", "mw-charts", live);
    const panel = html("div", "mw-controls", live), actions = html("div", "mw-actions", live);
    this.controls = [];
    for (const c of spec.controls) this.controls.push(new CONTROLS[c.kind](this, c, panel));
    for (const c of this.controls) if (c.stops) this.sliders[c.spec.name] = c;
    this.charts = [];
    for (const c of spec.charts) this.charts.push(new CHARTS[c.kind](this, c, this.chartBox));
    this.message = html("p", "mw-message", null, { role: "status" });
    actions.before(this.message);
    const button = (text, act) => {
      const node = html("button", "", actions, { type: "button" }, text);
      node.addEventListener("click", () => act(node));
      return node;
    };
    button("Reset", () => { this.pin(null); this.assign(spec.values); });
    if (spec.compare) this.keep = button("Keep this as A", () => this.pin(this.pinned ? null : { ...this.values }));
    if (!this.changed) button("Copy link", (node) => this.copy(node));
    this.details = html("details", "", live);
    html("summary", "", this.details, {}, "All numbers");
    this.table = html("table", "", this.details);
    this.details.addEventListener("toggle", () => this.schedule());
    this.spoken = html("p", "mw-spoken", live, { "aria-live": "polite" });
    root.querySelector(".mw-still")?.remove();
    root.append(live);
  }

  // every readout at some values: raw numbers in SI, then words, which may quote the numbers
  readouts(v = this.values) {
    const found = {}, { readouts } = this.spec;
    for (const r of readouts) if (!r.words) found[r.key] = r.value(v);
    for (const r of readouts) if (r.words) found[r.key] = this.say(r.words, v, found);
    return found;
  }
  say(cases, v, found) {
    return this.fill(cases.find(([when]) => when(v))?.[1] ?? "", v, found);
  }
  print(r, found) { return r.words ? found[r.key] ?? "" : human(found[r.key], r.unit); }
  fill(template, v = this.values, found = this.found) {
    return template.replace(/\{([^{}]*)\}/g, (_, key) => {
      const r = this.spec.readouts.find((r) => r.key === key);
      if (r) return this.print(r, found);
      return key in v ? human(v[key], this.units[key]) : this.controls.find((c) => c.spec.label === key).entry(v);
    });
  }

  // a variable by its name, or a list by its label
  set(name, value) {
    const list = this.controls.find((c) => c.select && c.spec.label === name);
    if (list) list.last = value;
    this.assign(list ? list.spec.options[value] : { [name]: Number(value) });
  }
  assign(values) {
    const moved = Object.keys(values).filter((n) => n in this.values && this.values[n] !== values[n]);
    for (const name of moved) this.values[name] = values[name];
    if (moved.length) this.changed?.({ ...this.values });
    this.schedule();
  }
  pin(values) {
    this.pinned = values;
    if (this.keep) write(this.keep, values ? "Forget A" : "Keep this as A");
    if (this.keep) this.details.open = !!values;
    this.schedule();
  }
  schedule() {
    this.waiting ??= requestAnimationFrame(() => { this.waiting = null; this.frame(); });
  }
  frame() {
    const { values: v, pinned, spec, width } = this, found = (this.found = this.readouts(v));
    const before = pinned && this.readouts(pinned), title = this.say(spec.title, v, found);
    const trouble = spec.messages.filter(([when]) => when(v)).map((m) => this.fill(m[1])).join(" ");
    write(this.title, title);
    write(this.message, trouble);
    for (const r of spec.readouts.filter((r) => r.node)) {
      write(r.node, this.print(r, found));
      if (r.band) write(r.band, [r.low, r.high].map((run) => (run ? human(run(v), r.unit) : "")).join(" – "));
      write(r.before, before ? `A: ${this.print(r, before)}` : "");
    }
    for (const c of this.controls) c.show(v);
    if (width) this.charts.forEach((chart, i) => {
      chart.draw(v, pinned, width);
      if (chart.title) write(chart.title, this.fill(chart.spec.title));
      put(chart.svg, { role: "img", "aria-label": this.fill(spec.alt[Math.min(i, spec.alt.length - 1)]) });
    });
    if (this.details.open) this.tabulate(v, found, before);
    // once the hand rests: say the result aloud, keep the state in the address bar
    clearTimeout(this.rest);
    this.rest = setTimeout(() => {
      if (this.rested) write(this.spoken, title);
      this.rested = true;
      if (!this.changed) this.remember();
    }, 400);
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

  // ---- the state in the URL: #latency?batch=512&Model=DeepSeek-V3; "~A?" after the id for A; ";" between figures
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
        if (name in values && text && Number.isFinite(Number(text)) && !this.sliders[name]?.wrong(Number(text))) values[name] = Number(text);
      if (old) this.pin(values);
      else this.assign(values);
      requestAnimationFrame(() => this.root.scrollIntoView({ block: "center" }));
    }
  }
  remember() {
    const old = location.hash.slice(1), isOthers = (part) => part.includes("?") && !part.startsWith(`${this.spec.id}?`) && !part.startsWith(`${this.spec.id}~A?`);
    const parts = [...old.split(";").filter(isOthers), ...this.state(false)];
    // an ordinary anchor in the address bar stays until a figure has something to say
    if (parts.join(";") === old || (!parts.length && !old.includes("?"))) return;
    history.replaceState(history.state, "", parts.length ? `#${parts.join(";")}` : location.pathname + location.search);
  }
  async copy(button) {
    const url = `${location.href.split("#")[0]}#${this.state(true).join(";")}`;
    let said = "Copied";
    await navigator.clipboard?.writeText(url).catch(() => { said = ""; });
    if (!said || !navigator.clipboard) history.replaceState(history.state, "", url);
    write(button, said || "It is in the address bar");
    setTimeout(() => write(button, "Copy link"), 2000);
  }
  destroy() {
    this.observer.disconnect();
    clearTimeout(this.rest);
    if (this.onhash) removeEventListener("hashchange", this.onhash);
  }
}

// ---- 9 mounting: on a page from its JSON, in Jupyter as an anywidget ---------------------------

const mount = () => {
  for (const root of document.querySelectorAll(".mw-explorer")) {
    const source = root.querySelector(":scope > script");
    if (!source || root.memwall) continue;
    try {
      new Figure(root, JSON.parse(source.textContent));
    } catch (error) {
      console.error("a live figure could not start; its still remains", error);
    }
  }
};
const render = ({ model, el }) => {
  const changed = (values) => { model.set("values", values); model.save_changes(); };
  const figure = new Figure(html("div", "mw-explorer", el), model.get("spec"), { values: model.get("values"), changed });
  model.on("change:values", () => figure.assign(model.get("values")));
  return () => figure.destroy();
};
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", mount);
else mount();
return { human, parse, mount, render };
})();
