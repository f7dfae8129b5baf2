/* Live figures for The Memory Wall: one classic script (a module would not load from file://), no
   dependency, no request. The page holds, for each figure, a JSON spec made by explorer.py: controls,
   charts, and expressions that SymPy printed as JavaScript from the library's formulas. No formula
   is written here. A frame reads the values, runs the expressions, and moves SVG nodes that exist.
   Parts: 1 numbers for people, 2 expressions, 3 nodes, 4 axes, 5 labels, 6 charts, 7 controls,
   8 the figure, 9 mounting. */
var memwallExplorer = (() => {
"use strict";

// ---- 1 numbers for people: the rules of units.human, compared with it by a test ----------------

const PREFIXES = [[1e24, "Y"], [1e21, "Z"], [1e18, "E"], [1e15, "P"], [1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""]];
const TIMES = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"], [1e-3, "ms"], [1e-6, "µs"], [1e-9, "ns"]];
const WORDS = [[1e15, "quadrillion"], [1e12, "trillion"], [1e9, "billion"], [1e6, "million"]];

// toFixed, but an exact tie goes to the even digit as in Python, and no exponent appears
const fixed = (x, places) => {
  if (x >= 1e21) return BigInt(x).toString();
  const text = x.toFixed(places), shifted = x * 10 ** places;
  if (Math.abs(shifted - Math.floor(shifted) - 0.5) > 1e-6) return text;
  const exact = x.toFixed(Math.min(100, places + 60)), dot = exact.indexOf(".");
  const kept = places ? exact.slice(0, dot + 1 + places) : exact.slice(0, dot);
  const tie = /^50*$/.test(exact.slice(dot + 1 + places));
  return tie && "02468".includes(kept.at(-1)) ? kept : text;
};
const grouped = (text) => text.replace(/\B(?=(\d{3})+$)/g, ",");
const digits = (x, figures = 3) => {
  if (x === 0) return "0";
  if (x >= 1000) return grouped(fixed(x, 0));
  const text = fixed(x, Math.max(0, figures - 1 - Math.floor(Math.log10(x))));
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
};
const money = (x, figures = 3) => {
  if (x >= 1e6) {
    const [scale, word] = WORDS.find((w) => x >= w[0]);
    return `${digits(x / scale, figures)} ${word}`;
  }
  if (figures > 3) return digits(x, figures);
  return x >= 100 ? grouped(fixed(x, 0)) : x >= 0.1 || x === 0 ? fixed(x, 2) : digits(x);
};
const step = (table, x) => table.find((s) => x >= s[0] * 0.9995) || table.at(-1);
const isOwn = (unit) => ["s", "%", "x"].includes(unit) || /^(B|FLOP|\$)/.test(unit);

// the scale a value is printed at: 0.02 s is "20 ms", so 1e-3
const scaleOf = (x, unit) =>
  unit === "%" ? 0.01 : unit === "s" ? step(TIMES, x)[0] : unit === "$/token" ? 1e-6
  : unit === "$/s" ? 1 / 3600 : /^(B|FLOP)/.test(unit) ? step(PREFIXES, x)[0] : 1;

const human = (x, unit = "1", figures = 3) => {
  if (Number.isNaN(x)) return "not defined";
  if (!Number.isFinite(x)) return x > 0 ? "infinite" : "minus infinite";
  const sign = x < 0 ? "−" : "", size = Math.abs(x), tail = unit === "1" ? "" : ` ${unit}`;
  if (unit === "%") return `${sign}${digits(size * 100, figures)} %`;
  if (unit === "x") return `${sign}${digits(size, figures)}×`;
  if (unit === "s") {
    const [scale, name] = step(TIMES, size);
    return size ? `${sign}${digits(size / scale, figures)} ${name}` : "0 s";
  }
  if (unit === "$/token") return `${sign}$${money(size * 1e6, figures)} / Mtok`;
  if (unit === "$/s") return `${sign}$${money(size * 3600, figures)} / h`;
  if (unit[0] === "$") return `${sign}$${money(size, figures)}${unit.slice(1)}`;
  if (/^(B|FLOP)/.test(unit)) {
    const [scale, prefix] = step(PREFIXES, size);
    return `${sign}${digits(size / scale, figures)} ${prefix}${unit}`;
  }
  const word = WORDS.find((w) => size >= w[0] * 0.9995);
  if (word) return `${sign}${digits(size / word[0], figures)} ${word[1]}${tail}`;
  return `${sign}${digits(size, figures)}${tail}`;
};

// what stands in the box beside a slider: more digits, and counts in full
const boxText = (x, unit) => isOwn(unit) ? human(x, unit, 7) : x < 1e9 ? digits(x, 7) : human(x, "1", 7);

// what a reader typed, in SI, or NaN. A bare number is in the scale now shown ("20 ms" -> "30").
const COUNTS = { k: 1e3, thousand: 1e3, m: 1e6, million: 1e6, b: 1e9, g: 1e9, billion: 1e9,
  t: 1e12, trillion: 1e12, quadrillion: 1e15 };
const parse = (typed, unit, shown) => {
  const found = typed.replace(/[\s,_$×]/g, "").replace("−", "-")
    .match(/^([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)(.*)$/i);
  if (!found) return NaN;
  const number = Number(found[1]), rest = found[2], low = rest.toLowerCase();
  if (!rest) return number * (isOwn(unit) ? scaleOf(shown, unit) : 1);
  if (unit === "s") {
    const time = TIMES.find((t) => t[1] === low.replace(/^[uμ]s/, "µs"));
    return time ? number * time[0] : NaN;
  }
  if (unit === "%") return rest === "%" ? number / 100 : NaN;
  if (unit === "x") return low === "x" ? number : NaN;
  if (unit === "$/token") return low === "/mtok" ? number * 1e-6 : low === "/token" ? number : NaN;
  if (unit === "$/s") return low === "/h" ? number / 3600 : low === "/s" ? number : NaN;
  if (/^(B|FLOP)/.test(unit)) {
    const name = unit.toLowerCase(), whole = name.startsWith(low);
    const scale = PREFIXES.find((p) => p[1].toLowerCase() === (whole ? "" : low[0]));
    return scale && (whole || name.startsWith(low.slice(1))) ? number * scale[0] : NaN;
  }
  const scale = Object.keys(COUNTS).find((k) => low === k || low === k + unit.toLowerCase());
  return scale ? number * COUNTS[scale] : low === unit.toLowerCase() || low === unit[0] ? number : NaN;
};

// ---- 2 expressions: printed by SymPy, compiled once -------------------------------------------

const unpack = (source, names) => {
  const used = names.filter((n) => new RegExp(`\\b${n}\\b`).test(source));
  return used.length ? `const {${used}} = v; ` : "";
};
const compile = (source, names) =>
  new Function("v", "lookup", `${unpack(source, names)}return ${source};`);
// a whole sweep in one call: the loop runs inside the compiled code
const compileSweep = (source, names, sweep) => new Function("v", "lookup", "xs", "out",
  unpack(source, names.filter((n) => n !== sweep)) +
  `for (let i = 0; i < xs.length; i++) { const ${sweep} = xs[i]; out[i] = ${source}; }`);
const tableLookup = (tables) => (name, ...index) => index.reduce(
  (row, i) => row[Math.min(Math.max(Math.floor(i + 0.5), 0) || 0, row.length - 1)], tables[name]);

// ---- 3 nodes: made once, then only changed where something changed ----------------------------

const put = (node, name, value) => {
  const seen = (node.mwSeen ??= {});
  if (seen[name] !== value) node.setAttribute(name, (seen[name] = value));
};
const write = (node, text) => {
  if (node.mwText !== text) node.textContent = node.mwText = text;
};
const html = (tag, className, parent, attributes = {}) => {
  const node = document.createElement(tag);
  if (className) node.className = className;
  for (const name in attributes) node.setAttribute(name, attributes[name]);
  return parent ? parent.appendChild(node) : node;
};
const draw = (tag, className, parent) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  if (className) node.setAttribute("class", className);
  return parent.appendChild(node);
};
const show = (node, visible) => put(node, "display", visible ? "inline" : "none");
// a row of like nodes that grows as needed; what a frame does not use is hidden
const pool = (tag, className, parent) => {
  const nodes = [];
  let used = 0;
  return {
    next() {
      if (used === nodes.length) nodes.push(draw(tag, className, parent));
      show(nodes[used], true);
      return nodes[used++];
    },
    done() {
      for (let i = used; i < nodes.length; i++) show(nodes[i], false);
      used = 0;
    },
  };
};
const textAt = (node, x, y, anchor, text) => {
  put(node, "x", tenth(x)); put(node, "y", tenth(y)); put(node, "text-anchor", anchor);
  write(node, text);
};
const tenth = (p) => Math.round(p * 10) / 10;

const FONT = 12.5, LINE = 15;
const widths = new Map();
let pen;
const textWidth = (text) => {
  if (!widths.has(text)) {
    pen ??= document.createElement("canvas").getContext("2d");
    pen.font = `${FONT}px ${getComputedStyle(document.body).fontFamily}`;
    widths.set(text, pen.measureText(text).width);
  }
  return widths.get(text);
};

// ---- 4 axes ----------------------------------------------------------------------------------

const makeScale = (log, [low, high], from, to) => {
  const f = log ? Math.log10 : (x) => x, start = f(low), k = (to - from) / (f(high) - start || 1);
  return { log, low, high, from, to, at: (x) => from + (f(x) - start) * k,
    back: (p) => (log ? 10 ** (start + (p - from) / k) : start + (p - from) / k) };
};
const niceStep = (rough) => {
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].find((n) => n * power >= rough * 0.999) * power;
};
// round values that people count in: powers of ten, but 1 min, 1 h, 1 d for long times
const logMarks = (low, high, unit, mantissas) => {
  const base = unit === "$/s" ? 1 / 3600 : 1, marks = [];
  for (let k = Math.floor(Math.log10(low / base)) - 1; k <= Math.log10(high / base) + 1; k++)
    for (const m of mantissas) marks.push(Number(`${m}e${k}`) * base);
  const long = unit === "s" && high > 60
    ? [...marks.filter((t) => t < 60), ...[60, 600, 3600, 36000], ...[1, 10, 100, 1e3, 1e4, 1e5, 1e6].map((d) => d * 86400)]
    : marks;
  return long.filter((t) => t >= low * (1 - 1e-9) && t <= high * (1 + 1e-9));
};
const ticksOf = (scale, unit, count) => {
  const { log, low, high } = scale, top = Math.max(Math.abs(low), Math.abs(high));
  if (log) {
    let marks = logMarks(low, high, unit, [1]);
    if (marks.length < 3) marks = logMarks(low, high, unit, [1, 2, 5]);
    const skip = Math.ceil(marks.length / Math.max(count, 2));
    return marks.filter((_, i) => i % skip === 0).map((at) => [at, human(at, isOwn(unit) ? unit : "1")]);
  }
  // on a linear axis all ticks are printed at one scale: 0.5 ms and 1 ms, not 500 µs and 1 ms
  const size = scaleOf(top, unit), gap = niceStep((high - low) / size / Math.max(count, 2));
  const tail = human(top, unit).replace(/^[−$\d.,]+/, ""), marks = [];
  for (let k = Math.ceil(low / size / gap - 1e-9); k * gap * size <= high + gap * size * 1e-9; k++) {
    const x = Number((k * gap).toPrecision(12)), sign = x < 0 ? "−" : "";
    marks.push([x * size, !isOwn(unit) ? human(x) : x === 0 ? "0"
      : sign + (unit[0] === "$" ? "$" : "") + digits(Math.abs(x)) + tail]);
  }
  return marks;
};
// where an axis ends when it follows its curves: round, so that it rests while a slider moves
const roundRange = (low, high, log, unit) => {
  if (!(low < Infinity)) return log ? [1, 10] : [0, 1];
  if (log) {
    const down = logMarks(low / 10, low, "1", [1, 2, 5]).at(-1), up = logMarks(high, high * 10, "1", [1, 2, 5])[0];
    return down < up ? [down, up] : [down / 2, up * 2];
  }
  if (low > 0) low = 0;
  if (high <= low) high = low + 1;
  const size = scaleOf(Math.max(Math.abs(low), Math.abs(high)), unit), gap = niceStep((high - low) / size / 5) * size;
  return [Math.floor(low / gap + 1e-9) * gap, Math.ceil(high / gap - 1e-9) * gap];
};

// ---- 5 labels: beside what they name, clear of each other and, if possible, of the curves -------

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
  // the first of the places [x, y, anchor] that is free, else the least crowded
  put(node, text, places, optional = false) {
    const width = textWidth(text);
    let best = Infinity, chosen, box;
    for (const place of places) {
      const [x, y, anchor] = place;
      const left = anchor === "start" ? x : anchor === "end" ? x - width : x - width / 2;
      const tried = [left - 2, y - 12, left + width + 2, y + 4];
      const cost = this.cost(tried);
      if (cost < best) [best, chosen, box] = [cost, place, tried];
      if (cost === 0) break;
    }
    const visible = !(optional && best >= 1000);
    show(node, visible);
    if (!visible) return;
    this.boxes.push(box);
    textAt(node, chosen[0], chosen[1], chosen[2], text);
  }
  cost([left, top, right, bottom]) {
    let cost = left < this.left || right > this.right || top < this.top || bottom > this.bottom ? 500 : 0;
    for (const b of this.boxes)
      if (left < b[2] && right > b[0] && top < b[3] && bottom > b[1]) cost += 1000;
    for (const { xs, ys } of this.ink)
      for (let i = 0; i < xs.length; i++)
        if (xs[i] > left && xs[i] < right && ys[i] > top && ys[i] < bottom) cost++;
    return cost;
  }
}
const around = (x, y, gap = 8) => [[x + gap, y + 14, "start"], [x + gap, y - 7, "start"],
  [x - gap, y - 7, "end"], [x - gap, y + 14, "end"], [x, y - 12, "middle"], [x, y + 22, "middle"],
  [x + gap + 4, y + 4, "start"], [x - gap - 4, y + 4, "end"]];
