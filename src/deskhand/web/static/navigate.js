// Going from page to page without loading the frame anew: the page is fetched, its parts are put in place of the old.
// The server knows nothing of this; what can't be fetched is loaded by the browser as ever.
import {apply} from "./behave.js";
import {writing} from "./keys.js";

const KEPT_MS = 15_000, PRESSED_MOST_MS = 2000, ANSWERED_MS = 30_000;
const OURS = new URL(".", import.meta.url).href;  // pages of a newer server load scripts from elsewhere, and all anew
const fetched = new Map();
let current = 0;
let pressed = false;   // between pressing and releasing nothing is replaced, or the click would be lost
let withheld = false;  // something was in use and so was not shown anew
let shown = bare(location.href);

// Fetch a page ahead of time, because it is likely to be wanted next.
export function prefetch(url) {
  const address = new URL(url, location.href).href;
  const kept = fetched.get(address);
  if (kept && performance.now() - kept.at < KEPT_MS) return kept.page;
  const page = load(address).catch(() => null);
  fetched.set(address, {at: performance.now(), page});
  if (fetched.size > 8) fetched.delete(fetched.keys().next().value);
  return page;
}

// What was fetched ahead may be out of date: something has changed.
export function forget() { fetched.clear(); }

// Go to a page. Resolves once it is shown.
export async function visit(url, {replace = false, keep = false, back = false} = {}) {
  const address = new URL(url, location.href);
  const turn = ++current;
  const kept = fetched.get(address.href.split("#")[0]);
  fetched.delete(address.href.split("#")[0]);
  const fresh = kept && performance.now() - kept.at < KEPT_MS ? kept.page : load(address.href);
  let page = null;
  try { page = await fresh; } catch (problem) { if (problem.name === "AbortError") return; }
  if (turn !== current) return;
  if (!page || page.renewed) { location.href = address.href; return; }
  if (!back) leave();  // the browser has moved on by itself already
  if (replace) history.replaceState(back ? history.state : {}, "", page.url + address.hash);
  else if (page.url + address.hash !== location.href) history.pushState({}, "", page.url + address.hash);
  show(page.document, {top: !keep, hash: address.hash});
}

// The page has another address from here on, under which it is found again as it stands.
export function rename(url) {
  const address = new URL(url, location.href).href;
  if (address === location.href) return;
  history.replaceState(history.state, "", address);
  shown = bare(address);
}

// Show this page anew, what is being written and looked at left as it is. `from` has the parts that may have changed.
export async function refresh(from = location.href) {
  if (document.querySelector("form[aria-busy]")) return; // what it leads to is fresh, and this page may be gone
  const here = location.href, turn = current;
  const page = await load(from).catch(() => null);
  if (pressed) await Promise.race([new Promise(resolve => addEventListener("deskhand:released", resolve, {once: true})), new Promise(resolve => setTimeout(resolve, PRESSED_MOST_MS))]);
  if (!page || turn !== current || here !== location.href) return;
  withheld = false;
  for (const fresh of page.document.querySelectorAll("[data-live]")) {
    const old = document.querySelector(`[data-live="${CSS.escape(fresh.dataset.live)}"]`);
    if (!old) continue;
    for (const one of old.querySelectorAll("details[id]")) fresh.querySelector(`#${CSS.escape(one.id)}`)?.toggleAttribute("open", one.open);
    if (!inUse(old)) replaceIfChanged(old, fresh);
    else withheld ||= !same(old, fresh);
  }
  say(page.document);
  apply(document);
  document.dispatchEvent(new CustomEvent("deskhand:refreshed"));
}

