// The regions of a page, and how they take what is new: what is the same stays in place, and with it the focus, the
// selection, what is unfolded, and how far one has scrolled. Nothing that somebody is typing is ever lost.

const MARKED_MS = 2_000;
const CONTROLS = "input, textarea, select";
const PRESSED = ["button", "submit", "reset", "image", "hidden"];

// What is no change to a reader: times pass, and hidden fields are for the server.
const PASSING = "time, [data-live-quiet]";

// --- what somebody has done to the page ----------------------------------------------------------

function isChanged(control) {
  if (PRESSED.includes(control.type)) return false;
  if (control.type === "file") return control.files.length > 0;
  if (control.type === "checkbox" || control.type === "radio") return control.checked !== control.defaultChecked;
  if (!(control instanceof HTMLSelectElement)) return control.value !== control.defaultValue;
  return chosen(control).join("\n") !== chosenAtFirst(control).join("\n");
}

const valuesOf = (options) => options.map((one) => one.value);
const chosen = (select) => valuesOf([...select.options].filter((one) => one.selected));

function chosenAtFirst(select) {
  const named = [...select.options].filter((one) => one.defaultSelected);
  if (select.multiple) return valuesOf(named);
  return valuesOf((named.length ? named : [...select.options].filter((one) => !one.disabled)).slice(named.length ? -1 : 0).slice(0, 1));
}

function isBusy(region) {
  const at = document.activeElement;
  const isTyping = at?.matches(CONTROLS) && !PRESSED.includes(at.type) && region.contains(at);
  return isTyping || [...region.querySelectorAll(CONTROLS)].some(isChanged);
}

// Attributes that belong to the reader, or to the scripts here.
function isLocal(element, name) {
  if (name === "open") return element.matches("details, dialog");
  if (name === "aria-current") return element.matches("[data-row]");
  if (name === "hidden") return element.matches("[data-needs-script], [data-help]");
  return name.startsWith("data-local");
}

const isKept = (node) => node instanceof Element && node.matches("[data-live-keep], .live-hint");

// --- one tree becomes another ----------------------------------------------------------------

function keyOf(node) {
  if (!(node instanceof Element)) return "";
  return node.id || node.dataset.row || (node.matches("form") ? whatItSends(node) : "");
}

// A form is what it sends and where to: it never becomes another one under somebody's hand.
const WHOSE = ["runbook", "target", "key"];

function whatItSends(form) {
  const fixed = [...form.querySelectorAll('input[type="hidden"]')].filter((one) => WHOSE.includes(one.name));
  return [form.getAttribute("action"), ...fixed.map((one) => `${one.name}=${one.defaultValue}`)].join(" ");
}

function said(element) {
  const copy = element.cloneNode(true);
  for (const one of copy.querySelectorAll(PASSING)) one.remove();
  return copy.textContent.replace(/\s+/g, " ").trim();
}

function become(old, fresh, marked) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  if (old.isEqualNode(fresh) && !old.querySelector(CONTROLS) && !old.matches(CONTROLS)) return;
  if (keyOf(old) && old.matches("[data-row]") && said(old) !== said(fresh)) marked.add(old);
  const mine = old.matches(CONTROLS) && isChanged(old) ? remembered(old) : null;
  takeAttributes(old, fresh);
  takeChildren(old, fresh, marked);
  if (old.matches(CONTROLS)) (mine ?? (() => asAtFirst(old)))();
}