const SHAPES = ["M-3.5,0a3.5,3.5 0 1,0 7,0a3.5,3.5 0 1,0 -7,0z", "M-3.2-3.2h6.4v6.4h-6.4z", "M0-4L4,3.4H-4z", "M0-4.6L4.6,0L0,4.6L-4.6,0z"];

// ---- 6 charts ---------------------------------------------------------------------------------

class Chart {
  constructor(figure, spec, parent) {
    this.figure = figure;
    this.spec = spec;
    const box = html("figure", `mw-chart mw-chart-${spec.kind}`, parent);
    if (spec.title) this.title = html("figcaption", "", box);
    this.svg = draw("svg", "", box);
    put(this.svg, "role", "img");
    this.grid = draw("path", "mw-grid", this.svg);
    this.under = draw("g", "", this.svg);
    this.body = draw("g", "", this.svg);
    this.over = draw("g", "", this.svg);
    this.xTicks = pool("text", "mw-tick", this.over);
    this.yTicks = pool("text", "mw-tick", this.over);
    this.xName = draw("text", "mw-axis", this.over);
    this.yName = draw("text", "mw-axis", this.over);
  }
  compile(source) { return compile(source, this.figure.names); }
  value(run, v) { return run(v, this.figure.lookup); }
  range(pair) { return pair.map((end) => end && this.compile(end)); }
  // marks (points, guides, bars): each expression compiled, each with its nodes
  marks(list, shape) {
    return (list || []).map((m) => ({
      ...m, when: m.when && this.compile(m.when),
      ...Object.fromEntries(["x", "y", "value"].filter((k) => m[k]).map((k) => [k, this.compile(m[k])])),
      ghost: draw(shape, `mw-ghost-${shape} mw-is-${m.kind}`, this.body),
      node: draw(shape, `mw-${shape} mw-is-${m.kind}`, this.body),
      text: draw("text", `mw-label mw-is-${m.kind}`, this.over),
    }));
  }
  size(width, height) {
    put(this.svg, "viewBox", `0 0 ${Math.round(width)} ${Math.round(height)}`);
  }
  name(axis) {
    return axis.name && axis.unit && axis.unit !== "1" && !isOwn(axis.unit) ? `${axis.name} (${axis.unit})` : axis.name;
  }
  // grid, ticks and names for two axes; gives the scales from values to pixels
  axes(width, height, xRange, yRange, right) {
    const { x, y } = this.spec, top = y.name ? 26 : 10, bottom = height - (x.name ? 40 : 22);
    const Y = makeScale(y.log, yRange, bottom, top);
    const yMarks = ticksOf(Y, y.unit, (bottom - top) / 42);
    const left = Math.ceil(Math.max(...yMarks.map((m) => textWidth(m[1])), 12)) + 8;
    const X = makeScale(x.log, xRange, left, width - right);
    let xMarks = ticksOf(X, x.unit, (X.to - left) / 60);
    const widest = Math.max(...xMarks.map((m) => textWidth(m[1])));
    if (xMarks.length * (widest + 10) > X.to - left) xMarks = ticksOf(X, x.unit, (X.to - left) / (widest + 14));
    let d = "";
    for (const [at, text] of yMarks) {
      d += `M${left},${tenth(Y.at(at))}H${tenth(X.to)}`;
      textAt(this.yTicks.next(), left - 6, Y.at(at) + 4, "end", text);
    }
    for (const [at, text] of xMarks) {
      const half = textWidth(text) / 2, px = X.at(at);
      d += `M${tenth(px)},${top}V${bottom}`;
      textAt(this.xTicks.next(), Math.min(px, width - half), bottom + 17, "middle", text);
    }
    this.xTicks.done(); this.yTicks.done();
    put(this.grid, "d", d);
    textAt(this.xName, X.to, height - 4, "end", this.name(x));
    textAt(this.yName, 0, 12, "start", this.name(y));
    this.size(width, height);
    return [X, Y];
  }
  drawGuides(guides, v, X, Y, placer) {
    for (const g of guides) {
      const across = !g.x, at = this.value(across ? g.y : g.x, v), scale = across ? Y : X;
      const visible = (!g.when || this.value(g.when, v)) && at >= scale.low && at <= scale.high;
      show(g.node, visible); show(g.text, visible); show(g.ghost, false);
      if (!visible) continue;
      const p = tenth(scale.at(at)), text = this.figure.fill(g.label);
      put(g.node, "d", across ? `M${X.from},${p}H${X.to}` : `M${p},${Y.to}V${Y.from}`);
      placer.put(g.text, text, across
        ? [[X.to - 4, p - 5, "end"], [X.from + 6, p - 5, "start"], [X.to - 4, p + 14, "end"], [X.from + 6, p + 14, "start"]]
        : [0, 0.14, 0.28, 0.8].flatMap((f) => [[p + 5, Y.to + 12 + f * (Y.from - Y.to), "start"], [p - 5, Y.to + 12 + f * (Y.from - Y.to), "end"]]));
    }
  }
  drawPoints(points, v, pinned, X, Y, placer) {
    const inside = (x, y) => x >= X.low && x <= X.high && y >= Y.low && y <= Y.high;
    for (const p of points) {
      for (const [node, values] of [[p.ghost, pinned], [p.node, v]]) {
        const on = values && (!p.when || this.value(p.when, values));
        const x = on && this.value(p.x, values), y = on && this.value(p.y, values);
        const visible = on && inside(x, y);
        show(node, visible);
        if (node === p.node) show(p.text, visible);
        if (!visible) continue;
        put(node, "cx", tenth(X.at(x))); put(node, "cy", tenth(Y.at(y))); put(node, "r", 5);
        if (node === p.node) placer.put(p.text, this.figure.fill(p.label), around(X.at(x), Y.at(y)));
      }
    }
  }
  // dragging in the chart moves the swept variables that have a slider
  drag(names) {
    const sliders = names.map((n) => n && this.figure.sliders[n]);
    if (!sliders.some(Boolean)) return;
    this.svg.classList.add("mw-drag");
    const move = (event) => {
      const box = this.svg.getBoundingClientRect(), k = this.width / box.width;
      [[this.X, event.clientX - box.left], [this.Y, event.clientY - box.top]].forEach(([scale, p], i) => {
        if (!sliders[i]) return;
        const low = Math.min(scale.from, scale.to), high = Math.max(scale.from, scale.to);
        sliders[i].take(scale.back(Math.min(Math.max(p * k, low), high)));
      });
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
    const sweep = (source) => source && compileSweep(source, figure.names, spec.sweep);
    const clip = draw("clipPath", "", this.svg);
    clip.id = `${figure.id}-clip-${figure.charts.length}`;
    this.clip = draw("rect", "", clip);
    put(this.body, "clip-path", `url(#${clip.id})`);
    this.swept = this.range(spec.swept);
    this.xRange = this.range(spec.x.range);
    this.yRange = this.range(spec.y.range);
    this.guides = this.marks(spec.guides, "path");
    this.curves = spec.curves.map((c) => {
      const shown = (source) => source && (c.when ? `(${c.when}) ? (${source}) : NaN` : source);
      const data = () => ({ x: c.x && new Float64Array(spec.samples), y: new Float64Array(spec.samples),
        fill: c.fill_to && new Float64Array(spec.samples) });
      const curve = { ...c, x: sweep(c.x), y: sweep(shown(c.y)), fill: sweep(c.fill_to), now: data(), then: data(),
        band: c.fill_to && draw("path", `mw-band mw-is-${c.kind}`, this.under),
        ghost: draw("path", `mw-curve mw-ghost mw-is-${c.kind}`, this.body),
        node: draw("path", `mw-curve mw-is-${c.kind}`, this.body),
        text: draw("text", `mw-label mw-is-${c.kind}`, this.over) };
      if (c.width) put(curve.node, "stroke-width", c.width);
      if (curve.band) put(curve.band, "clip-path", `url(#${clip.id})`);
      return curve;
    });
    this.points = this.marks(spec.points, "circle");
    this.points.forEach((p) => { this.over.append(p.ghost, p.node, p.text); });
    this.dots = spec.dots.map((s, i) => ({ ...s,
      text: draw("text", `mw-label mw-is-${s.kind}`, this.over),
      data: s.data.map(([x, y, name]) => {
        const node = draw("path", `mw-dot mw-is-${s.kind}`, this.body);
        put(node, "d", SHAPES[i % 4]);
        return { x, y, name, node, text: name && draw("text", "mw-label mw-small", this.over) };
      }) }));
    this.xs = new Float64Array(spec.samples);
    this.px = new Float64Array(spec.samples);
    this.drag([spec.curves.some((c) => c.x) ? null : spec.sweep]);
  }

  // the axis' two ends: given, or round numbers around everything that is drawn
  extent(axis, ends, v, part, pinned) {
    const given = ends.map((end) => end && this.value(end, v));
    if (ends[0] && ends[1]) return given;
    let low = Infinity, high = -Infinity;
    const see = (x) => {
      if (!Number.isFinite(x) || (axis.log && x <= 0)) return;
      if (x < low) low = x;
      if (x > high) high = x;
    };
    for (const c of this.curves) {
      c.now[part]?.forEach(see);
      if (part === "y") c.now.fill?.forEach(see);
      if (pinned) c.then[part]?.forEach(see);
    }
    for (const s of this.dots) for (const d of s.data) see(d[part]);
    for (const p of this.points) if (!p.when || this.value(p.when, v)) see(this.value(p[part], v));
    if (axis.log) low = Math.max(low, high * 1e-9);
    const found = roundRange(given[0] ?? low, given[1] ?? high, axis.log, axis.unit);
    return [given[0] ?? found[0], given[1] ?? found[1]];
  }

  draw(v, pinned, width) {
    const { spec, xs, px, figure } = this, n = spec.samples, narrow = width < 520;
    this.width = width;
    const [from, to] = this.swept.map((end) => this.value(end, v));
    if (from !== this.from || to !== this.to) {
      const ratio = to / from;
      for (let i = 0; i < n; i++)
        xs[i] = spec.sweepLog ? from * ratio ** (i / (n - 1)) : from + ((to - from) * i) / (n - 1);
      [this.from, this.to] = [from, to];
    }
    for (const [values, key] of [[v, "now"], [pinned, "then"]]) {
      if (!values) continue;
      for (const c of this.curves) {
        c.y(values, figure.lookup, xs, c[key].y);
        if (c.x) c.x(values, figure.lookup, xs, c[key].x);
        if (c.fill) c.fill(values, figure.lookup, xs, c[key].fill);
      }
    }
    const height = narrow ? Math.max(250, Math.min(320, width * 0.8)) : Math.min(400, width * 0.54);
    const names = this.curves.map((c) => figure.fill(c.label));
    const right = narrow ? 10 : Math.min(width * 0.3, Math.max(10, ...names.map((t) => t && textWidth(t) + 14)));
    const [X, Y] = this.axes(width, height, this.extent(spec.x, this.xRange, v, "x", pinned),
      this.extent(spec.y, this.yRange, v, "y", pinned), right);
    [this.X, this.Y] = [X, Y];
    put(this.clip, "x", X.from - 6); put(this.clip, "y", Y.to - 6);
    put(this.clip, "width", tenth(X.to - X.from + 12)); put(this.clip, "height", tenth(Y.from - Y.to + 12));
    const placer = new Placer(X.from, Y.to - 8, width, Y.from);
    for (let i = 0; i < n; i++) px[i] = X.at(xs[i]);

    const margin = [], inner = [];
    this.curves.forEach((c, k) => {
      show(c.ghost, !!pinned);
      if (pinned) put(c.ghost, "d", this.trace(c.then, c.step, X, Y)[0]);
      const [d, ink] = this.trace(c.now, c.step, X, Y, c.band);
      put(c.node, "d", d);
      placer.ink.push(ink);
      const count = ink.xs.length, label = { node: c.text, text: names[k], ink };
      show(c.text, count > 0 && !!names[k]);
      if (!count || !names[k]) return;
      const x = ink.xs[count - 1], y = ink.ys[count - 1];
      if (!narrow && x > X.to - 4) margin.push(Object.assign(label, { y: y + 4 }));
      else inner.push(label);
    });
    this.drawPoints(this.points, v, pinned, X, Y, placer);
    this.drawGuides(this.guides, v, X, Y, placer);
    spread(margin, Y.to + 4, Y.from + 4);
    for (const m of margin) textAt(m.node, X.to + 7, m.y, "start", m.text);
    placer.right = X.to;
    for (const m of inner) placer.put(m.node, m.text, this.alongside(m.ink));
    for (const s of this.dots) {
      let last;
      for (const dot of s.data) {
        const x = X.at(dot.x), y = Y.at(dot.y), visible = x >= X.from && x <= X.to && y <= Y.from && y >= Y.to;
        show(dot.node, visible);
        if (dot.text) show(dot.text, visible);
        if (!visible) continue;
        last = [x, y];
        put(dot.node, "transform", `translate(${tenth(x)},${tenth(y)})`);
        placer.boxes.push([x - 4, y - 4, x + 4, y + 4]);
        if (dot.text) placer.put(dot.text, dot.name, around(x, y, 6), true);
      }
      show(s.text, !!last && !!s.label);
      if (last && s.label) placer.put(s.text, s.label, around(...last));
    }
  }

  // a curve's path, and the pixels it covers inside the chart
  trace(data, stepwise, X, Y, band) {
    const n = this.xs.length, ink = { xs: [], ys: [] };
    let d = "", pen = "M", back = "";
    for (let i = 0; i < n; i++) {
      const value = data.y[i];
      if (!Number.isFinite(value) || (Y.log && value <= 0)) { pen = "M"; continue; }
      const x = tenth(data.x ? X.at(data.x[i]) : this.px[i]);
      const y = tenth(Math.min(Math.max(Y.at(value), -2000), 4000));
      if (!Number.isFinite(x)) { pen = "M"; continue; }
      d += stepwise && pen === "L" ? `H${x}V${y}` : `${pen}${x},${y}`;
      pen = "L";
      if (band) back = `L${x},${tenth(Math.min(Math.max(Y.at(data.fill[i]), -2000), 4000))}${back}`;
      if (x >= X.from - 1 && x <= X.to + 1 && y >= Y.to - 1 && y <= Y.from + 1) { ink.xs.push(x); ink.ys.push(y); }
    }
    if (band) put(band, "d", d && d + back + "Z");
    return [d, ink];
  }
  // places for a name along a curve, from its end backwards
  alongside({ xs, ys }) {
    const places = [];
    for (const f of [1, 0.85, 0.7, 0.55, 0.4, 0.25, 0.1]) {
      const i = Math.round((xs.length - 1) * f), x = xs[i], y = ys[i];
      const anchor = f === 1 ? "end" : "middle";
      places.push([x, y - 8, anchor], [x, y + 17, anchor], [x - 8, y + 4, "end"], [x + 8, y + 4, "start"]);
    }
    return places;
  }
}

class Bars extends Chart {
  constructor(figure, spec, parent) {
    super(figure, spec, parent);
    this.ends = this.range(spec.x.range);
    this.guides = this.marks(spec.guides, "path");
    this.bars = this.marks(spec.bars, "rect").map((b) => ({ ...b,
      number: draw("text", "mw-tick", this.over), part: spec.stacked && draw("rect", `mw-rect mw-is-${b.kind}`, this.body) }));
    if (spec.stacked) this.total = { name: draw("text", "mw-label", this.over), number: draw("text", "mw-label", this.over) };
  }
  draw(v, pinned, width) {
    const { spec, bars } = this, { x } = spec, narrow = width < 480, rowHeight = narrow ? 42 : 30;
    const rows = bars.filter((b) => !b.when || this.value(b.when, v));
    const amounts = rows.map((b) => this.value(b.value, v)), old = rows.map((b) => pinned && this.value(b.value, pinned));
    const sum = amounts.reduce((a, b) => a + b, 0);
    const reach = spec.stacked ? [sum] : [...amounts, ...old.filter(Boolean)];
    const seen = reach.filter((a) => Number.isFinite(a) && (a > 0 || !x.log)), given = this.ends.map((e) => e && this.value(e, v));
    let [low, high] = roundRange(given[0] ?? Math.min(...seen, Infinity), given[1] ?? Math.max(...seen, -Infinity), x.log, x.unit);
    low = given[0] ?? (x.log ? low : Math.min(0, low)); high = given[1] ?? high;
    const names = rows.map((b) => this.figure.fill(b.label)), numbers = amounts.map((a) => human(a, x.unit));
    const left = narrow ? 0 : Math.ceil(Math.max(...names.map(textWidth), spec.stacked ? textWidth(x.name) : 0)) + 10;
    const first = spec.stacked ? 1 : 0, top = 6, bottom = top + (rows.length + first) * rowHeight;
    const X = makeScale(x.log, [low, high], left, width - Math.max(...numbers.map(textWidth), textWidth(human(sum, x.unit))) - 8);
    const marks = ticksOf(X, x.unit, (X.to - X.from) / 75);
    put(this.grid, "d", marks.map(([at]) => `M${tenth(X.at(at))},${top}V${bottom}`).join(""));
    for (const [at, text] of marks) {
      const half = textWidth(text) / 2;
      textAt(this.xTicks.next(), Math.max(half, Math.min(X.at(at), width - half)), bottom + 16, "middle", text);
    }
    this.xTicks.done();
    textAt(this.xName, X.to, bottom + 34, "end", this.name(x));
    this.size(width, bottom + 38);
    const thick = narrow ? 16 : 18, shift = narrow ? 19 : 6;
    const bar = (node, from, to, y) => {
      const a = X.at(Math.max(from, low)), b = X.at(Math.min(Math.max(to, low), high));
      put(node, "x", tenth(Math.min(a, b))); put(node, "y", y + shift);
      put(node, "width", tenth(Math.abs(b - a)) || 0); put(node, "height", thick);
      return Math.max(a, b);
    };
    const name = (node, text, y) => narrow ? textAt(node, 0, y + 14, "start", text) : textAt(node, left - 10, y + 19, "end", text);
    if (spec.stacked) {
      name(this.total.name, x.name, top);
      textAt(this.total.number, X.at(Math.min(sum, high)) + 6, top + shift + 13, "start", human(sum, x.unit));
    }
    let start = spec.stacked ? 0 : low;
    for (const b of bars) {
      const i = rows.indexOf(b), visible = i >= 0;
      for (const node of [b.node, b.text, b.number, b.part]) if (node) show(node, visible);
      show(b.ghost, visible && !!pinned && !spec.stacked);
      if (!visible) continue;
      const y = top + (i + first) * rowHeight, amount = amounts[i];
      if (pinned && !spec.stacked) bar(b.ghost, low, old[i], y);
      const end = bar(b.node, start, start + (amount || 0), y);
      if (spec.stacked) { bar(b.part, start, start + (amount || 0), top); start += amount || 0; }
      name(b.text, names[i], y);
      textAt(b.number, end + 6, y + shift + 13, "start", numbers[i]);
    }
    this.drawGuides(this.guides, v, X, { from: bottom, to: top, low: 0, high: 1 }, new Placer(X.from, 0, width, bottom));
  }
}

class Regions extends Chart {
  constructor(figure, spec, parent) {
    super(figure, spec, parent);
    this.xRange = this.range(spec.x.range);
    this.yRange = this.range(spec.y.range);
    const names = [...new Set([...figure.names, spec.sweep_y])];
    this.columns = new Float64Array(57);
    this.regions = spec.regions.map((r) => ({ ...r,
      run: compileSweep(r.value, names, spec.sweep), row: new Float64Array(57),
      node: draw("path", `mw-area mw-is-${r.kind}`, this.under),
      text: draw("text", `mw-label mw-name mw-is-${r.kind}`, this.over) }));
    this.guides = this.marks(spec.guides, "path");
    this.points = this.marks(spec.points, "circle");
    this.drag([spec.sweep, spec.sweep_y]);
  }
  // one line of the map: which region wins from where to where, borders found between samples
  runs(v, y, X) {
    const { regions, columns, spec } = this, sign = spec.pick === "largest" ? 1 : -1, at = Object.assign({}, v);
    at[spec.sweep_y] = y;
    for (const r of regions) r.run(at, this.figure.lookup, columns, r.row);
    const winner = (i) => {
      let best = 0;
      for (let k = 1; k < regions.length; k++) if (sign * regions[k].row[i] > sign * regions[best].row[i]) best = k;
      return best;
    };
    const found = [];
    let now = winner(0), from = X.from;
    for (let i = 1; i < columns.length; i++) {
      const next = winner(i);
      if (next === now) continue;
      const a = regions[now].row, b = regions[next].row;
      const before = Math.log(a[i - 1] / b[i - 1]), after = Math.log(a[i] / b[i]);
      const share = before / (before - after), to = X.at(columns[i - 1]) + (X.at(columns[i]) - X.at(columns[i - 1])) * (share >= 0 && share <= 1 ? share : 0.5);
      found.push([now, from, to]);
      [now, from] = [next, to];
    }
    found.push([now, from, X.to]);
    return found;
  }
  draw(v, pinned, width) {
    const { spec, columns, regions } = this;
    this.width = width;
    const height = width < 520 ? Math.max(260, width * 0.85) : Math.min(400, width * 0.56);
    const ends = (pair) => pair.map((end) => this.value(end, v));
    const [X, Y] = this.axes(width, height, ends(this.xRange), ends(this.yRange), 14);
    [this.X, this.Y] = [X, Y];
    for (let i = 0; i < columns.length; i++) columns[i] = X.back(X.from + ((X.to - X.from) * i) / (columns.length - 1));
    const lines = 56, paths = regions.map(() => ""), widest = regions.map(() => [0, 0, 0]), sums = regions.map(() => [0, 0, 0]);
    let above = null, y0 = 0;
    for (let line = 0; line <= lines; line++) {
      const y = Math.round(Y.to + ((Y.from - Y.to) * line) / lines), here = this.runs(v, Y.back(y), X);
      if (above) {
        const same = above.length === here.length && above.every((r, i) => r[0] === here[i][0]);
        above.forEach(([k, a, b], i) => {
          const [, c, e] = same ? here[i] : [k, a, b];
          paths[k] += `M${tenth(a)},${y0}H${tenth(b)}L${tenth(e)},${y}H${tenth(c)}Z`;
          const s = sums[k], span = b - a;
          s[0] += span; s[1] += (span * (a + b)) / 2; s[2] += (span * (y0 + y)) / 2;
          if (span > widest[k][0]) widest[k] = [span, (a + b) / 2, (y0 + y) / 2];
        });
      }
      [above, y0] = [here, y];
    }
    const placer = new Placer(X.from, Y.to, X.to, Y.from);
    this.drawPoints(this.points, v, pinned, X, Y, placer);
    regions.forEach((r, k) => {
      put(r.node, "d", paths[k]);
      const [area, sx, sy] = sums[k], text = this.figure.fill(r.label), visible = widest[k][0] > textWidth(text) * 0.7;
      show(r.text, visible);
      if (!visible) return;
      const x = sx / area, y = sy / area, half = textWidth(text) / 2 + 4, fit = (p) => Math.min(Math.max(p, X.from + half), X.to - half);
      placer.put(r.text, text, [[fit(x), y + 4, "middle"], [fit(x), y - 22, "middle"], [fit(x), y + 30, "middle"], [fit(widest[k][1]), widest[k][2] + 4, "middle"]]);
    });
    this.drawGuides(this.guides, v, X, Y, placer);
  }
}

class Grid extends Chart {
  constructor(figure, spec, parent) {
    super(figure, spec, parent);
    [this.rows, this.columns] = [this.compile(spec.rows), this.compile(spec.columns)];
    const names = [...new Set([...figure.names, "row"])], sweep = (source) => source && compileSweep(source, names, "column");
    [this.cell, this.which, this.number] = [sweep(spec.cell), sweep(spec.which), sweep(spec.text)];
    // a cell's shade is one of nine, so that a grid is a few paths and not thousands of nodes
    this.shades = spec.kinds.map((kind) => Array.from({ length: 9 }, (_, i) => {
      const node = draw("path", `mw-cell mw-is-${kind}`, this.body);
      put(node, "fill-opacity", (i + 1) / 9);
      return node;
    }));
    this.frame = draw("path", "mw-grid", this.under);
    this.numbers = pool("text", "mw-cellnumber", this.over);
  }
  draw(v, pinned, width) {
    const { spec, shades } = this, count = (run) => Math.min(Math.max(Math.round(this.value(run, v)) || 1, 1), 256);
    const rows = count(this.rows), columns = count(this.columns);
    const left = textWidth(String(rows)) + 10, top = spec.y[0] ? 26 : 8;
    const w = (width - left - 4) / columns, h = Math.min(Math.max(w, 22), Math.max(w, 360 / rows), 40, (width - left) / rows * 1.2);
    const right = left + w * columns, bottom = top + h * rows, gap = w > 6 && h > 6 ? 1 : 0;
    const at = Object.assign({}, v), xs = Float64Array.from({ length: columns }, (_, i) => i);
    const cell = new Float64Array(columns), which = new Float64Array(columns), number = new Float64Array(columns);
    const paths = shades.map((kind) => kind.map(() => ""));
    for (let row = 0; row < rows; row++) {
      at.row = row;
      this.cell(at, this.figure.lookup, xs, cell);
      this.which(at, this.figure.lookup, xs, which);
      this.number?.(at, this.figure.lookup, xs, number);
      const y = tenth(top + row * h), tall = tenth(h - gap);
      const shadeOf = (i) => Math.round(Math.min(Math.max(cell[i] || 0, 0), 1) * 9);
      const kindOf = (i) => Math.min(Math.max(Math.round(which[i]) || 0, 0), shades.length - 1);
      for (let i = 0; i < columns; i++) {
        const shade = shadeOf(i), kind = kindOf(i), start = i;
        // without gaps, a run of like cells is one rectangle
        while (!gap && i + 1 < columns && shadeOf(i + 1) === shade && kindOf(i + 1) === kind) i++;
        if (shade) paths[kind][shade - 1] += `M${tenth(left + start * w)},${y}h${tenth((i - start + 1) * w - gap)}v${tall}h${-tenth((i - start + 1) * w - gap)}z`;
        if (this.number && shade && w >= 14) {
          const node = this.numbers.next();
          textAt(node, left + (i + 0.5) * w - gap / 2, y + h / 2 + 4, "middle", String(Math.round(number[i])));
        }
      }
    }
    this.numbers.done();
    shades.forEach((kind, k) => kind.forEach((node, i) => put(node, "d", paths[k][i])));
    put(this.frame, "d", `M${left},${top}H${tenth(right)}V${tenth(bottom)}H${left}Z`);
    const label = (total, room, place) => {
      const gap = Math.max(1, niceStep(Math.max(total / Math.max(room, 2), 1)));
      for (let i = 1; i <= total; i = i === 1 && gap > 1 ? gap : i + gap) place(i);
    };
    label(columns, (right - left) / 40, (i) => textAt(this.xTicks.next(), left + (i - 0.5) * w, bottom + 16, "middle", String(i)));
    label(rows, (bottom - top) / 22, (i) => textAt(this.yTicks.next(), left - 6, top + (i - 0.5) * h + 4, "end", String(i)));
    this.xTicks.done(); this.yTicks.done();
    textAt(this.xName, right, bottom + 34, "end", spec.x[0]);
    textAt(this.yName, 0, 12, "start", spec.y[0]);
    this.size(width, bottom + (spec.x[0] ? 40 : 22));
  }
}
const CHARTS = { lines: Lines, bars: Bars, regions: Regions, grid: Grid };

// ---- 7 controls: native inputs with labels ----------------------------------------------------

// the values an arrow key steps through: 26 round ones a decade, or equal steps
const MANTISSAS = [1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.8, 2, 2.2, 2.4, 2.6, 2.8, 3, 3.2, 3.5, 4, 4.5, 5, 5.5, 6, 6.5, 7, 7.5, 8, 9];
const stopsOf = ({ low, high, log, zero, step: given, integer }) => {
  let stops = [low, high];
  if (log) stops.push(...logMarks(low, high, "1", MANTISSAS));
  else {
    const gap = given || Math.max(niceStep((high - low) / 100), integer ? 1 : 0);
    for (let k = 1; low + k * gap < high - gap * 1e-6; k++) stops.push(Number((low + k * gap).toPrecision(12)));
  }
  if (integer) stops = stops.map(Math.round);
  if (zero) stops.push(0);
  return [...new Set(stops)].sort((a, b) => a - b);
};

class Slider {
  constructor(figure, spec, parent) {
    const id = `${figure.id}-${spec.name}`, { unit } = spec, field = html("div", "mw-field", parent);
    Object.assign(this, { figure, spec, stops: stopsOf(spec) });
    html("label", "", field, { for: id }).textContent = spec.label;
    const box = html("span", "mw-box", field);
    this.box = html("input", "", box, { type: "text", inputmode: "decimal", autocomplete: "off", spellcheck: "false",
      "aria-label": `${spec.label}, exact value`, "aria-describedby": `${id}-error` });
    if (!isOwn(unit) && unit !== "1") html("span", "", box).textContent = unit;
    this.range = html("input", "", field, { type: "range", id, min: 0, max: this.stops.length - 1, step: 1 });
    this.error = html("span", "mw-error", field, { id: `${id}-error`, role: "alert" });
    this.range.addEventListener("input", () => this.accept(this.stops[this.range.value]));
    this.box.addEventListener("change", () => this.typed());
    this.box.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.typed();
      if (event.key === "Escape") this.accept(figure.values[spec.name]);
    });
    this.box.addEventListener("focus", () => this.box.select());
  }
  accept(value) {
    this.complain("");
    this.box.value = boxText(value, this.spec.unit);
    this.figure.set(this.spec.name, value);
  }
  // a value pointed at in the chart: three figures are as fine as a hand
  take(value) {
    const { low, high, integer } = this.spec, round = Number(value.toPrecision(3));
    this.accept(Math.min(Math.max(integer ? Math.round(round) : round, low), high));
  }
  wrong(value) {
    const { low, high, zero, integer, unit, label } = this.spec;
    if (integer && !Number.isInteger(value)) return `${label} is a whole number.`;
    if ((value >= low && value <= high) || (zero && value === 0)) return "";
    return `${label} goes from ${zero ? "0 or " : ""}${human(low, unit)} to ${human(high, unit)}.`;
  }
  typed() {
    const { unit, name } = this.spec, now = this.figure.values[name], text = this.box.value;
    if (text === boxText(now, unit)) return this.complain("");
    const value = parse(text, unit, now);
    const trouble = Number.isNaN(value) ? `“${text}” is not a value: write a number such as ${boxText(this.spec.high, unit)}.` : this.wrong(value);
    if (trouble) this.complain(trouble);
    else this.accept(value);
  }
  complain(trouble) {
    write(this.error, trouble);
    put(this.box, "aria-invalid", trouble ? "true" : "false");
  }
  show(v) {
    const value = v[this.spec.name], { unit } = this.spec;
    if (value === this.shown) return;
    this.shown = value;
    let near = 0;
    while (near < this.stops.length - 1 && this.stops[near + 1] <= value) near++;
    if (near < this.stops.length - 1 && this.stops[near + 1] - value < value - this.stops[near]) near++;
    this.range.value = near;
    this.range.style.setProperty("--at", near / (this.stops.length - 1));
    put(this.range, "aria-valuetext", human(value, unit));
    this.box.value = boxText(value, unit);
    this.box.style.width = `${Math.max(4, this.box.value.length + 1)}ch`;
    this.complain("");
  }
  entry(v) { return [this.spec.label, human(v[this.spec.name], this.spec.unit), v[this.spec.name]]; }
}