// Send a form and show the page it leads to. `submitter` is the button that was pressed.
export async function submit(form, submitter) {
  const data = new FormData(form, submitter);
  const url = submitter?.hasAttribute("formaction") ? submitter.formAction : form.action;
  const method = (submitter?.getAttribute("formmethod") ?? form.method).toLowerCase();
  if (method === "get") {
    const address = new URL(url);
    address.search = new URLSearchParams(data).toString();
    return visit(address.href);
  }
  const multipart = (submitter?.getAttribute("formenctype") ?? form.enctype) === "multipart/form-data";
  if (form.hasAttribute("aria-busy")) return; // pressed twice
  form.setAttribute("aria-busy", "true");
  // Whoever keeps what was typed need not any more, or must again.
  const answered = done => form.dispatchEvent(new CustomEvent("deskhand:answered", {detail: {done}}));
  let done = false;
  try {
    const turn = ++current;
    const answer = await fetch(url, {method: "POST", body: multipart ? data : new URLSearchParams(data), headers: {"Deskhand-Script": "1"}});
    const signedOut = new URL(answer.url).pathname === "/sign-in";
    done = answer.ok && !signedOut;
    if (done) answered(true);
    if (turn !== current) return;
    forget();
    if (signedOut) { location.href = `/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`; return; }
    const page = await read(answer);
    if (!page || (page.renewed && answer.ok)) { location.href = answer.url; return; }
    if (!answer.ok && page.document.querySelector("[role=alert]") && !page.document.querySelector("[data-form]")) {
      alert(page.document.querySelector("[role=alert]").textContent.trim());
      return;
    }
    leave();
    const keep = samePage(page.url);
    if (answer.redirected && page.url !== location.href) history.pushState({}, "", page.url);
    show(page.document, {top: !keep});
  } catch {
    alert("Deskhand can't be reached. Please try again.");
  } finally {
    form.removeAttribute("aria-busy");
    if (!done) answered(false);
  }
}

// Say something in words, as the server does after a form.
export function alert(text, fault = true) {
  const box = document.getElementById("said");
  const said = document.createElement("div");
  said.className = fault ? "fault" : "";
  said.textContent = text;
  box.replaceChildren(said);
  vanish(said, 8);
}

function load(address) {
  return fetch(address, {headers: {"Deskhand-Script": "1"}, signal: AbortSignal.timeout(ANSWERED_MS)}).then(answer => answer.ok || answer.status < 500 ? read(answer) : null);
}

async function read(answer) {
  if (!(answer.headers.get("content-type") ?? "").startsWith("text/html")) return null;
  const made = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (!made.getElementById("main") || !made.getElementById("frame")) return null;
  const scripts = [...made.querySelectorAll("script[src]")].map(script => script.src);
  const renewed = !scripts.every(script => script.startsWith(OURS));
  // What it loads is there before it is shown; without that it works all the same.
  if (!renewed) await Promise.allSettled(scripts.map(script => import(script)));
  return {url: answer.url, document: made, renewed};
}

function leave() {
  history.replaceState({...history.state, top: scrollY}, "");
}

function bare(url) { return url.split("#")[0]; }

function show(made, {top = true, hash = ""} = {}) {
  shown = bare(location.href);
  document.title = made.title;
  document.documentElement.dataset.theme = made.documentElement.dataset.theme;
  replaceIfChanged(document.getElementById("side"), made.getElementById("side"));
  document.getElementById("frame").dataset.csrf = made.getElementById("frame").dataset.csrf;
  const main = made.getElementById("main");
  document.getElementById("main").replaceWith(main);
  say(made);
  apply(document);
  const goal = hash && document.getElementById(decodeURIComponent(hash.slice(1)));
  if (goal) goal.scrollIntoView();
  else if (top) scrollTo(0, 0);
  (main.querySelector("[autofocus]") ?? main).focus({preventScroll: true});
  document.dispatchEvent(new CustomEvent("deskhand:shown"));
}

// Whether somebody has a menu open there or has typed something.
function inUse(part) {
  return part.querySelector("details.menu[open]")
    || [...part.querySelectorAll("input:not([type=hidden]), textarea, select")].some(one => writing(one) && (one === document.activeElement || one.value !== (one.defaultValue ?? one.value)));
}

