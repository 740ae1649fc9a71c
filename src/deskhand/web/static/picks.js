// Lists to pick from while typing: saved replies after "/", colleagues after "@" in notes, customers in fields.
import {behave} from "./behave.js";
import {editorOf} from "./editor.js";
import {composing} from "./keys.js";
import {alert} from "./navigate.js";

const MOST = 8, FRESH_MS = 60_000;
const known = new Map();
let serial = 0;

async function fetched(url) {
  const kept = known.get(url);
  if (kept && Date.now() - kept.at < FRESH_MS) return kept.items;
  const answer = await fetch(url, {headers: {"Deskhand-Script": "1"}}).catch(() => null);
  const items = answer?.ok ? await answer.json() : [];
  known.set(url, {at: Date.now(), items});
  return items;
}

// Those that have all the words, the ones that begin with them first.
export function matching(items, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const rank = one => one.name.toLowerCase().startsWith(text.toLowerCase()) ? 0 : words.every(word => one.name.toLowerCase().includes(word)) ? 1 : 2;
  return items.filter(one => { const all = `${one.name} ${one.about}`.toLowerCase(); return words.every(word => all.includes(word)); })
    .sort((one, other) => rank(one) - rank(other)).slice(0, MOST);
}

// A list under a field. `pick` is called with what was chosen.
function listbox(owner, label, pick) {
  const box = document.createElement("div"), id = `picks-${++serial}`;
  box.className = "picks";
  box.id = id;
  box.setAttribute("role", "listbox");
  box.setAttribute("aria-label", label);
  box.hidden = true;
  let items = [], at = 0;
  box.addEventListener("mousedown", event => {
    event.preventDefault();
    const one = event.target.closest("[role=option]");
    if (one) pick(items[Number(one.dataset.at)]);
  });
  const list = {
    box,
    get open() { return !box.hidden; },
    show(found, nothing = "") {
      items = found;
      at = 0;
      box.replaceChildren(...found.map((one, number) => option(one, number, `${id}-${number}`)));
      if (!found.length && nothing) { const none = document.createElement("p"); none.className = "quiet small"; none.textContent = nothing; box.append(none); }
      box.hidden = !box.firstChild;
      owner.setAttribute("aria-controls", id);
      mark();
    },
    hide() { box.hidden = true; items = []; owner.removeAttribute("aria-activedescendant"); },
    // Whether the key was for the list.
    key(event) {
      if (box.hidden || composing(event)) return false;
      if (event.key === "Escape") { list.hide(); return true; }
      if (!items.length) return false;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") { at = (at + (event.key === "ArrowDown" ? 1 : -1) + items.length) % items.length; mark(); return true; }
      if (event.key === "Enter" && !event.ctrlKey && !event.metaKey || event.key === "Tab") { pick(items[at]); return true; }
      return false;
    },
  };
  function mark() {
    [...box.children].forEach((one, number) => one.getAttribute("role") && one.setAttribute("aria-selected", String(number === at)));
    if (items.length) { owner.setAttribute("aria-activedescendant", `${id}-${at}`); box.children[at].scrollIntoView({block: "nearest"}); }
  }
  return list;
}

function option(one, number, id) {
  const made = document.createElement("div"), name = document.createElement("span"), about = document.createElement("span");
  made.className = "item";
  made.id = id;
  made.dataset.at = number;
  made.setAttribute("role", "option");
  name.textContent = one.name;
  about.className = "quiet small clip";
  about.textContent = one.about;
  made.append(name, about);
  return made;
}

// -- In the editor

