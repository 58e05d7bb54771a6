
// Draws one sequence through the network: a heat map for each panel, one time axis below all, then bars.
const SHADES = { // diverging, its middle the page's: for a light page and for a dark one
  light: ["#2166ac", "#67a9cf", "#f7f7f7", "#ef8a62", "#b2182b"],
  dark: ["#8fd0ff", "#3f7fb5", "#24262a", "#b5532f", "#ffb08a"],
};

function sequence(box, { steps, panels, bars }) {
  const wide = Math.max(330, Math.min(box.clientWidth || 760, 900)), left = 44, right = wide - 8, svg = box.querySelector("svg");
  const most = wide > 600 ? 150 : 110, x = scale(-0.5, steps - 0.5, left, right), drawnAt = [];
  const mixed = (shades, share) => {
    const place = Math.max(0, Math.min(1, share)) * (shades.length - 1), first = Math.min(Math.floor(place), shades.length - 2);
    const channel = (k, of) => parseInt(shades[k].substr(1 + 2 * of, 2), 16);
    return `rgb(${[0, 1, 2].map((of) => Math.round(channel(first, of) + (place - first) * (channel(first + 1, of) - channel(first, of))))})`;
  };
  const text = (given, said) => add(svg, "text", given, said);
  let top = 4;
  for (const panel of panels) {
    const { times, rows, digits, values, limit } = panel, all = DIGITS.length ** digits - 3;
    const high = Math.max(14, Math.min(most, (panel.count < 5 ? 13 : 9) * panel.count)), y = scale(-0.5, panel.count - 0.5, top + 20, top + 20 + high);
    const value = (i, k) => {
      const start = (i * rows.length + k) * digits;
      const read = [...values.slice(start, start + digits)].reduce((sum, each) => sum * DIGITS.length + DIGITS.indexOf(each), 0);
      return read < 2 ? NaN : ((2 * (read - 2)) / all - 1) * limit;
    };
    text({ x: left, y: top + 13, class: "name" }, `${panel.name}, `.replace(/_(\w)/g, "_{$1}") + `±${plain(limit)}`);
    const [xs, ys] = [edges(times).map((at) => Math.max(-0.5, Math.min(at, steps - 0.5))), edges(rows)];
    for (const mode of ["light", "dark"]) {
      const fine = 2, sheet = document.createElement("canvas"), pen = sheet.getContext("2d");
      [sheet.width, sheet.height] = [Math.round((right - left) * fine), Math.round(high * fine)];
      const [lefts, tops] = [xs.map((at) => Math.round((x(at) - left) * fine)), ys.map((at) => Math.round((y(at) - top - 20) * fine))];
      times.forEach((_, i) => rows.forEach((_, k) => {
        const at = value(i, k);
        if (!finite(at)) return; // nothing is asked here: the page shows
        pen.fillStyle = mixed(SHADES[mode], (at / limit + 1) / 2);
        pen.fillRect(lefts[i], tops[k], Math.max(1, lefts[i + 1] - lefts[i]), Math.max(1, tops[k + 1] - tops[k]));
      }));
      add(svg, "image", { class: mode, x: left, y: top + 20, width: right - left, height: high, preserveAspectRatio: "none", href: sheet.toDataURL() });
    }
    add(svg, "rect", { class: "frame", x: left, y: top + 20, width: right - left, height: high });
    const ends = panel.count > 1 ? [0, panel.count - 1] : [0];
    for (const row of high < 20 ? [0] : ends) text({ class: "y tick", x: left - 5, y: Math.max(top + 29, Math.min(y(row) + 4, top + 21 + high)) }, String(row));
    if (high > 40) text({ class: "x", transform: `translate(12 ${top + 20 + high / 2}) rotate(-90)` }, panel.row);
    drawnAt.push({ panel, from: top + 20, to: top + 20 + high, y, ys, xs, value });
    top += high + 28;
  }
  for (const at of evenly(0, Math.max(steps - 1, 1), wide > 600 ? 10 : 6, true).filter((at) => at < steps)) {
    add(svg, "path", { class: "frame", d: `M${x(at)} ${top - 8}v4` });
    text({ class: "x tick", x: x(at), y: top + 8 }, String(at));
  }
  text({ class: "x", x: (left + right) / 2, y: top + 24 }, "time step t");
  top += 38;
  for (const { name, row, values, target, classes, limit } of bars) {
    const low = classes || Math.min(...values, ...(target ?? [])) >= 0 ? 0 : -limit, end = right - 118;
    const at = scale(low, limit, left, end);
    text({ x: left, y: top + 13, class: "name" }, name);
    values.forEach((value, k) => {
      const y = top + 22 + 15 * k, [from, to] = [at(Math.min(0, value)), at(Math.max(0, value))];
      text({ class: "y tick", x: left - 5, y: y + 9 }, String(k));
      add(svg, "rect", { class: "bar c0", x: from, y, width: Math.max(0.5, to - from), height: 10 });
      const wanted = target === null ? "" : classes ? (target[k] ? " ◂ target" : "") : `, target ${plain(target[k])}`;
      if (target !== null && !classes) add(svg, "path", { class: "wanted", d: `M${at(target[k])} ${y - 2}v14` });
      text({ class: "tick", x: end + 6, y: y + 9, "data-row": row }, plain(value) + wanted);
    });
    top += 34 + 15 * values.length;
  }
  svg.setAttribute("viewBox", `0 0 ${wide} ${top}`);
  const key = add(box, "p", { class: "key" });
  box.prepend(key);
  for (const mode of ["light", "dark"]) add(key, "i", { class: `scale ${mode}` }).style.background = `linear-gradient(to right, ${SHADES[mode]})`;
  add(key, "span", {}, "− to 0 to +");
  const tip = add(box, "div", { class: "tip", hidden: "" }), marks = add(svg, "g");
  const move = (event) => {
    const area = svg.getBoundingClientRect(), outer = box.getBoundingClientRect();
    const px = ((event.clientX - area.left) * wide) / area.width, py = ((event.clientY - area.top) * top) / area.height;
    const found = px >= left && px <= right ? drawnAt.find((each) => py >= each.from && py <= each.to) : undefined;
    marks.replaceChildren();
    tip.hidden = found === undefined;
    if (found === undefined) return;
    const { panel, xs, ys, y } = found, i = Math.max(1, xs.findIndex((edge) => x(edge) >= px)) - 1;
    const k = Math.max(1, ys.findIndex((edge) => y(edge) >= py)) - 1;
    add(marks, "path", { class: "rule", d: `M${x(panel.times[i])} ${drawnAt[0].from}V${drawnAt.at(-1).to}` });
    tip.replaceChildren();
    add(tip, "div", { class: "at" }, `t ${panel.times[i]}, ${panel.row} ${panel.rows[k]}`);
    const value = found.value(i, k);
    add(tip, "div", {}, finite(value) ? plain(Math.abs(value) < panel.limit / 4000 ? 0 : value) : "not asked");
    const beside = event.clientX - outer.left, to = beside > outer.width / 2 ? beside - tip.offsetWidth - 12 : beside + 12;
    tip.style.left = `${Math.max(0, Math.min(to, outer.width - tip.offsetWidth))}px`;
    tip.style.top = `${Math.max(0, event.clientY - outer.top - tip.offsetHeight - 8)}px`;
  };
  svg.addEventListener("pointermove", move);
  svg.addEventListener("pointerdown", move);
  svg.addEventListener("pointerleave", () => { tip.hidden = true; marks.replaceChildren(); });
}

sequence(document.querySelector(".sequence"), JSON.parse(document.getElementById("sequence-to-draw").textContent));
