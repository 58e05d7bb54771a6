"use strict";
// Draws the figures of one run from the numbers in its page. Values of logarithmic axes are log10 throughout: 10^-400
// is a number like any other.
const FIGURES = JSON.parse(document.getElementById("numbers-to-draw").textContent);
const DIGITS = Array.from({ length: 94 }, (_, k) => String.fromCharCode(33 + k)).filter((each) => !'"<\\'.includes(each));
const VIRIDIS = "44015448186a472d7b4240863b528b33638d2c728e26828e21918c1fa08828ae803fbc735ec96284d44baddc30d8e219fde725";
const [WIDE, HIGH, LEFT, TOP, BOTTOM] = [380, 240, 60, 12, 200]; // of a drawing; places of its left, upper, lower axis
const [BLACK, GREY] = ["#000", "#bbb"]; // exactly zero, not finite

const finite = Number.isFinite;
const number = (given) => Number(String(given).replace("inf", "Infinity")); // JSON lacks nan and inf: they are texts
const minus = (text) => String(text).replace("-", "−");
const scale = (low, high, from, to) => (value) => from + ((value - low) / (high - low)) * (to - from);

function add(parent, name, given = {}, text = "") {
  const made = document.createElementNS(parent.namespaceURI, name);
  for (const [key, value] of Object.entries(given)) made.setAttribute(key, value);
  write(made, text);
  parent.append(made);
  return made;
}

function write(target, text) { // 10^{-3} and h_{t} as one reads them
  for (const part of text.split(/([_^]\{[^}]*\})/)) {
    if (!/^[_^]\{/.test(part)) { target.append(part); continue; }
    const raised = part[0] === "^", inner = part.slice(2, -1), drawn = target instanceof SVGElement;
    add(target, drawn ? "tspan" : raised ? "sup" : "sub", { dy: raised ? -4 : 3, class: "small" }, inner);
    if (drawn) add(target, "tspan", { dy: raised ? 4 : -3 }, "\u200b");
  }
}

function evenly(low, high, most, whole = false) { // 1, 2 or 5 times a power of ten apart
  const rough = (high - low) / most, size = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(whole ? 1 : 0, [1, 2, 5, 10].map((k) => k * size).find((each) => each >= rough * 0.999));
  const places = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) places.push(k * step);
  return places;
}

const plain = (value, digits = 3) => (finite(value) ? minus(Number(value.toPrecision(digits))) : "not finite");

function told(log10, digits = 3) { // the number with this log10, however large or small
  if (!finite(log10)) return log10 === -Infinity ? "0" : "not finite";
  if (log10 >= -3 && log10 < 5) return plain(10 ** log10, digits);
  let power = Math.floor(log10), factor = Number((10 ** (log10 - power)).toPrecision(digits));
  if (factor >= 10) [factor, power] = [1, power + 1];
  return `${factor}·10^{${minus(power)}}`;
}

function ticks(low, high, log) { // [place, text], four or so
  if (!log) return evenly(low, high, 6).map((at) => [at, plain(at, 6)]);
  const span = high - low;
  if (span > 2.3 || Math.max(-low, high) > 15) return evenly(low, high, 6, span > 2.3).map((at) => [at, `10^{${plain(at, 6)}}`]);
  const powers = evenly(Math.floor(low), Math.ceil(high), 9, true).map((each) => 10 ** each);
  const values = span > 0.8 ? powers.flatMap((each) => [each, 2 * each, 5 * each]) : evenly(10 ** low, 10 ** high, 5);
  return values.map(Math.log10).filter((at) => at >= low && at <= high).map((at) => [at, told(at)]);
}

function extent(values, slack) {
  const sorted = values.filter(finite).sort((a, b) => a - b);
  if (sorted.length === 0) return [0, 1];
  const [low, high] = [sorted[0], sorted.at(-1)], more = high - low < 1e-9 ? 0.5 : (high - low) * slack;
  return [low - more, high + more];
}

function axes(svg, right, xs, xTicks, ys, yTicks, figure) { // grid, ticks and labels; returns both scales
  const x = scale(...xs, LEFT, right), y = scale(...ys, BOTTOM, TOP), text = (given, said) => add(svg, "text", given, said);
  for (const at of xTicks) {
    add(svg, "path", { class: "grid", d: `M${x(at)} ${TOP}V${BOTTOM}` });
    text({ class: "x tick", x: x(at), y: BOTTOM + 15 }, String(at));
  }
  for (const [at, said] of yTicks) {
    add(svg, "path", { class: "grid", d: `M${LEFT} ${y(at)}H${right}` });
    text({ class: "y tick", x: LEFT - 6, y: y(at) + 4 }, said);
  }
  text({ class: "x", x: (LEFT + right) / 2, y: HIGH - 6 }, figure.xLabel);
  text({ class: "x", transform: `translate(13 ${(TOP + BOTTOM) / 2}) rotate(-90)` }, figure.yLabel);
  add(svg, "path", { class: "frame", d: `M${LEFT} ${TOP}V${BOTTOM}H${right}` });
  return [x, y];
}