behave("[data-editor]", box => {
  const section = box.closest("[data-writing]"), editor = editorOf(box);
  if (!section || !editor) return;
  const note = editor.form.dataset.writeForm === "note", root = editor.root;
  let sign = "";
  const list = listbox(root, note ? "Colleagues" : "Saved replies", one => choose(one));
  box.append(list.box);

  function typedSoFar() {
    const selection = getSelection(), node = selection.anchorNode;
    if (!selection.isCollapsed || node?.nodeType !== Node.TEXT_NODE || !root.contains(node) || node.parentElement.closest("pre, code")) return null;
    const before = node.data.slice(0, selection.anchorOffset);
    const found = /(?:^|[\s\u00a0(])([/@])([^/@\n]{0,40})$/.exec(before);
    if (!found || (found[1] === "@") !== note) return null;
    if (found[2].startsWith(" ") || found[2].startsWith("\u00a0")) return null;
    return {sign: found[1], text: found[2].replace(/\u00a0/g, " "), from: before.length - found[2].length - 1, node, to: before.length};
  }

  async function look() {
    const typed = typedSoFar();
    if (!typed) { list.hide(); return; }
    sign = typed.sign;
    const inbox = section.dataset.inbox;
    const items = await fetched(`/inboxes/${inbox}/${sign === "@" ? "colleagues" : "saved-replies"}`);
    const now = typedSoFar();
    if (!now) { list.hide(); return; }
    const found = matching(items, now.text);
    if (!found.length && (now.text.includes(" ") || now.text.length > 12)) { list.hide(); return; }
    list.show(found, sign === "@" ? "" : items.length ? "No saved reply has these words" : "This inbox has no saved replies yet");
    place(now);
  }

  function place(typed) {
    const range = document.createRange();
    range.setStart(typed.node, typed.from);
    range.setEnd(typed.node, typed.to);
    const at = range.getBoundingClientRect(), around = box.getBoundingClientRect();
    list.box.style.insetBlockStart = `${at.bottom - around.top + 4}px`;
    list.box.style.insetInlineStart = `${Math.max(0, Math.min(at.left - around.left, around.width - list.box.offsetWidth))}px`;
  }

  async function choose(one) {
    const typed = typedSoFar();
    list.hide();
    if (!typed) return;
    const range = document.createRange();
    range.setStart(typed.node, typed.from);
    range.setEnd(typed.node, typed.to);
    if (sign === "@") {
      put(range, `@${one.name} `);
      return;
    }
    const inbox = section.dataset.inbox, conversation = section.dataset.conversation;
    const answer = await fetch(`/inboxes/${inbox}/saved-replies/${one.id}?conversation=${conversation ?? ""}`, {headers: {"Deskhand-Script": "1"}}).catch(() => null);
    if (!answer?.ok) { alert("The saved reply could not be fetched. Please try again."); return; }
    const found = await answer.json();
    put(range, found.html);
    const field = editor.form.elements.saved_reply_id;
    if (field) field.value = found.id;
  }

  function put(range, html) {
    root.focus();
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    document.execCommand("delete");
    if (html.startsWith("@")) { document.execCommand("insertText", false, html); editor.changed(); } else editor.insert(html);
  }

  root.addEventListener("input", look);
  root.addEventListener("keydown", event => {
    if (list.key(event)) { event.preventDefault(); event.stopPropagation(); }
  });
  root.addEventListener("blur", () => setTimeout(() => list.hide(), 100));
});

// -- In fields

behave("input[data-suggest]", input => {
  const list = listbox(input, "Customers", one => {
    const before = input.value.split(/[,;]/).slice(0, -1).map(part => part.trim());
    input.value = [...before, one.about].join(", ");
    list.hide();
    input.dispatchEvent(new Event("change", {bubbles: true}));
  });
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-expanded", "false");
  input.setAttribute("aria-autocomplete", "list");
  input.parentElement.classList.add("has-picks");
  input.after(list.box);
  let timer = 0;
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const text = input.value.split(/[,;]/).at(-1).trim();
      const found = text.length > 1 ? await fetched(`${input.dataset.suggest}?q=${encodeURIComponent(text)}`) : [];
      if (input.value.split(/[,;]/).at(-1).trim() !== text || document.activeElement !== input) return;
      list.show(found);
      input.setAttribute("aria-expanded", String(list.open));
    }, 120);
  });
  input.addEventListener("keydown", event => { if (list.key(event)) { event.preventDefault(); event.stopPropagation(); } });
  input.addEventListener("blur", () => setTimeout(() => { list.hide(); input.setAttribute("aria-expanded", "false"); }, 100));
});
