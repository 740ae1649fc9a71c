// The palette: Ctrl or Cmd and K opens it. What is typed finds pages, folders, views, people, conversations by number, and
// what can be done on this page.
import {composing, writing} from "./keys.js";
import {visit} from "./navigate.js";

const TYPING_MS = 120;

document.addEventListener("keydown", event => {
  if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
  if (event.target instanceof Element && event.target.closest("[contenteditable=true]") && String(getSelection())) return;
  event.preventDefault();
  const shown = document.querySelector("dialog.palette");
  if (shown) shown.close(); else if (!document.querySelector("dialog[open]")) open();
});
document.addEventListener("click", event => {
  if (!(event.target instanceof Element) || !event.target.closest("[data-palette]") || event.defaultPrevented) return;
  event.preventDefault();
  event.stopPropagation();
  open();
}, true);

function open() {
  const before = document.activeElement, dialog = document.createElement("dialog");
  dialog.className = "palette";
  dialog.setAttribute("aria-label", "Go to or do");
  const field = document.createElement("input"), list = document.createElement("div");
  Object.assign(field, {type: "search", placeholder: "Go to or do …", autocomplete: "off", spellcheck: false});
  for (const [name, value] of Object.entries({role: "combobox", "aria-expanded": "true", "aria-controls": "palette-goals", "aria-autocomplete": "list", "aria-label": "Go to or do"})) field.setAttribute(name, value);
  list.id = "palette-goals";
  list.className = "goals";
  list.tabIndex = 0;  // it scrolls
  dialog.append(field, list);
  document.body.append(dialog);
  const actions = doable(before);
  // The folder that the side bar marks, if it marks one.
  const of = document.querySelector("#side .inbox [aria-current]")?.getAttribute("href") ?? "";
  let timer = 0, turn = 0, found = null;

  const options = () => [...list.querySelectorAll("[role=option]")];
  const at = () => options().findIndex(one => one.getAttribute("aria-selected") === "true");

  function mark(index) {
    options().forEach((one, place) => one.setAttribute("aria-selected", String(place === index)));
    const one = options()[index];
    if (one) { field.setAttribute("aria-activedescendant", one.id); one.scrollIntoView({block: "nearest"}); }
  }

  function take(one) {
    if (!one) return;
    dialog.close();
    if (one.dataset.path) visit(one.dataset.path);
    else actions[Number(one.dataset.action)].act();
  }

  // Who types fast means what they typed, not what was found before.
  async function choose() {
    if (found !== field.value.trim()) { clearTimeout(timer); await look(); }
    if (dialog.open && found === field.value.trim()) take(options()[at()]);
  }

  async function look() {
    const mine = ++turn, typed = field.value.trim();
    const answer = await fetch(`/palette?${new URLSearchParams({q: typed, at: location.pathname, of})}`, {headers: {"Deskhand-Script": "1"}}).catch(() => null);
    if (!answer?.ok || mine !== turn) return;
    const made = new DOMParser().parseFromString(await answer.text(), "text/html");
    const goals = document.importNode(made.querySelector("[role=listbox]"), true);
    const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length) {
      const fitting = actions.map((one, index) => [one, index]).filter(([one]) => words.every(word => one.label.toLowerCase().includes(word)));
      goals.prepend(...fitting.slice(0, 8).map(([one, index]) => option(one, index)));
    }
    list.replaceChildren(goals);
    found = typed;
    mark(0);
  }

  field.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(look, TYPING_MS); });
  field.addEventListener("keydown", event => {
    if (composing(event)) return;
    const move = {ArrowDown: 1, ArrowUp: -1}[event.key], many = options().length;
    if (move && many) { mark((at() + move + many) % many); event.preventDefault(); }
    else if (event.key === "Enter") { event.preventDefault(); choose(); }
  });
  list.addEventListener("click", event => take(event.target.closest("[role=option]")));
  dialog.addEventListener("pointerdown", event => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("close", () => { clearTimeout(timer); dialog.remove(); if (document.activeElement === document.body) before?.focus?.({preventScroll: true}); });
  dialog.showModal();
  look();
}

// What has a key on this page can be done from the palette as well.
function doable(before) {
  const found = new Map();
  for (const one of document.querySelectorAll("[data-key]")) {
    if (!one.offsetParent && !one.matches("[data-key-hidden]")) continue;
    const label = one.dataset.keyLabel ?? one.getAttribute("aria-label") ?? one.textContent.trim().replace(/\s+/g, " ");
    if (!label || one.closest("#side") || found.has(label)) continue;
    found.set(label, {label, key: one.dataset.key, act: () => {
      before?.focus?.({preventScroll: true});
      if (writing(one)) one.focus();
      else if (one.matches("summary")) one.parentElement.open = true;
      else one.click();
    }});
  }
  return [...found.values()];
}

function option(one, index) {
  const made = document.createElement("div"), name = document.createElement("span"), key = document.createElement("span");
  made.className = "item";
  made.id = `action-${index}`;
  made.dataset.action = index;
  made.setAttribute("role", "option");
  name.className = "clip";
  name.textContent = one.label;
  key.className = "key";
  key.textContent = one.key;
  made.append(name, key);
  return made;
}