function keyOf(box, entries) { // [classes, name]
  const key = add(box, "p", { class: "key" });
  box.prepend(key);
  for (const [classes, name] of entries) {
    const entry = add(key, "span", {}, ` ${name}`);
    entry.prepend(add(entry, "i", { class: classes }));
  }
}

function hover(svg, box, read) { // read marks a place in the drawing and returns lines of text
  const tip = add(box, "div", { class: "tip", hidden: "" }), marks = add(svg, "g");
  const move = (event) => {
    const area = svg.getBoundingClientRect(), outer = box.getBoundingClientRect();
    const x = ((event.clientX - area.left) * WIDE) / area.width, y = ((event.clientY - area.top) * HIGH) / area.height;
    marks.replaceChildren();
    const lines = x >= LEFT - 8 && y <= BOTTOM + 8 ? read(x, y, marks) : null;
    tip.hidden = lines === null;
    if (lines === null) return;
    tip.replaceChildren();
    for (const [classes, text] of lines) add(tip, "div", { class: classes }, text);
    const beside = event.clientX - outer.left, left = beside > outer.width / 2 ? beside - tip.offsetWidth - 12 : beside + 12;
    tip.style.left = `${Math.max(0, Math.min(left, outer.width - tip.offsetWidth))}px`;
    tip.style.top = `${Math.max(0, event.clientY - outer.top - tip.offsetHeight - 8)}px`;
  };
  svg.addEventListener("pointermove", move);
  svg.addEventListener("pointerdown", move);
  svg.addEventListener("pointerleave", () => { tip.hidden = true; marks.replaceChildren(); });
}

function curves(svg, box, figure) {
  const right = WIDE - 12, { levels, crosses, log, at: unit, within } = figure;
  const lines = figure.lines.map((line) => ({ ...line, y: line.y.map(number), classes: `c${line.colour} ${line.style}` }));
  const places = [...new Set([...lines.flatMap((line) => line.x), ...crosses])].sort((a, b) => a - b);
  const drawn = [...lines.flatMap((line) => line.y), ...levels.map((each) => each.y)];
  const ys = extent([...drawn.map((each) => Math.max(each, within[0] ?? each)), ...within], 0.05), xs = extent(places, unit === "lag" ? 0 : 0.02);
  if (within.length) ys[0] = Math.max(ys[0], within[0]);
  const [x, y] = axes(svg, right, xs, evenly(...xs, 6, true), ys, drawn.some(finite) ? ticks(...ys, log) : [], figure);
  const inside = add(svg, "svg", { y: TOP - 4, height: BOTTOM - TOP + 8, viewBox: `0 ${TOP - 4} ${WIDE} ${BOTTOM - TOP + 8}` });
  for (const { y: at } of levels) add(inside, "path", { class: "level", d: `M${LEFT} ${y(at)}H${right}` });
  let zeros = [];
  for (const line of lines) {
    let path = "", pen = "M";
    line.x.forEach((step, k) => {
      const value = line.y[k], here = x(step).toFixed(2);
      if (finite(value)) path += `${pen}${here} ${y(value).toFixed(2)}`;
      pen = finite(value) ? "L" : "M";
      if (!log || value !== -Infinity) return;
      zeros = [["zero", "exactly zero"]];
      add(inside, "path", { class: `zero c${line.colour}`, d: `M${here} ${BOTTOM}v-6` });
    });
    add(inside, "path", { class: `curve ${line.classes}`, d: path || "M0 0", "data-name": line.name });
    if (line.y.filter(finite).length > 25) continue; // too many to mark each
    line.x.forEach((step, k) => finite(line.y[k])
      && add(inside, "circle", { class: line.classes, cx: x(step), cy: y(line.y[k]), r: 2.2 }));
  }
  for (const at of crosses) add(inside, "path", { class: "cross", d: `M${x(at) - 4} ${TOP + 1}l8 8m0-8l-8 8` });
  keyOf(box, [
    ...lines.map((line) => [line.classes, line.name]),
    ...levels.map((each) => ["level", each.name]),
    ...zeros,
    ...(crosses.length ? [["cross", "not finite"]] : []),
  ]);
  hover(svg, box, (px, py, marks) => {
    const at = places.reduce((best, each) => (Math.abs(x(each) - px) < Math.abs(x(best) - px) ? each : best));
    add(marks, "path", { class: "rule", d: `M${x(at)} ${TOP}V${BOTTOM}` });
    const said = lines.flatMap((line) => {
      const k = line.x.indexOf(at);
      if (k < 0) return [];
      const value = line.y[k];
      if (finite(value) && value >= ys[0]) add(marks, "circle", { class: line.classes, cx: x(at), cy: y(value), r: 3 });
      return [[line.classes, `${line.name} ${(log ? told : plain)(value)}`]];
    });
    return [["at", `${unit} ${at}`], ...said];
  });
}

