// A conversation's page: who is there, pictures opened large, links copied, and the next conversation fetched before it
// is asked for.
import {behave} from "./behave.js";
import {alert, prefetch} from "./navigate.js";

const BEAT_MS = 20_000, FRESH_MS = 12_000;

// -- Who is there. The panel where one writes says so by an event: deskhand:writing, with {writing: true or false}.
behave("[data-presence]", page => {
  let doing = "looking", gone = false;
  const tell = (what, last = false) => {
    const body = new URLSearchParams({csrf: document.getElementById("frame").dataset.csrf, doing: what});
    fetch(page.dataset.presence, {method: "POST", body, keepalive: last}).catch(() => {});
  };
  const beat = () => { if (!document.hidden && !gone) tell(doing); };
  const heard = event => {
    const now = event.detail?.writing ? "writing" : "looking";
    if (now !== doing) { doing = now; beat(); }
  };
  const seen = () => { if (document.hidden) tell("gone", true); else beat(); };
  const leave = () => { if (!gone) tell("gone", true); };
  const timer = setInterval(beat, BEAT_MS);
  const first = setTimeout(beat, 300);  // who only passes by with J and K is not there
  document.addEventListener("deskhand:writing", heard);
  document.addEventListener("visibilitychange", seen);
  addEventListener("pagehide", leave);
  return () => {
    clearInterval(timer);
    clearTimeout(first);
    document.removeEventListener("deskhand:writing", heard);
    document.removeEventListener("visibilitychange", seen);
    removeEventListener("pagehide", leave);
    leave();
    gone = true;
  };
});

// -- The next and the previous conversation, fetched ahead, and again when what was fetched has grown old.
behave("a[data-prefetch]", link => {
  let at = 0;
  const ahead = () => {
    if (document.hidden || performance.now() - at < FRESH_MS) return;
    at = performance.now();
    prefetch(link.href);
  };
  const renewed = () => { at = 0; ahead(); };
  const soon = setTimeout(ahead, 60);
  document.addEventListener("pointermove", ahead, {passive: true});
  document.addEventListener("keydown", ahead, {passive: true});
  document.addEventListener("deskhand:refreshed", renewed);
  return () => {
    clearTimeout(soon);
    document.removeEventListener("pointermove", ahead);
    document.removeEventListener("keydown", ahead);
    document.removeEventListener("deskhand:refreshed", renewed);
  };
});

// -- A fact that is opened can be typed at once. Who presses it has it in focus, but not in Safari.
let pressed = null;
document.addEventListener("pointerdown", event => { pressed = event.target; }, true);
document.addEventListener("keydown", () => { pressed = null; }, true);
document.addEventListener("toggle", event => {
  const fact = event.target;
  if (!(fact instanceof HTMLDetailsElement) || !fact.open || !fact.matches(".fact") || !(fact.contains(document.activeElement) || fact.contains(pressed))) return;
  const field = fact.querySelector("form :is(input:not([type=hidden]), select, textarea)");
  field?.focus();
  if (field?.matches("input, textarea") && field.type !== "date") field.select?.();
}, true);

// -- Links to single messages.
behave("[data-copy-link]", button => {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(new URL(button.dataset.copyLink, location.href).href);
      alert("The link is copied.", false);
    } catch {
      alert("The browser does not let the link be copied.");
    }
    button.closest("details").open = false;
  });
});

// -- A message that a link means is opened, in which fold ever it lies.
function unfold() {
  const wanted = location.hash.startsWith("#thread-") && document.getElementById(location.hash.slice(1));
  if (!wanted) return;
  for (let fold = wanted.querySelector(":scope > details") ?? wanted.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  wanted.scrollIntoView({block: "start"});
}
addEventListener("hashchange", unfold);
document.addEventListener("deskhand:shown", unfold);
behave(".timeline", () => { if (location.hash) unfold(); });

// -- Pictures open large, and go from one to the next by the arrow keys.
document.addEventListener("click", event => {
  if (!(event.target instanceof Element) || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
  const link = event.target.closest("a[data-picture]");
  const inline = link ? null : event.target.closest('.body img.inline[src^="/attachments/"]');
  if (!link && (!inline || inline.closest("a"))) return;
  event.preventDefault();
  const all = [...document.querySelectorAll('a[data-picture], .body img.inline[src^="/attachments/"]')].filter(one => one.offsetParent);
  enlarge(all, all.indexOf(link ?? inline));
});

function enlarge(all, at) {
  const dialog = document.createElement("dialog");
  dialog.className = "picture-dialog";
  const picture = document.createElement("img"), bar = document.createElement("form"), name = document.createElement("span");
  const keep = document.createElement("a"), close = document.createElement("button");
  bar.method = "dialog";
  bar.className = "row";
  name.className = "clip";
  keep.className = "button end";
  keep.textContent = "Download";
  keep.dataset.whole = "";
  close.className = "button";
  close.textContent = "Close";
  bar.append(name, keep, close);
  const show = () => {
    const one = all[at], source = one.getAttribute("href") ?? one.getAttribute("src");
    picture.src = source;
    picture.alt = one.title || one.alt || "";
    dialog.setAttribute("aria-label", picture.alt || "Picture");
    name.textContent = picture.alt + (all.length > 1 ? `  (${at + 1} of ${all.length})` : "");
    keep.href = `${source}?download`;
    keep.download = "";
  };
  dialog.addEventListener("keydown", event => {
    const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
    if (!step) return;
    at = (at + step + all.length) % all.length;
    show();
    event.preventDefault();
  });
  dialog.addEventListener("click", event => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("close", () => dialog.remove());
  dialog.append(bar, picture);
  show();
  document.body.append(dialog);
  dialog.showModal();
  close.focus();
}
