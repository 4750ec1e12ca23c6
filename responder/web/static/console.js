// Keys, and times that stay true. Everything here presses what the page has anyway: without it the page works the same.

import "./sending.js";

const PENDING_MS = 1500;
const typing = (at) => at instanceof Element && at.closest("input, select, textarea, [contenteditable]");
const shown = (one) => one.checkVisibility();
const rows = () => [...document.querySelectorAll("[data-row]")].filter(shown);
const current = () => document.querySelector("[data-row][aria-current]");

// --- lines -----------------------------------------------------------------------------------

function choose(row) {
  current()?.removeAttribute("aria-current");
  row.setAttribute("aria-current", "true");
  (row.querySelector("a.name, a[href]") ?? row).focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

function step(by) {
  const all = rows();
  if (!all.length) return scrollBy({ top: by * 80 });
  const at = all.indexOf(current());
  choose(all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1)]);
}

function open() {
  (current()?.querySelector("a.name, a[href]"))?.click();
}

// --- acts: the control that says so, in the chosen line or else on the page ------------------------

function press(key) {
  const row = current();
  const control = row?.querySelector(`[data-key="${key}"]`) ?? [...document.querySelectorAll(`main [data-key="${key}"]`)].find((one) => !one.closest("[data-row]"));
  if (!control) return row ? onItsPage(row, key) : false;
  if (control.matches("button, a")) control.click();
  else point(control);
  return true;
}

// What does nothing by itself: a form that opens, a reason why there is none, a button that is to be pressed.
function point(control) {
  if (control.matches("details")) { unfold(control); return; }
  control.hidden = false;
  control.scrollIntoView({ block: "nearest" });
  control.focus();
}

// What a line has no control for, its own page has.
function onItsPage(row, key) {
  const link = row.querySelector("a.name");
  if (!link || !"arec".includes(key)) return false;
  location.assign(`${link.href}#key-${key}`);
  return true;
}

function unfold(details) {
  details.open = true;
  details.scrollIntoView({ block: "nearest" });
  const field = details.querySelector("input:not([type=hidden]), select, textarea, button");
  (field ?? details.querySelector("summary"))?.focus();
}

function search() {
  const field = document.querySelector("[data-search]");
  if (field) { field.focus(); field.select?.(); }
  else location.assign("/tickets#search");
}

function help() {
  const dialog = document.querySelector("dialog[data-keys]");
  if (dialog?.open) dialog.close();
  else dialog?.showModal();
}

// --- keys ------------------------------------------------------------------------------------

const KEYS = { j: () => step(1), k: () => step(-1), o: open, "/": search, "?": help };
let goingUntil = 0;

function go(letter) {
  goingUntil = 0;
  document.querySelector(`nav [data-go="${CSS.escape(letter)}"]`)?.click();
}

// Ctrl and Enter send the form one types in. Where it has several answers, one of them must be chosen.
function send(event) {
  const form = typing(event.target)?.form;
  const buttons = form ? [...form.elements].filter((one) => one.matches("button:not([type=button])")) : [];
  if (form?.method !== "post" || buttons.length !== 1) return;
  event.preventDefault();
  form.requestSubmit(buttons[0]);
}

function pressed(event) {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing && !event.repeat) { send(event); return; }
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
  if (event.key === "Escape") return leave();
  if (typing(event.target) || document.querySelector("dialog[open]")) return;
  if (event.key === "Enter" && event.target === document.body) { open(); return; }
  if (performance.now() < goingUntil) { event.preventDefault(); go(event.key); return; }
  if (event.key === "g") { goingUntil = performance.now() + PENDING_MS; return; }
  const act = KEYS[event.key];
  if (act) { event.preventDefault(); act(); }
  else if (/^[a-z]$/.test(event.key) && !event.repeat && press(event.key)) event.preventDefault();
}

function leave() {
  if (typing(document.activeElement)) document.activeElement.blur();
  for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
}

// --- times -----------------------------------------------------------------------------------

const UNITS = (document.body.dataset.units ?? "").split("|");
const SIZES = [86400, 3600, 60, 1];

function spoken(seconds) {
  let rest = seconds < 60 ? seconds : seconds - (seconds % 60);
  const parts = [];
  SIZES.forEach((size, place) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count) parts.push(UNITS[place].replace("{}", count));
  });
  return parts.slice(0, 2).join(" ") || UNITS[3].replace("{}", 0);
}

export function refresh(part = document) {
  for (const one of part.querySelectorAll("time[data-time]")) {
    const away = (Date.parse(one.dateTime) - Date.now()) / 1000 - skew;
    const text = spoken(Math.floor(Math.abs(away)));
    const frame = one.dataset.time === "bare" ? "{}" : document.body.dataset[away > 0 ? "ahead" : "ago"];
    const said = frame.replace("{}", text);
    if (one.textContent !== said) one.textContent = said;
  }
}

// The server's clock counts, not this machine's.
const made = Date.parse(document.querySelector("footer time[data-made]")?.dateTime ?? "");
const skew = Number.isNaN(made) ? 0 : (made - Date.now()) / 1000;

// --- copies ----------------------------------------------------------------------------------

async function copy(button) {
  const from = button.dataset.copyFrom;
  // Browsers give the clipboard to encrypted pages only: then the text is shown, to be copied by hand.
  if (!navigator.clipboard) { if (from) location.assign(from); return; }
  const text = from ? await (await fetch(from)).text() : button.dataset.copy;
  await navigator.clipboard.writeText(text);
  const was = button.textContent;
  button.textContent = button.dataset.copied ?? "✓";
  setTimeout(() => { button.textContent = was; }, 1500);
}

document.addEventListener("keydown", pressed);
document.addEventListener("click", (event) => {
  const copies = event.target.closest?.("[data-copy], [data-copy-from]");
  if (copies) { event.preventDefault(); copy(copies); }
  if (event.target.closest?.("[data-help]")) help();
  if (!event.target.closest?.("details.menu")) for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
});
function follow() {
  const key = /^#key-([a-z])$/.exec(location.hash)?.[1];
  // An address alone must do nothing: what a key would press is only pointed at.
  const control = key && document.querySelector(`main [data-key="${key}"]`);
  if (control) { point(control); return; }
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) unfold(target);
  else if (target?.matches?.("input")) target.focus();
  else if (target?.matches?.("[data-row]")) choose(target);
}
addEventListener("hashchange", follow);
for (const one of document.querySelectorAll("[data-help], [data-needs-script]")) one.hidden = false;
follow();
setInterval(refresh, 20_000);
