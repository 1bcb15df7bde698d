"use strict";
// The page is complete without this: it sorts, filters, opens rows and turns dark.
const find = (selector, root = document) => [...root.querySelectorAll(selector)];
const byId = (id) => document.getElementById(id);
const say = (text) => { byId("status").textContent = text; };

// --- light and dark: the system's choice, unless a visitor made another ---
const theme = byId("theme");
const systemDark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (document.documentElement.dataset.theme || (systemDark.matches ? "dark" : "light")) === "dark";
const showTheme = () => {
  theme.textContent = isDark() ? "Light" : "Dark";
  theme.setAttribute("aria-label", isDark() ? "Use light colours" : "Use dark colours");
  theme.setAttribute("aria-pressed", String(isDark()));
};
theme.addEventListener("click", () => {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  showTheme();
});
systemDark.addEventListener("change", showTheme);
showTheme();

// --- tables that sort: a table of rows that open has a tbody for each ---
const unitsOf = (table) => table.tBodies.length > 1
  ? [...table.tBodies] : find("tr", table.tBodies[0]);
const keyOf = (unit, column) => {
  const row = unit.tagName === "TR" ? unit : unit.rows[0];
  const cell = row.cells[column];
  const text = cell.dataset.key !== undefined ? cell.dataset.key : cell.textContent.trim();
  const bare = text.replace(/[,\s]/g, "").replace(/%$/, "");
  const value = bare === "" || text === "-" ? NaN : Number(bare);
  return { text, value, missing: text === "" || text === "-" };
};
const compareKeys = (a, b) => Number.isNaN(a.value) || Number.isNaN(b.value)
  ? a.text.localeCompare(b.text, "en", { numeric: true }) : a.value - b.value;
const sortTable = (table, header) => {
  const column = header.cellIndex;
  const units = unitsOf(table);
  const keys = new Map(units.map((unit) => [unit, keyOf(unit, column)]));
  const numbers = [...keys.values()].some((key) => !Number.isNaN(key.value));
  const before = header.getAttribute("aria-sort");
  const order = before === "none" ? (numbers ? "descending" : "ascending")
    : before === "ascending" ? "descending" : "ascending";
  const sign = order === "ascending" ? 1 : -1;
  units.sort((a, b) => {
    const [left, right] = [keys.get(a), keys.get(b)];
    if (left.missing || right.missing) return left.missing - right.missing;
    return sign * compareKeys(left, right);
  });
  units[0] && units[0].parentNode.append(...units);
  find("th[aria-sort]", table).forEach((other) => other.setAttribute("aria-sort", "none"));
  header.setAttribute("aria-sort", order);
  say(`Sorted by ${header.textContent.trim()}, ${order}.`);
};
find("table.sortable").forEach((table) => find("thead th[aria-sort] button", table).forEach(
  (button) => button.addEventListener("click", () => sortTable(table, button.closest("th")))));

// --- rows that open ---
const setOpen = (button, open) => {
  button.setAttribute("aria-expanded", String(open));
  byId(button.getAttribute("aria-controls")).hidden = !open;
};
find("button.open").forEach((button) => button.addEventListener("click",
  () => setOpen(button, button.getAttribute("aria-expanded") !== "true")));

// --- finding a layer ---
const filter = byId("filter"), show = byId("show"), openAll = byId("open-all");
const shown = () => find("#rows > tbody:not([hidden])");
const applyFilter = () => {
  const wanted = filter.value.trim().toLowerCase(), what = show.value;
  find("#rows > tbody").forEach((body) => {
    const named = body.querySelector("button.open").textContent.toLowerCase().includes(wanted);
    const right = what === "all" || body.dataset.gate === what
      || (what === "failed" && body.dataset.failed)
      || (what === "main" && (body.dataset.main || body.dataset.failed));
    body.hidden = !(named && right);
  });
  const count = `${shown().length} of ${find("#rows > tbody").length} rows`;
  byId("count").textContent = count;
};
if (filter) {
  filter.addEventListener("input", applyFilter);
  show.addEventListener("change", applyFilter);
  filter.form.addEventListener("submit", (event) => event.preventDefault());
  openAll.addEventListener("click", () => {
    const buttons = shown().map((body) => body.querySelector("button.open"));
    const open = buttons.some((button) => button.getAttribute("aria-expanded") !== "true");
    buttons.forEach((button) => setOpen(button, open));
    openAll.textContent = open ? "Close all" : "Open all";
  });
  find("button.layer").forEach((button) => button.addEventListener("click", () => {
    filter.value = button.dataset.layer;
    applyFilter();
    byId("rows-of-tensors").scrollIntoView();
    filter.focus({ preventScroll: true });
  }));
  applyFilter();
}
