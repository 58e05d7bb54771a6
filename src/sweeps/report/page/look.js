// Figures that can be looked into: the run under the pointer in words, its curve, and on a click its own page.
{
  const SVG = "http://www.w3.org/2000/svg";
  const NEAR = 14, SAME = 1.5, LISTED = 8; // CSS pixels; lines of one tip
  const data = JSON.parse(document.querySelector("script[type='application/json']").textContent);
  const small = window.matchMedia("(max-width: 40rem)");
  const number = (value, power) => {
    const usual = power && Math.abs(value) < 4; // a power of ten that is better read as the number that it is
    const text = String(Number((usual ? 10 ** value : value).toPrecision(usual ? 3 : 4))).replace("-", "−");
    return power && !usual ? `10<sup>${text}</sup>` : text;
  };
  const make = (parent, name, attributes, space) => {
    const made = space ? document.createElementNS(space, name) : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return parent.appendChild(made);
  };

  for (const [figure, look] of Object.entries(data.figures)) {
    const box = document.querySelector(`#figure-${figure} .picture`);
    const image = box.querySelector("img");
    const layer = make(box, "svg", { class: "layer", "aria-hidden": "true" }, SVG);
    const tip = make(box, "div", { class: "tip", role: "status", hidden: "" });
    let hits = [], pinned = false;
    // On a small screen the panels lie elsewhere; the runs in them are the same.
    const panels = () => small.matches ? look.narrow.map((panel, i) => ({ ...look.panels[i], ...panel })) : look.panels;

    // Pixels of a point of a panel, within the picture.
    const at = (panel, x, y) => {
      const [left, top, right, bottom] = panel.box;
      const [low, high] = panel.log ? panel.x.map(Math.log) : panel.x;
      const across = ((panel.log ? Math.log(x) : x) - low) / (high - low);
      const up = (y - panel.y[0]) / (panel.y[1] - panel.y[0]);
      return [(left + across * (right - left)) * image.clientWidth, (bottom - up * (bottom - top)) * image.clientHeight];
    };
    const points = (panel) => panel.marks
      ? panel.marks.map(([run, x, y, value = y]) => ({ run, x, y, value, place: at(panel, x, y) }))
      : panel.curves.flatMap(([run, ...ys]) => ys.map((y, i) => y === null ? null
        : { run, x: panel.at[i], y, value: y, place: at(panel, panel.at[i], y) }).filter(Boolean));
    const distance = (one, [x, y]) => Math.hypot(one.place[0] - x, one.place[1] - y);
    // On a curve the pointer is between two of its points: as far from it as from the line between them.
    const nearest = (panel, pointer) => {
      const inside = ({ place: [x, y] }) => x >= -1 && y >= -1 && x <= image.clientWidth + 1 && y <= image.clientHeight + 1;
      let best = null, least = NEAR;
      const all = points(panel).filter(inside);
      all.forEach((one, i) => {
        const next = panel.curves && all[i + 1]?.run === one.run ? all[i + 1] : null;
        let away = distance(one, pointer), found = one;
        if (next) {
          const [dx, dy] = [next.place[0] - one.place[0], next.place[1] - one.place[1]];
          const t = ((pointer[0] - one.place[0]) * dx + (pointer[1] - one.place[1]) * dy) / (dx * dx + dy * dy || 1);
          if (t > 0 && t < 1) {
            away = Math.hypot(one.place[0] + t * dx - pointer[0], one.place[1] + t * dy - pointer[1]);
            found = t < 0.5 ? one : next;
          }
        }
        if (away < least) [best, least] = [found, away];
      });
      return best === null ? [] : panel.curves ? [best] : all.filter((one) => distance(one, best.place) <= SAME);
    };
    const clear = () => {
      hits = [];
      pinned = false;
      tip.hidden = true;
      layer.replaceChildren();
      layer.setAttribute("width", 0);
      box.classList.remove("hit");
    };
    const line = (one) => {
      const [id, words] = data.runs[one.run];
      const row = make(tip, "p", {});
      if (data.pages) make(row, "a", { href: `runs/${id}.html` }).textContent = words;
      else row.textContent = words;
    };
    const show = (panel, found) => {
      hits = found;
      tip.replaceChildren();
      found.slice(0, LISTED).forEach(line);
      if (found.length > LISTED) make(tip, "p", {}).textContent = `and ${found.length - LISTED} more`;
      const { x, value, run } = found[0];
      if (look.y) make(tip, "p", { class: "value" }).innerHTML = `${look.x && `${look.x} ${number(x)}: `}${look.y} ${value === null ? look.worst : number(value, look.power)}`;
      const [id] = data.runs[run];
      const how = data.pages ? (found.length > 1 ? "click to choose one" : "click for its page") : `${data.show} cell=${id}`;
      make(tip, "p", { class: "how" }).textContent = `cell ${id}${found.length > 1 ? " …" : ""} – ${how}`;
      layer.replaceChildren();
      const curve = panel.curves?.find(([other]) => other === run);
      if (curve) {
        const path = curve.slice(1).map((each, i) => each === null ? null : at(panel, panel.at[i], each).join(",")).filter(Boolean);
        make(layer, "polyline", { points: path.join(" ") }, SVG);
      }
      make(layer, "circle", { cx: found[0].place[0], cy: found[0].place[1], r: 5 }, SVG);
      tip.hidden = false;
      const [px, py] = found[0].place;
      const left = image.getBoundingClientRect().left;
      const room = document.documentElement.clientWidth - left - tip.offsetWidth - 8;
      tip.style.left = `${image.offsetLeft + Math.max(-left, Math.min(px + 12, room))}px`;
      const below = py + 14 + tip.offsetHeight <= image.clientHeight || py < tip.offsetHeight + 14;
      tip.style.top = `${image.offsetTop + (below ? py + 14 : py - 14 - tip.offsetHeight)}px`;
      box.classList.add("hit");
    };
    const look_at = (event) => {
      const frame = image.getBoundingClientRect();
      const pointer = [event.clientX - frame.left, event.clientY - frame.top];
      layer.style.left = `${image.offsetLeft}px`;
      layer.style.top = `${image.offsetTop}px`;
      layer.setAttribute("width", image.clientWidth);
      layer.setAttribute("height", image.clientHeight);
      const [u, v] = [pointer[0] / frame.width, pointer[1] / frame.height];
      const panel = panels().find(({ box: [l, t, r, b] }) => u >= l - 0.01 && v >= t - 0.02 && u <= r + 0.01 && v <= b + 0.02);
      const found = panel ? nearest(panel, pointer) : [];
      if (found.length) show(panel, found);
      else clear();
    };
    image.addEventListener("pointermove", (event) => { if (!pinned && event.pointerType !== "touch") look_at(event); });
    box.addEventListener("pointerleave", () => { if (!pinned) clear(); });
    image.addEventListener("click", (event) => {
      const before = hits.map(({ run }) => run).join();
      look_at(event);
      if (!hits.length) return;
      const again = before === hits.map(({ run }) => run).join();
      if (hits.length === 1 && data.pages && again) window.location.href = `runs/${data.runs[hits[0].run][0]}.html`;
      else pinned = true;
    });
    window.addEventListener("resize", clear);
    document.addEventListener("keydown", (event) => { if (event.key === "Escape") clear(); });
  }
}
