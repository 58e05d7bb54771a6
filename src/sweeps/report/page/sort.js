"use strict";
// Every table of three rows or more can be sorted by its heads: up, down, as it was. Without this script it is a table.
const MISSING = "–";

function key(cell) {
  const text = cell.textContent.trim().replaceAll("−", "-");
  if (text === MISSING || text === "") return null;
  const power = /^\s*(?:<strong>)?10<sup>([^<]+)/.exec(cell.innerHTML);
  if (power !== null) return Number(power[1].replace("−", "-")); // 10 to a power: far beyond what a number holds
  const number = /^[+-]?(?:inf|\d*\.?\d+(?:e[+-]?\d+)?)(?![\w-])/i.exec(text);
  return number === null ? text : Number(number[0].replace(/inf/i, "Infinity"));
}

function compare(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b), "en", { numeric: true });
}

for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0];
  if (!body || body.rows.length < 3) continue;
  const original = [...body.rows];
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const next = { ascending: "descending", descending: null }[head.getAttribute("aria-sort")];
      const order = next === undefined ? "ascending" : next;
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      let rows = original;
      if (order !== null) {
        head.setAttribute("aria-sort", order);
        const sign = order === "ascending" ? 1 : -1;
        const keyed = original.map((row) => [key(row.cells[column]), row]);
        const known = keyed.filter(([value]) => value !== null).sort(([a], [b]) => sign * compare(a, b));
        rows = [...known, ...keyed.filter(([value]) => value === null)].map(([, row]) => row);
      }
      body.append(...rows);
    });
  });
}