// a list sets one or several variables; it reads "custom" when their values are no option's
class List {
  constructor(figure, spec, parent) {
    const id = `${figure.id}-list-${figure.controls.length}`, field = html("div", "mw-field", parent);
    Object.assign(this, { figure, spec });
    html("label", "", field, { for: id }).textContent = spec.label;
    this.select = html("select", "", field, { id });
    for (const option in spec.options) html("option", "", this.select, { value: option }).textContent = option;
    this.custom = html("option", "", this.select, { value: "", disabled: "" });
    this.custom.textContent = "custom";
    this.select.addEventListener("change", () => figure.set(spec.label, this.select.value));
  }
  option(v) {
    const fits = (option) => Object.entries(this.spec.options[option]).every(([name, x]) => v[name] === x);
    return [this.last, this.spec.default, ...Object.keys(this.spec.options)].find((o) => o && fits(o)) ?? "";
  }
  show(v) {
    const option = this.option(v);
    if (option === this.shown) return;
    this.shown = option;
    this.custom.hidden = option !== "";
    this.select.value = option;
  }
  entry(v) { return [this.spec.label, this.option(v) || "custom"]; }
}

class Toggle {
  constructor(figure, spec, parent) {
    const label = html("label", "mw-field mw-toggle", parent);
    this.spec = spec;
    this.input = html("input", "", label, { type: "checkbox" });
    label.append(` ${spec.label}`);
    this.input.addEventListener("change", () => figure.set(spec.name, this.input.checked ? 1 : 0));
  }
  show(v) { this.input.checked = v[this.spec.name] !== 0; }
  entry(v) { return [this.spec.label, v[this.spec.name] ? "yes" : "no"]; }
}
const CONTROLS = { slider: Slider, list: List, toggle: Toggle };

