// Keeps an open page as it is on the server: hears what has changed, and takes the new parts of the same page.
// Regions say what they are about: <section data-live="NAME" data-topics="tickets run:7">. All words are the badge's.

import { Regions } from "./live_regions.js";

const SHORT_MS = 3_000; // a cut that nobody needs to know of
const LONG_MS = 30_000; // from here on the server counts as away
const SILENT_MS = 40_000; // the server says every 15 s that it is there
const HIDDEN_MS = 5_000; // a tab that nobody looks at gives its connection back
const SLOWEST_MS = 30_000;
const TOGETHER_MS = 25; // the server has gathered them already
const AT_ONCE = 5; // changes within so long that are shown without delay
const WHILE_MS = 30_000;
const BUSIEST_MS = 4_000;
const PATIENCE_MS = 20_000;

const badge = document.querySelector("output[data-live-badge]");
const words = badge?.dataset ?? {};
const regions = new Regions(words);

let source = null;
let seen = words.after ?? "";
let isOver = false;
let lostAt = 0;
let failures = 0;
let again = 0;
let silence = 0;
let telling = 0;
let hiding = 0;

// --- the badge -------------------------------------------------------------------------------

function show(state, text) {
  if (badge.dataset.liveBadge === state) return;
  // The first word is no news; what follows on it is.
  badge.setAttribute("aria-live", badge.dataset.liveBadge ? "polite" : "off");
  badge.dataset.liveBadge = state;
  badge.textContent = text;
  badge.hidden = false;
}

function tell() {
  if (!lostAt || isOver) return;
  const away = Date.now() - lostAt;
  const time = new Date(lostAt).toLocaleTimeString(document.documentElement.lang, {
    hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: words.zone || undefined,
  });
  if (away >= LONG_MS) show("away", words.wordAway.replace("{time}", time));
  else if (away >= SHORT_MS) show("reconnecting", words.wordReconnecting.replace("{time}", time));
  clearTimeout(telling);
  if (away < LONG_MS) telling = setTimeout(tell, (away < SHORT_MS ? SHORT_MS : LONG_MS) - away + 10);
}

function isBack() {
  document.dispatchEvent(new Event("live:heard"));
  lostAt = 0;
  failures = 0;
  clearTimeout(telling);
  show("live", words.wordLive);
}

function isGone() {
  document.dispatchEvent(new Event("live:lost"));
  lostAt ||= Date.now();
  tell();
}

function end() {
  if (isOver) return;
  isOver = true;
  disconnect();
  lostAt = 0;
  show("ended", `${words.wordEnded} `);
  const link = document.createElement("a");
  link.href = location.href;
  link.textContent = words.wordSignIn;
  badge.append(link);
}

// --- the stream ------------------------------------------------------------------------------

function connect() {
  if (source || isOver || document.hidden) return;
  clearTimeout(again);
  const url = new URL(words.url, location.href);
  if (seen) url.searchParams.set("after", seen);
  source = new EventSource(url);
  source.addEventListener("ready", heard);
  source.addEventListener("beat", heard);
  source.addEventListener("changed", heard);
  // The page knows whether somebody else is signed in by now.
  source.addEventListener("ended", () => { lost(); look(["everything"]); });
  source.addEventListener("error", lost);
  awaitBeat();
}

function disconnect() {
  source?.close();
  source = null;
  clearTimeout(again);
  clearTimeout(silence);
}

function awaitBeat() {
  clearTimeout(silence);
  silence = setTimeout(lost, SILENT_MS);
}

function heard(event) {
  if (event.target !== source) return;
  awaitBeat();
  const isFirst = !seen;
  seen = event.lastEventId || seen;
  isBack();
  // A page that does not say when it was made may be older than the first word.
  if (event.type === "changed") look(JSON.parse(event.data).topics);
  else if (isFirst || unread.size) look(["everything"]);
}

function lost() {
  const isRefused = source?.readyState === EventSource.CLOSED;
  disconnect();
  isGone();
  if (isOver || document.hidden) return;
  failures += 1;
  const wait = Math.min(SLOWEST_MS, 500 * 2 ** failures) * (0.5 + Math.random() / 2);
  // An answer that is no stream has no word of the reason; the page has.
  if (isRefused) look(["everything"]);
  again = setTimeout(connect, wait);
}

// --- the page --------------------------------------------------------------------------------

const unread = new Set();
let isReading = false;
let reading = 0;
let reads = [];
let readyAt = 0;

function look(topics) {
  if (isOver || !regions.concernedBy(topics)) return;
  for (const one of topics) unread.add(one);
  soon();
}

// The first changes are shown at once. While more follow, ever seldomer: many look, and the server has other work.
function soon(least = TOGETHER_MS) {
  if (reading || isReading || document.hidden || isOver) return;
  reading = setTimeout(read, Math.max(least, readyAt - performance.now()));
}

function pauseAfter(took) {
  reads = [...reads, performance.now()].filter((at) => at > performance.now() - WHILE_MS);
  const many = reads.length > AT_ONCE ? 250 * 2 ** (reads.length - AT_ONCE) : 0;
  return Math.min(BUSIEST_MS, Math.max(many, 2 * took));
}

async function read() {
  reading = 0;
  isReading = true;
  const wanted = [...unread];
  unread.clear();
  const began = performance.now();
  const why = await taken();
  isReading = false;
  readyAt = performance.now() + pauseAfter(performance.now() - began);
  if (why) {
    for (const one of wanted) unread.add(one);
    isGone();
    soon(Math.min(SLOWEST_MS, 1000 * 2 ** Math.min(failures, 5)));
    return;
  }
  if (source?.readyState === EventSource.OPEN) isBack();
  if (unread.size) soon();
}

// Takes the page as it is now; says why not, where trying again may help.
async function taken() {
  try {
    const answer = await fetch(location.href, {
      headers: { Accept: "text/html", "X-Requested-With": "live" },
      redirect: "manual", cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 403) end();
    else if (answer.status >= 500 || answer.status === 429) return `${answer.status}`;
    else if (answer.ok) regions.take(await answer.text());
    return "";
  } catch (error) {
    return String(error);
  }
}

// --- a tab that nobody looks at waits -----------------------------------------------------------

function looked() {
  clearTimeout(hiding);
  if (document.hidden) { hiding = setTimeout(disconnect, HIDDEN_MS); return; }
  if (!source) { isGone(); connect(); }
  if (unread.size) soon();
}

if (badge && words.url) {
  document.addEventListener("visibilitychange", looked);
  addEventListener("offline", lost);
  addEventListener("online", connect);
  addEventListener("pagehide", disconnect);
  addEventListener("pageshow", (event) => { if (event.persisted) looked(); });
  connect();
}
