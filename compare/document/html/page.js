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
  if (table.id === "rows") applyFilter();
  find("th[aria-sort]", table).forEach((other) => other.setAttribute("aria-sort", "none"));
  header.setAttribute("aria-sort", order);
  say(`Sorted by ${header.textContent.trim()}, ${order}.`);
};
find("table.sortable").forEach((table) => find("thead th[aria-sort] button", table).forEach(
  (button) => button.addEventListener("click", () => sortTable(table, button.closest("th")))));

// --- rows that open ---
const setOpen = (button, open) => {
  const detail = byId(button.getAttribute("aria-controls"));
  const folded = open && detail.querySelector("noscript");  // a text, as long as scripts run
  if (folded) folded.outerHTML = folded.textContent;
  button.setAttribute("aria-expanded", String(open));
  detail.hidden = !open;
};
if (byId("rows")) byId("rows").addEventListener("click", (event) => {
  const button = event.target.closest("button.open");
  if (button) setOpen(button, button.getAttribute("aria-expanded") !== "true");
});

// --- finding a layer; of what is found, so many rows are in sight at a time ---
const filter = byId("filter"), show = byId("show"), openAll = byId("open-all"), more = byId("more");
const PORTION = 250;
let most = PORTION;
const shown = () => find("#rows > tbody:not([hidden])");
const applyFilter = () => {
  const wanted = filter.value.trim().toLowerCase(), what = show.value;
  const bodies = find("#rows > tbody");
  const right = bodies.filter(({ dataset, rows }) => (what === "all" || dataset.gate === what
    || (what === "failed" && dataset.failed)
    || (what === "main" && (dataset.main || dataset.failed)))
    && rows[0].cells[0].textContent.toLowerCase().includes(wanted));
  const visible = new Set(right.slice(0, most));
  bodies.forEach((body) => { if (body.hidden === visible.has(body)) body.hidden = !body.hidden; });
  const left = right.length - visible.size;
  more.hidden = left === 0;
  more.textContent = `Show ${Math.min(PORTION, left)} more of ${left}`;
  byId("count").textContent = left ? `the first ${visible.size} of ${right.length} rows`
    : `${right.length} of ${bodies.length} rows`;
};
const filterAnew = () => { most = PORTION; applyFilter(); };
if (filter) {
  filter.addEventListener("input", filterAnew);
  show.addEventListener("change", filterAnew);
  more.addEventListener("click", () => { most += PORTION; applyFilter(); });
  filter.form.addEventListener("submit", (event) => event.preventDefault());
  openAll.addEventListener("click", () => {
    const buttons = shown().map((body) => body.querySelector("button.open"));
    const open = buttons.some((button) => button.getAttribute("aria-expanded") !== "true");
    buttons.forEach((button) => setOpen(button, open));
    openAll.textContent = open ? "Close all" : "Open all";
  });
  find("button.layer").forEach((button) => button.addEventListener("click", () => {
    filter.value = button.dataset.layer;
    filterAnew();
    byId("rows-of-tensors").scrollIntoView();
    filter.focus({ preventScroll: true });
  }));
  applyFilter();
}

// --- the network, nearer and farther ---
const network = find(".network")[0], buttons = find("button[data-zoom]");
const ZOOMS = [0.06, 0.1, 0.2, 0.35, 0.6, 1, 1.5];
const zoomNow = () => Number(network.style.getPropertyValue("--zoom"));
const zoomTo = (zoom) => {
  const view = network.parentElement;
  const middle = (view.scrollTop + view.clientHeight / 2) / view.scrollHeight;
  network.style.setProperty("--zoom", zoom);
  network.dataset.distance = zoom < 0.2 ? "far" : zoom < 0.6 ? "middle" : "near";
  view.scrollTop = middle * view.scrollHeight - view.clientHeight / 2;
  find(".zoom output")[0].textContent = `${Math.round(100 * zoom)} %`;
};
const zoomBy = (way) => zoomTo(way === "in" ? ZOOMS.find((zoom) => zoom > zoomNow()) || zoomNow()
  : ZOOMS.findLast((zoom) => zoom < zoomNow()) || zoomNow());
buttons.forEach((button) => button.addEventListener("click", () => {
  const view = network.parentElement, whole = (view.scrollHeight - 16) / zoomNow();
  if (button.dataset.zoom !== "whole") zoomBy(button.dataset.zoom);
  else zoomTo(Math.min(1, Math.max(0.02, (view.clientHeight - 16) / whole)));
}));
if (buttons.length) {
  const view = network.parentElement, wrong = find("button.layer.bad")[0];
  zoomTo(zoomNow());
  view.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    zoomBy(event.deltaY < 0 ? "in" : "out");
  }, { passive: false });
  if (wrong) view.scrollTop += wrong.getBoundingClientRect().top - view.getBoundingClientRect().top
    - view.clientHeight / 2;
}
