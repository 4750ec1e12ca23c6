// Days of the calendar fill in the form of an override: by dragging over them, or by a tap on the first and one on the
// last. The form alone does the same; nothing is sent from here. What is marked here begins with data-local, which changes
// of the page leave alone.

const form = document.querySelector("form[data-override]");
const section = document.querySelector("[data-live=calendar]");
let begun = null;
let last = null;
let tapped = null;

const cellAt = (event) => document.elementFromPoint(event.clientX, event.clientY)?.closest("table[data-drag] td[data-rota]");
const cellsOf = (rota) => [...section.querySelectorAll("table[data-drag] td[data-rota]")].filter((one) => one.dataset.rota === rota);

function between(one, other) {
  const all = cellsOf(one.dataset.rota);
  const [from, to] = [all.indexOf(one), all.indexOf(other)].sort((a, b) => a - b);
  return from < 0 ? [] : all.slice(from, to + 1);
}

function mark(cells) {
  for (const one of section.querySelectorAll("td[data-local-chosen]")) delete one.dataset.localChosen;
  for (const one of cells) one.dataset.localChosen = "";
}

function fill(cells) {
  const open = cells.filter((one) => one.dataset.until);
  if (!open.length) return mark([]);
  mark(open);
  form.elements.rota.value = open[0].dataset.rota;
  form.elements.from.value = open[0].dataset.from;
  form.elements.until.value = open.at(-1).dataset.until;
  const details = form.closest("details");
  details.open = true;
  details.scrollIntoView({ block: "nearest" });
  form.elements.person.focus({ preventScroll: true });
}

function down(event) {
  const cell = event.target.closest("table[data-drag] td[data-rota]");
  if (!cell || event.button !== 0 || event.target.closest("a, button")) return;
  begun = last = cell;
  mark([cell]);
}

function move(event) {
  if (!begun) return;
  const cell = cellAt(event);
  if (!cell || cell.dataset.rota !== begun.dataset.rota || cell === last) return;
  last = cell;
  mark(between(begun, last));
}

function up() {
  if (!begun) return;
  const [first, end] = [begun, last];
  begun = last = null;
  const goesOn = first === end && tapped && tapped !== first && tapped.isConnected && tapped.dataset.rota === first.dataset.rota;
  fill(between(goesOn ? tapped : first, end));
  tapped = first === end && !goesOn ? first : null;
}

function forget() {
  begun = last = null;
  mark([]);
}

if (form && section) {
  section.dataset.localReady = "";
  document.addEventListener("pointerdown", down);
  document.addEventListener("pointermove", move);
  document.addEventListener("pointerup", up);
  document.addEventListener("pointercancel", forget);
}