// ---- 8 the figure -----------------------------------------------------------------------------

class Figure {
  constructor(root, spec, options = {}) {
    Object.assign(this, { root, spec, id: `mw-${spec.id}`, values: { ...spec.values, ...options.values }, pinned: null,
      changed: options.changed, page: !options.changed, names: Object.keys(spec.values), lookup: tableLookup(spec.tables || {}),
      sliders: {}, controls: [], charts: [] });
    const cases = (list) => list.map(([when, text]) => [compile(when, this.names), text]);
    this.title = cases(spec.title);
    this.messages = cases(spec.messages);
    this.readings = spec.readouts.map((r) => ({ ...r, words: r.words && cases(r.words),
      ...Object.fromEntries(["value", "low", "high"].filter((k) => r[k]).map((k) => [k, compile(r[k], this.names)])) }));
    this.units = Object.fromEntries(spec.controls.filter((c) => c.unit).map((c) => [c.name, c.unit]));
    this.build();
    this.observer = new ResizeObserver(() => this.schedule());
    this.observer.observe(this.chartBox);
    if (this.page) {
      this.onhash = () => this.read(location.hash);
      addEventListener("hashchange", this.onhash);
      this.read(location.hash, true);
    }
    this.frame();
    root.memwall = this;
  }

  build() {
    const { spec, root } = this, live = html("div", "mw-live", null, { role: "group" });
    this.titleNode = html("p", "mw-title", live, { id: `${this.id}-title` });
    live.setAttribute("aria-labelledby", `${this.id}-title`);
    this.messageNode = html("p", "mw-message", live, { role: "status" });
    const list = html("dl", "mw-readouts", live);
    for (const r of this.readings.filter((r) => r.label)) {
      const row = html("div", "", list), name = html("dt", "", row);
      if (r.link) html("a", "", name, { href: r.link }).textContent = r.label;
      else name.textContent = r.label;
      r.node = html("dd", r.words ? "mw-words" : "", row);
      if (r.low || r.high) r.band = html("dd", "mw-range", row);
      r.before = html("dd", "mw-before", row);
    }
    this.chartBox = html("div", "mw-charts", live);
    for (const c of spec.charts) this.pending = c;
    const panel = html("div", "mw-controls", live);
    for (const c of spec.controls) {
      const control = new CONTROLS[c.kind](this, c, panel);
      this.controls.push(control);
      if (c.kind === "slider") this.sliders[c.name] = control;
    }
    for (const c of spec.charts) this.charts.push(new CHARTS[c.kind](this, c, this.chartBox));
    const actions = html("div", "mw-actions", live);
    const button = (text, act) => {
      const node = html("button", "", actions, { type: "button" });
      node.textContent = text;
      node.addEventListener("click", () => act(node));
      return node;
    };
    button("Reset", () => { this.pin(null); this.assign(spec.values); });
    if (spec.compare) this.pinButton = button("Keep this as A", () => this.pin(this.pinned ? null : { ...this.values }));
    if (this.page) button("Copy link", (node) => this.copy(node));
    this.details = html("details", "mw-numbers", live);
    html("summary", "", this.details).textContent = "All numbers";
    this.table = html("table", "", this.details);
    this.details.addEventListener("toggle", () => this.schedule());
    this.spoken = html("p", "mw-spoken", live, { "aria-live": "polite" });
    root.querySelector(".mw-still")?.remove();
    root.append(live);
  }

