// A form that is sent while the server is away would leave nothing but the browser's own page of an error, and what was typed
// would be lost. So where the page has not heard of the server lately, it asks first whether somebody is there.

const FRESH_MS = 20_000; // the server says every 15 s that it is there
const PATIENCE_MS = 5_000;
const AWAY = [502, 503, 504]; // a proxy's word for a server that is not there

// A page that was opened just now came from the server.
let heardAt = Date.now();
const asking = new WeakSet();
const asked = new WeakSet();
let notice = null;

async function isThere() {
  try {
    // Whatever else is answered, somebody is there: only what is sure to be lost is held back.
    const answer = await fetch("/-/healthy", { redirect: "manual", cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
    return !AWAY.includes(answer.status);
  } catch {
    return false;
  }
}

function tell() {
  notice?.remove();
  notice = document.createElement("p");
  notice.className = "unsent";
  notice.setAttribute("role", "alert");
  document.body.append(notice);
  // Said once it stands there, so that it is read aloud.
  notice.textContent = document.body.dataset.unsent;
}

function forget() {
  notice?.remove();
  notice = null;
}

async function send(form, button) {
  asking.add(form);
  const isSent = await isThere();
  asking.delete(form);
  if (!isSent) { tell(); return; }
  forget();
  // A button says what is meant: without it the form would say something else.
  if (!form.isConnected || (button && button.form !== form)) return;
  asked.add(form);
  form.requestSubmit(button);
  asked.delete(form);
}

addEventListener("submit", (event) => {
  const { target: form, submitter } = event;
  const isDialog = (submitter?.getAttribute("formmethod") ?? form.getAttribute("method")) === "dialog";
  if (event.defaultPrevented || isDialog || asked.has(form) || Date.now() - heardAt < FRESH_MS) return;
  event.preventDefault();
  if (!asking.has(form)) send(form, submitter);
});
document.addEventListener("live:heard", () => { heardAt = Date.now(); forget(); });
document.addEventListener("live:lost", () => { heardAt = 0; });
addEventListener("pageshow", (event) => { if (event.persisted) heardAt = 0; });
