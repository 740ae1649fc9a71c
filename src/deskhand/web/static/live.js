// Pages stay as they are in the database: the server says what changed, and a page that shows it is fetched anew.
// A page says what it shows: data-shows="conversation 3100000005", "inbox 501" or "everything" on its <main> or within.
import {forget, refresh} from "./navigate.js";

const SIDE_EVERY_MS = 2000, AGAIN_MS = 10_000;
let source = null, planned = 0, whole = false, last = 0, busy = false, again = false;

function connect() {
  const frame = document.getElementById("frame");
  if (!frame?.dataset.liveUrl || source || document.hidden) return;
  source = new EventSource(frame.dataset.liveUrl);
  source.addEventListener("changed", event => heard(JSON.parse(event.data)));
  // Something may have happened since the page was made, or while the line was down: the server knows.
  source.addEventListener("listening", event => { if (JSON.parse(event.data).behind) { forget(); plan(0); } });
  source.addEventListener("error", event => {  // the browser tries again by itself unless it was answered with an error
    if (event.target.readyState !== EventSource.CLOSED || event.target !== source) return;
    source = null;
    setTimeout(() => { if (!source && !document.hidden) { connect(); plan(0); } }, AGAIN_MS);
  });
}

function heard(change) {
  forget();
  document.dispatchEvent(new CustomEvent("deskhand:changed", {detail: change}));
  plan(concerns(change) ? 0 : Math.max(0, last + SIDE_EVERY_MS - performance.now()));
}

// Whether the page itself shows what changed; the numbers in the side bar may wait a moment.
function concerns(change) {
  if (change.all) return true;
  const shown = [...document.querySelectorAll("[data-shows]")].map(one => one.dataset.shows.split(" "));
  if (!shown.length) return true;
  const conversations = [...Object.values(change.inboxes).flat(), ...change.people].map(String);
  return shown.some(([kind, ...ids]) =>
    kind === "everything" || (kind === "conversation" && ids.some(id => conversations.includes(id)))
    || (kind === "inbox" && (ids.some(id => id in change.inboxes) || conversations.some(id => document.getElementById(`row-${id}`)))));
}

// Refresh the page, or a page that shows nothing which changes only its side bar. What changes meanwhile is seen to after.
function plan(after) {
  if (!after) whole = true;
  if (planned && after > 0) return;
  clearTimeout(planned);
  planned = setTimeout(renew, after);
}

async function renew() {
  planned = 0;
  again = true;
  if (busy) return;
  busy = true;
  while (again) {
    const aside = !whole && document.querySelector('[data-shows="nothing"]');
    again = whole = false;
    last = performance.now();
    await refresh(aside ? `/side?${new URLSearchParams({of: location.pathname})}` : location.href);
  }
  busy = false;
}

function leave() {
  source?.close();
  source = null;
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) leave();
  else if (!source) { forget(); refresh(); connect(); }
});
addEventListener("pagehide", leave);
addEventListener("pageshow", connect);  // once all is there that the page needs