// Whether both show the same; where one is in a list and what is chosen there is the script's.
function same(old, fresh) {
  const plain = old.cloneNode(true);
  for (const row of plain.querySelectorAll(".row-of")) row.classList.remove("at", "chosen");
  return plain.isEqualNode(fresh);
}

function replaceIfChanged(old, fresh) {
  if (same(old, fresh)) return;
  const held = old.contains(document.activeElement) ? document.activeElement : null;
  const open = new Set([...old.querySelectorAll("details[open][id]")].map(one => one.id));
  const made = document.importNode(fresh, true);
  for (const id of open) made.querySelector(`details#${CSS.escape(id)}`)?.setAttribute("open", "");
  const scrolled = old.scrollTop;
  old.replaceWith(made);
  made.scrollTop = scrolled;
  if (held?.id) document.getElementById(held.id)?.focus({preventScroll: true});
}

function say(made) {
  const fresh = made.getElementById("said")?.firstElementChild;
  if (!fresh) return;
  const said = document.importNode(fresh, true);
  document.getElementById("said").replaceChildren(said);
  vanish(said, Number(said.querySelector("[data-seconds]")?.dataset.seconds ?? 6));
}

function vanish(said, seconds) {
  setTimeout(() => { if (!said.matches(":hover, :focus-within")) said.remove(); else vanish(said, 2); }, seconds * 1000);
}

function samePage(url) {
  return new URL(url).pathname === location.pathname;
}

function ours(link, event) {
  return link && !event.defaultPrevented && event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
    && link.origin === location.origin && !link.target && !link.hasAttribute("download") && !link.closest("[data-whole]")
    && !(link.pathname === location.pathname && link.search === location.search && link.hash);
}

document.addEventListener("click", event => {
  const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
  if (!ours(link, event)) return;
  event.preventDefault();
  visit(link.href);
});
document.addEventListener("submit", event => {
  const form = event.target;
  if (event.defaultPrevented || form.closest("[data-whole]") || form.method === "dialog") return;
  if (new URL(form.action).origin !== location.origin) return;
  event.preventDefault();
  submit(form, event.submitter);
});
addEventListener("popstate", async event => {
  if (bare(location.href) === shown) return;  // it is only another place of this page
  const top = event.state?.top ?? 0;
  await visit(location.href, {replace: true, keep: true, back: true});
  if (event.state || !location.hash) scrollTo(0, top);
});
let scrolled = 0;
addEventListener("scroll", () => {
  clearTimeout(scrolled);
  scrolled = setTimeout(() => { if (bare(location.href) === shown) leave(); }, 100);
}, {passive: true});
addEventListener("pointerdown", () => { pressed = true; }, true);
for (const name of ["pointerup", "pointercancel", "dragend", "blur"]) addEventListener(name, event => {
  if (name === "blur" && event.target !== window) return;
  pressed = false;
  setTimeout(() => dispatchEvent(new Event("deskhand:released")));  // the click comes first
}, true);
document.addEventListener("toggle", event => { if (withheld && !event.target.open) refresh(); }, true);
document.addEventListener("focusout", () => setTimeout(() => { if (withheld) refresh(); }));
const side = document.getElementById("side");  // among many inboxes one sees the one that is open
const foot = side?.querySelector(".foot"), covered = foot && getComputedStyle(foot).position === "sticky" ? foot.offsetHeight : 0;
const seen = side ? side.clientHeight - covered : 0;
for (const one of side?.querySelectorAll(".inbox[open] a:last-child, a[aria-current]") ?? []) {
  if (!one.closest(".foot") && one.offsetTop + one.offsetHeight > side.scrollTop + seen) side.scrollTop = one.offsetTop + one.offsetHeight - seen;
}
const first = document.getElementById("said")?.firstElementChild;
if (first) vanish(first, Number(first.querySelector("[data-seconds]")?.dataset.seconds ?? 6));