  // every readout at some values: raw numbers in SI, or words
  readouts(v = this.values) {
    const found = {};
    for (const r of this.readings) if (r.value) found[r.key] = r.value(v, this.lookup);
    for (const r of this.readings) if (r.words) found[r.key] = this.say(r.words, v, found);
    return found;
  }
  say(cases, v, found) {
    const chosen = cases.find(([when]) => when(v, this.lookup));
    return chosen ? this.fill(chosen[1], v, found) : "";
  }
  fill(template, v = this.values, found = this.found) {
    if (!template.includes("{")) return template;
    return template.replace(/\{([^{}]*)\}/g, (_, key) => {
      const r = this.readings.find((r) => r.key === key);
      if (r) return r.words ? found[key] ?? "" : human(found[key], r.unit);
      if (key in v) return human(v[key], this.units[key]);
      return this.controls.find((c) => c.spec.label === key).option(v) || "custom";
    });
  }

  set(name, value) {
    const list = this.controls.find((c) => c.spec.options && c.spec.label === name);
    if (list) list.last = value;
    this.assign(list ? list.spec.options[value] : { [name]: Number(value) });
  }
  assign(values) {
    const moved = Object.keys(values).filter((n) => n in this.values && this.values[n] !== values[n]);
    if (!moved.length) return this.schedule();
    for (const name of moved) this.values[name] = values[name];
    this.changed?.({ ...this.values });
    this.schedule();
  }
  pin(values) {
    this.pinned = values;
    if (this.pinButton) write(this.pinButton, values ? "Forget A" : "Keep this as A");
    if (this.spec.compare) this.details.open = !!values;
    this.schedule();
  }