function colour(share) {
  const place = share * (VIRIDIS.length / 6 - 1), first = Math.min(Math.floor(place), VIRIDIS.length / 6 - 2);
  const channel = (k, of) => parseInt(VIRIDIS.substr(6 * k + 2 * of, 2), 16);
  const mixed = [0, 1, 2].map((of) => channel(first, of) + (place - first) * (channel(first + 1, of) - channel(first, of)));
  return `rgb(${mixed.map(Math.round)})`;
}

function edges(centres) {
  const middle = centres.slice(1).map((each, k) => (each + centres[k]) / 2), last = centres.length - 1;
  if (last === 0) return [centres[0] - 0.5, centres[0] + 0.5];
  return [2 * centres[0] - middle[0], ...middle, 2 * centres[last] - middle[last - 1]];
}

function map(svg, box, figure) {
  const right = WIDE - 68, { steps, lags, digits, values, low, high } = figure;
  const most = DIGITS.length ** digits - 3; // 0 and 1 stand for zero and for what is not finite
  const value = (step, lag) => {
    const start = (step * lags.length + lag) * digits;
    const read = [...values.slice(start, start + digits)].reduce((sum, each) => sum * DIGITS.length + DIGITS.indexOf(each), 0);
    return read < 2 ? [-Infinity, NaN][read] : low + ((read - 2) / most) * (high - low);
  };
  const shade = (at) => (at === -Infinity ? BLACK : finite(at) ? colour((at - low) / (high - low || 1)) : GREY);
  const [xs, ys] = [edges(steps), edges(lags)];
  const [across, down] = [steps, lags].map((all) => evenly(0, all.at(-1) || 1, 6, true).filter((at) => at <= all.at(-1)));
  const [x, y] = axes(
    svg, right, [xs[0], xs.at(-1)], across, [ys[0], ys.at(-1)], down.map((at) => [at, String(at)]), figure,
  );
  const fine = 3, sheet = document.createElement("canvas"); // pixels of the sheet to one of the drawing
  [sheet.width, sheet.height] = [(right - LEFT) * fine, (BOTTOM - TOP) * fine];
  const pen = sheet.getContext("2d");
  const seen = new Set(), [lefts, lows] = [xs.map((at) => x(at) - LEFT), ys.map((at) => y(at) - TOP)]
    .map((all) => all.map((at) => Math.round(at * fine)));
  steps.forEach((_, i) => lags.forEach((_, k) => {
    seen.add((pen.fillStyle = shade(value(i, k))));
    pen.fillRect(lefts[i], lows[k + 1], lefts[i + 1] - lefts[i], lows[k] - lows[k + 1]);
  }));
  add(svg, "image", { x: LEFT, y: TOP, width: right - LEFT, height: BOTTOM - TOP, href: sheet.toDataURL() });
  keyOf(box, [["black", "exactly zero"], ["grey", "not finite"]].filter((_, k) => seen.delete([BLACK, GREY][k])));
  const [from, to] = low < high ? [low, high] : [low - 0.5, high + 0.5], bar = scale(from, to, BOTTOM, TOP);
  for (let at = TOP; seen.size && at < BOTTOM; at++) // the colour bar, if there is a colour
    add(svg, "rect", { x: right + 12, y: at, width: 10, height: 1.5, fill: colour((BOTTOM - at - 0.5) / (BOTTOM - TOP)) });
  for (const [at, text] of seen.size ? ticks(from, to, true) : [])
    add(svg, "text", { class: "tick", x: right + 26, y: bar(at) + 4 }, text);
  add(svg, "text", { class: "end", x: WIDE - 2, y: HIGH - 6 }, figure.barLabel);
  hover(svg, box, (px, py, marks) => {
    const i = xs.findIndex((edge, k) => k > 0 && x(edge) >= px) - 1, k = ys.findIndex((edge, at) => at > 0 && y(edge) <= py) - 1;
    if (i < 0 || k < 0 || px > right) return null;
    const [wide, high] = [x(xs[i + 1]) - x(xs[i]), y(ys[k]) - y(ys[k + 1])];
    add(marks, "rect", { class: "cell", x: x(xs[i]), y: y(ys[k + 1]), width: wide, height: high });
    return [["at", `step ${steps[i]}, lag ${lags[k]}`], ["", `${figure.barLabel} ${told(value(i, k), 2)}`]];
  });
}

document.querySelectorAll(".drawn").forEach((box, k) => {
  ({ curves, map })[FIGURES[k].kind](box.querySelector("svg"), box, FIGURES[k]);
});