function takeAttributes(old, fresh) {
  for (const { name, value } of fresh.attributes) {
    if (!isLocal(old, name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const name of old.getAttributeNames()) {
    if (!fresh.hasAttribute(name) && !isLocal(old, name)) old.removeAttribute(name);
  }
}

function takeChildren(old, fresh, marked) {
  const known = new Map([...old.children].filter(keyOf).map((one) => [keyOf(one), one]));
  const wanted = new Set([...fresh.children].map(keyOf).filter(Boolean));
  const isHeld = (node) => isKept(node) || wanted.has(keyOf(node));
  let here = old.firstChild;
  for (const want of fresh.childNodes) {
    while (here && isKept(here)) here = here.nextSibling;
    const same = keyOf(want) ? known.get(keyOf(want)) : alike(here, want);
    // What stands before its place and is wanted no more goes, so that it need not be moved.
    while (same && here && here !== same && !isHeld(here)) here = removed(here);
    if (!same || same.nodeName !== want.nodeName) {
      const made = document.importNode(want, true);
      old.insertBefore(made, here);
      if (keyOf(made) && made.matches("[data-row]")) marked.add(made);
    } else {
      if (same === here) here = here.nextSibling;
      else old.insertBefore(same, here);
      known.delete(keyOf(want));
      become(same, want, marked);
    }
  }
  while (here) here = isKept(here) ? here.nextSibling : removed(here);
}

function alike(here, want) {
  return here && !keyOf(here) && here.nodeType === want.nodeType && here.nodeName === want.nodeName ? here : null;
}

function removed(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}

function remembered(control) {
  if (control instanceof HTMLSelectElement) {
    const values = chosen(control);
    return () => { for (const one of control.options) one.selected = values.includes(one.value); };
  }
  if (control.type === "file") return () => {};
  const { value, checked } = control;
  return () => { if (control.value !== value) control.value = value; if (checked !== undefined) control.checked = checked; };
}

function asAtFirst(control) {
  if (!isChanged(control)) return;
  if (control instanceof HTMLSelectElement) {
    const values = chosenAtFirst(control);
    for (const one of control.options) one.selected = values.includes(one.value);
  } else if (control.type === "checkbox" || control.type === "radio") control.checked = control.defaultChecked;
  else if (control.type !== "file") control.value = control.defaultValue;
}

// --- the focus, and what is read at its end ---------------------------------------------------------

function place(region) {
  const at = document.activeElement;
  if (!at || at === document.body || !region.contains(at)) return () => {};
  const line = at.closest("[data-row]");
  const number = line ? [...region.querySelectorAll("[data-row]")].indexOf(line) : -1;
  const from = selection(at);
  return () => {
    if (document.activeElement === at) return;
    const lines = [...region.querySelectorAll("[data-row]")];
    const next = lines[Math.min(number, lines.length - 1)];
    // The line is gone: the one that took its place goes on, so that keys still do something.
    const target = at.isConnected ? at : number >= 0 ? next?.querySelector("a[href], button") ?? next : null;
    target?.focus({ preventScroll: true });
    if (at.isConnected && from) at.setSelectionRange(...from);
  };
}

function selection(control) {
  try {
    return control.selectionStart == null ? null : [control.selectionStart, control.selectionEnd, control.selectionDirection];
  } catch {
    return null;
  }
}

function ends(region) {
  const all = [...region.querySelectorAll("[data-live-follow]")];
  const read = all.filter((one) => one.scrollTop + one.clientHeight >= one.scrollHeight - 4);
  return () => { for (const one of read) one.scrollTop = one.scrollHeight; };
}

function mark(element) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  element.classList.add("live-changed");
  setTimeout(() => element.classList.remove("live-changed"), MARKED_MS);
}

// --- the regions -----------------------------------------------------------------------------

function lasting(region) {
  const copy = region.cloneNode(true);
  for (const one of copy.querySelectorAll(PASSING)) one.replaceWith(document.createElement("time"));
  for (const one of copy.querySelectorAll("input[type=hidden]")) one.setAttribute("value", "");
  return copy.outerHTML;
}

const named = (root, name) => root.querySelector(`[data-live="${CSS.escape(name)}"]`);
const outermost = (region) => !region.parentElement?.closest("[data-live]");

function meets(topic, wanted) {
  if (topic === "everything" || wanted.includes(topic)) return true;
  const [kind, number] = topic.split(":");
  if (number === undefined) return false;
  return wanted.includes(`${kind}:*`) || (number === "*" && wanted.some((one) => one.startsWith(`${kind}:`)));
}

export class Regions {
  #words;
  #held = new Map();
  #last = new Map();

  constructor(words) {
    this.#words = words;
    for (const one of this.#all()) this.#last.set(one.dataset.live, { whole: one.outerHTML, lasting: lasting(one) });
    const later = () => setTimeout(() => this.#takeHeld());
    for (const kind of ["focusout", "change", "reset"]) document.addEventListener(kind, later);
  }

  concernedBy(topics) {
    const wanted = [...document.querySelectorAll("[data-live]")].flatMap((one) => (one.dataset.topics ?? "").split(/\s+/));
    return topics.some((one) => meets(one, wanted));
  }

  take(text) {
    const page = new DOMParser().parseFromString(text, "text/html");
    for (const region of this.#all()) {
      const fresh = named(page, region.dataset.live);
      if (fresh) this.#offer(region, fresh);
    }
    if (page.title && document.title !== page.title) document.title = page.title;
  }

  #all() {
    return [...document.querySelectorAll("[data-live]")].filter(outermost);
  }

  #offer(region, fresh) {
    const name = region.dataset.live;
    const last = this.#last.get(name);
    const whole = fresh.outerHTML;
    if (last?.whole === whole) { this.#letGo(name); return; }
    if (!isBusy(region)) { this.#apply(region, fresh); return; }
    if (last?.lasting === lasting(fresh)) { this.#letGo(name); return; }
    this.#hold(region, fresh);
  }

  #apply(region, fresh) {
    const marked = new Set();
    const backToPlace = place(region);
    const backToEnds = ends(region);
    const isFirst = !this.#last.has(region.dataset.live);
    this.#letGo(region.dataset.live);
    this.#last.set(region.dataset.live, { whole: fresh.outerHTML, lasting: lasting(fresh) });
    become(region, fresh, marked);
    backToPlace();
    backToEnds();
    if (!isFirst) for (const one of marked) mark(one);
    region.dispatchEvent(new CustomEvent("live:swapped", { bubbles: true }));
  }

  #hold(region, fresh) {
    const name = region.dataset.live;
    const known = this.#held.get(name);
    this.#held.set(name, { fresh, hint: known?.hint ?? this.#hint(region, name) });
  }

  #hint(region, name) {
    const hint = document.createElement("p");
    hint.className = "live-hint";
    hint.setAttribute("role", "status");
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = this.#words.wordShow;
    button.addEventListener("click", () => this.#show(region, name));
    (region.closest("table") ?? region).before(hint);
    // Said after it is there, or else nobody reads it out.
    setTimeout(() => hint.append(`${this.#words.wordChanged} `, button));
    return hint;
  }

  #show(region, name) {
    const held = this.#held.get(name);
    if (!held) return;
    const typed = [...region.querySelectorAll(CONTROLS)].find(isChanged);
    this.#apply(region, held.fresh);
    if (typed?.isConnected) typed.focus({ preventScroll: true });
  }

  #takeHeld() {
    for (const [name, { fresh }] of [...this.#held]) {
      const region = named(document, name);
      if (region && !isBusy(region)) this.#apply(region, fresh);
    }
  }

  #letGo(name) {
    this.#held.get(name)?.hint.remove();
    this.#held.delete(name);
  }
}