  schedule() {
    this.waiting ??= requestAnimationFrame(() => { this.waiting = null; this.frame(); });
  }
  frame() {
    const { values: v, pinned, spec } = this, found = (this.found = this.readouts(v)), before = pinned && this.readouts(pinned);
    const title = this.say(this.title, v, found);
    write(this.titleNode, title);
    const trouble = this.messages.filter(([when]) => when(v, this.lookup)).map((m) => this.fill(m[1])).join(" ");
    write(this.messageNode, trouble);
    this.messageNode.hidden = !trouble;
    const text = (r, all) => r.words ? all[r.key] : human(all[r.key], r.unit);
    for (const r of this.readings) {
      if (!r.node) continue;
      write(r.node, text(r, found));
      if (r.band) write(r.band, [r.low, r.high].map((run) => run ? human(run(v, this.lookup), r.unit) : "").join(" – "));
      r.before.hidden = !before;
      if (before) write(r.before, `A: ${text(r, before)}`);
    }
    for (const c of this.controls) c.show(v);
    const width = this.chartBox.clientWidth;
    if (width > 0) this.charts.forEach((chart, i) => {
      const each = spec.charts.length > 1 && width > 900 ? (width - 32) / 2 : width;
      chart.draw(v, pinned, each);
      if (chart.title) write(chart.title, this.fill(chart.spec.title));
      put(chart.svg, "aria-label", this.fill(spec.alt[Math.min(i, spec.alt.length - 1)]));
    });
    if (this.details.open) this.tabulate(v, found, before);
    clearTimeout(this.rest);
    this.rest = setTimeout(() => this.settle(title, trouble), 400);
  }
  // once the hand rests: say the result aloud, keep the state in the address bar
  settle(title, trouble) {
    if (this.touched) write(this.spoken, trouble ? "" : title);
    this.touched = true;
    if (this.page) this.keep();
  }
  tabulate(v, found, before) {
    const head = ["", ...(before ? ["A", "now"] : ["now"]), "in SI units"];
    const rows = this.controls.map((c) => {
      const [name, text, raw] = c.entry(v);
      return [name, ...(before ? [c.entry(this.pinned)[1]] : []), text, raw];
    });
    for (const r of this.readings) {
      if (!r.label) continue;
      const text = (all) => (r.words ? all[r.key] : human(all[r.key], r.unit));
      rows.push([r.label, ...(before ? [text(before)] : []), text(found), r.words ? "" : found[r.key]]);
    }
    const cell = (tag, x) => {
      const node = document.createElement(tag);
      node.textContent = typeof x === "number" ? String(Number(x.toPrecision(7))) : x ?? "";
      return node;
    };
    this.table.replaceChildren(...[head, ...rows].map((row, i) => {
      const line = document.createElement("tr");
      line.append(...row.map((x, k) => cell(i === 0 || k === 0 ? "th" : "td", x)));
      return line;
    }));
  }

