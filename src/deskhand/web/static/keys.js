// Keys: an element with data-key="r" is pressed, or if it is a field put in focus, by that key. data-key="g i" takes two
// keys, one after the other. "?" shows all keys that this page has.

const SECOND_MS = 1200;
const own = new Map();
let before = "", at = 0;

// Have a key do something that no element stands for; `label` is for the list of keys.
export function key(name, label, act) { own.set(name, {label, act}); }

// Whether a key is for putting letters together, as with Japanese: Safari tells it by the code alone of the key that ends it.
export function composing(event) { return event.isComposing || event.keyCode === 229; }

export function writing(target) {
  return target instanceof Element && Boolean(target.closest("input:not([type=checkbox], [type=radio], [type=button], [type=submit]), textarea, select, [contenteditable=true]"));
}

function press(element) {
  if (element.matches("input:not([type=checkbox]), textarea, select, [contenteditable=true]")) { element.focus(); return; }
  if (element.matches("summary")) { element.parentElement.open = !element.parentElement.open; return; }
  element.click();
}

function named(name) {
  const found = [...document.querySelectorAll(`[data-key="${CSS.escape(name)}"]`)].filter(one => one.offsetParent || one.matches("[data-key-hidden]"));
  // What was just done is undone first; what the page itself has is meant before what stands at its side.
  return found.find(one => one.closest("#said")) ?? found.find(one => one.closest("main")) ?? found[0];
}

document.addEventListener("keydown", event => {
  if (event.defaultPrevented || composing(event) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (writing(event.target) || document.querySelector("dialog[open]")) return;
  const now = performance.now();
  const pair = now - at < SECOND_MS ? `${before} ${event.key}` : "";
  const element = (pair && named(pair)) || named(event.key);
  const mine = (pair && own.get(pair)) || own.get(event.key);
  before = event.key;
  at = now;
  if (mine) { event.preventDefault(); before = ""; mine.act(event); }
  else if (element) { event.preventDefault(); before = ""; press(element); }
  else if (event.key === "?") { event.preventDefault(); list(); }
});

function list() {
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-labelledby", "keys-title");
  const body = document.createElement("div");
  body.className = "pad stack";
  const title = document.createElement("h2");
  title.id = "keys-title";
  title.textContent = "Keys on this page";
  const table = document.createElement("table"), rows = table.createTBody();
  // What this page has comes first, then what all pages have.
  const shown = new Map([...own].map(([name, one]) => [name, one.label])), all = [...document.querySelectorAll("[data-key]")];
  for (const one of [...all.filter(one => one.closest("main")), ...all.filter(one => !one.closest("main"))]) {
    if (shown.has(one.dataset.key)) continue;
    if (one.offsetParent || one.matches("[data-key-hidden]")) shown.set(one.dataset.key, one.dataset.keyLabel ?? one.getAttribute("aria-label") ?? one.textContent.trim().replace(/\s+/g, " "));
  }
  shown.set("?", "Show these keys");
  for (const [name, label] of shown) {
    const row = rows.insertRow();
    row.insertCell().append(...name.split(" ").flatMap((part, at) => at ? [" ", cap(part)] : [cap(part)]));
    row.insertCell().textContent = label;
  }
  const form = document.createElement("form");
  form.method = "dialog";
  const close = document.createElement("button");
  close.className = "button";
  close.textContent = "Close";
  form.append(close);
  const head = document.createElement("header");
  head.className = "row keys-head";
  form.className = "end";
  head.append(title, form);
  body.append(table);
  dialog.className = "keys";
  dialog.append(head, body);
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.showModal();
}

function cap(text) {
  const made = document.createElement("kbd");
  made.textContent = {" ": "Space", ArrowDown: "↓", ArrowUp: "↑", Escape: "Esc"}[text] ?? (text.length > 1 || text.toLowerCase() === text ? text.toUpperCase() : `Shift ${text}`);
  return made;
}