  // ---- the state in the URL: #latency?batch=512&Model=DeepSeek-V3, ; between figures, ~A for A ----
  query(v) {
    const base = { ...this.spec.values }, parts = new URLSearchParams();
    for (const c of this.controls) {
      const option = c.option?.(v);
      if (option && option !== c.spec.default) { parts.set(c.spec.label, option); Object.assign(base, c.spec.options[option]); }
    }
    for (const name in v) if (v[name] !== base[name]) parts.set(name, v[name]);
    return parts.toString();
  }
  link(always) {
    const { id } = this.spec, now = this.query(this.values);
    const parts = now || always ? [`${id}?${now}`] : [];
    if (this.pinned) parts.push(`${id}~A?${this.query(this.pinned)}`);
    return parts;
  }
  read(hash, first) {
    for (const part of hash.slice(1).split(";")) {
      const [, id, old, query] = part.match(/^([a-z][a-z0-9-]*)(~A)?\?(.*)$/) || [];
      if (id !== this.spec.id) continue;
      const values = { ...this.spec.values }, given = new URLSearchParams(query);
      for (const c of this.controls) Object.assign(values, c.spec.options?.[given.get(c.spec.label)]);
      for (const [name, text] of given) {
        const x = Number(text);
        if (name in values && text !== "" && Number.isFinite(x) && !this.sliders[name]?.wrong(x)) values[name] = x;
      }
      if (old) this.pin(values);
      else this.assign(values);
      if (first && !old) requestAnimationFrame(() => this.root.scrollIntoView({ block: "center" }));
    }
  }
  keep() {
    const others = location.hash.slice(1).split(";").filter((part) => part.includes("?") && ![this.spec.id, `${this.spec.id}~A`].includes(part.split("?")[0]));
    const mine = this.link(false), old = location.hash, parts = [...others, ...mine];
    // an ordinary anchor in the address bar stays until this figure has something to say
    if (!parts.length && !old.includes("?")) return;
    const url = parts.length ? `#${parts.join(";")}` : location.pathname + location.search;
    if (url !== old) history.replaceState(history.state, "", url);
  }
  async copy(button) {
    const url = `${location.href.split("#")[0]}#${this.link(true).join(";")}`;
    try {
      await navigator.clipboard.writeText(url);
      write(button, "Copied");
    } catch {
      history.replaceState(history.state, "", url);
      write(button, "It is in the address bar");
    }
    setTimeout(() => write(button, "Copy link"), 2000);
  }
  destroy() {
    this.observer.disconnect();
    clearTimeout(this.rest);
    if (this.onhash) removeEventListener("hashchange", this.onhash);
  }
}

// ---- 9 mounting: on a page from its JSON, in Jupyter as an anywidget ----------------------------

const mount = () => {
  for (const root of document.querySelectorAll(".mw-explorer")) {
    const source = root.querySelector(":scope > script[type='application/json']");
    if (!source || root.memwall) continue;
    try {
      new Figure(root, JSON.parse(source.textContent));
    } catch (error) {
      console.error("a live figure could not start; its still remains", error);
    }
  }
};
const render = ({ model, el }) => {
  const root = html("div", "mw-explorer", el);
  const changed = (values) => { model.set("values", values); model.save_changes(); };
  const figure = new Figure(root, model.get("spec"), { values: model.get("values"), changed });
  model.on("change:values", () => figure.assign(model.get("values")));
  return () => figure.destroy();
};
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", mount);
else mount();
return { human, parse, mount, render };
})();
