// A list of conversations by keyboard: arrows or J and K go through it, X and Shift choose, letters change what is chosen.
import {behave} from "./behave.js";
import {alert, prefetch} from "./navigate.js";

const chosen = new Map();  // by the address of the list: which conversations are chosen, however often it is shown anew
let last = null;           // the row that was chosen or left out last, where ranges begin
let seen = {list: "", rows: []};  // the list as it was shown last: each row's conversation and address
let place = spot("");      // where one is, for when the list is shown anew
let lent = null;           // a row that is chosen only as long as a menu is open

const form = () => document.getElementById("list-form");
const rows = () => [...document.querySelectorAll("#list [data-row]")];
const box = row => row?.querySelector(".pick");
const link = row => row?.querySelector("a.open");
const here = () => document.activeElement?.closest?.("#list [data-row]") ?? document.querySelector("#list [data-row].at");
const kept = () => {
  const name = form().dataset.list;
  if (!chosen.has(name)) chosen.set(name, new Set());
  return chosen.get(name);
};

function spot(row) {
  const index = seen.rows.findIndex(one => one.row === row), ids = seen.rows.map(one => one.row);
  return {list: seen.list, row, index: Math.max(0, index), href: seen.rows[index]?.href, before: ids.slice(0, Math.max(0, index)).reverse(), after: ids.slice(index + 1)};
}

// A conversation that was answered or changed is somewhere else in the list, which its address tells: it has the place.
const moved = row => place.list === form().dataset.list && row?.dataset.row === place.row && link(row).href !== place.href;

// The first of some rows that is still there.
function firstOf(ids) {
  const all = rows();
  return ids.map(id => all.find(one => one.dataset.row === id)).find(Boolean);
}

// Who is on one that moved goes on from where it was.
function beside(row, by) {
  const all = rows();
  return moved(row) ? firstOf(by > 0 ? place.after : place.before) : all[all.indexOf(row) + by];
}

function stand(row) {
  for (const one of rows()) one.classList.toggle("at", one === row);
  if (!moved(row)) place = spot(row.dataset.row);
}

function go(row, {focus = true} = {}) {
  if (!row) return;
  stand(row);
  if (focus) link(row).focus({preventScroll: true});
  row.scrollIntoView({block: "nearest"});
  prefetch(link(row).href);
}

function step(by) {
  const all = rows(), row = here();
  if (!all.length) return null;
  const next = row ? beside(row, by) : all[by > 0 ? 0 : all.length - 1];
  if (next) go(next);
  else if (row) document.querySelector(by > 0 ? ".list-pages [rel=next]" : ".list-pages [rel=prev]")?.focus();
  return next;
}

function choose(row, on = true) {
  const tick = box(row);
  if (!tick || tick.disabled) return;
  tick.checked = on;
  if (on) kept().add(row.dataset.row); else kept().delete(row.dataset.row);
  last = row.dataset.row;
  tell();
}

function range(row, on) {
  const all = rows(), from = all.findIndex(one => one.dataset.row === last), to = all.indexOf(row);
  if (from < 0) { choose(row, on); return; }
  for (const one of all.slice(Math.min(from, to), Math.max(from, to) + 1)) choose(one, on);
  last = row.dataset.row;
}

function tell() {
  const page = form();
  if (!page) return;
  const all = rows(), ticked = all.filter(one => box(one).checked), every = page.querySelector("[data-pick-every]");
  if (every && ticked.length < all.length) every.checked = false;
  const total = Number(document.getElementById("list").dataset.total);
  const n = every?.checked ? total : ticked.length;
  page.querySelector("[data-chosen]").textContent = `${n.toLocaleString("en")} chosen`;
  const whole = page.querySelector("[data-pick-all]");
  whole.checked = ticked.length > 0 && ticked.length === all.length;
  whole.indeterminate = ticked.length > 0 && ticked.length < all.length;
  for (const one of all) one.classList.toggle("chosen", box(one).checked);
  const inboxes = new Set(ticked.map(one => one.dataset.inbox));
  for (const one of page.querySelectorAll("[data-sees]")) {  // whoever doesn't see all that are chosen can't have them
    const sees = one.dataset.sees.split(" ");
    one.classList.toggle("unfit", [...inboxes].some(id => !sees.includes(id)));
  }
}

function none() {
  kept().clear();
  form().reset();
  last = null;
  tell();
}

// What is done applies to what is chosen, or else to the row in focus.
function lend() {
  if (rows().some(one => box(one).checked)) return true;
  const row = here() ?? rows()[0];
  if (!row) { alert("There is no conversation here."); return false; }
  go(row, {focus: false});
  choose(row);
  lent = row.dataset.row;
  return true;
}

// A key that changes something at once never takes a conversation that nobody has pointed at.
function standing() {
  const known = here() || rows().some(one => box(one).checked);
  if (!known) alert(rows().length ? "Choose a conversation first: J goes to the first one." : "There is no conversation here.");
  return known;
}

function giveBack() {
  if (!lent) return;
  const row = document.querySelector(`#list [data-row="${CSS.escape(lent)}"]`);
  lent = null;
  if (row) { choose(row, false); link(row).focus({preventScroll: true}); }
}

const acts = {
  next: () => step(1),
  before: () => step(-1),
  open: () => link(here())?.click(),
  pick: () => { const row = here() ?? step(1); if (row) choose(row, !box(row).checked); },
  "pick-next": () => { const row = here(); if (row) choose(row); const next = step(1); if (next) choose(next); },
  "pick-before": () => { const row = here(); if (row) choose(row); const next = step(-1); if (next) choose(next); },
  "pick-all": () => { const all = rows(), on = !all.every(one => box(one).checked); for (const row of all) choose(row, on); },
};

function act(does) {
  const [what, name] = does.split(" ");
  if (acts[does]) acts[does]();
  else if (what === "menu") {
    const menu = document.getElementById(`bulk-${name}`);
    if (menu && lend()) menu.open = true;
  } else if (what === "send" && standing() && lend()) {
    const button = form().querySelector(`button[name="do"][value="${CSS.escape(name)}"]`);
    if (button) form().requestSubmit(button); else giveBack();
  }
}

behave("[data-key][data-do]", button => button.addEventListener("click", () => act(button.dataset.do)));

behave("#list-form", page => {
  page.querySelector("[data-pick-all]").hidden = false;
  page.addEventListener("change", event => {
    if (event.target.matches("[data-pick-all]")) { for (const row of rows()) choose(row, event.target.checked); return; }
    if (event.target.matches("[data-pick-every]")) { if (event.target.checked) for (const row of rows()) choose(row); tell(); }
  });
  page.addEventListener("click", event => {
    const row = event.target.closest("[data-row]"), tick = event.target.closest(".pick");
    if (row && tick) {
      if (event.shiftKey) range(row, tick.checked); else choose(row, tick.checked);
      go(row, {focus: false});
    } else if (row && event.shiftKey && event.target.closest("a.open")) {
      event.preventDefault();
      getSelection().removeAllRanges();
      range(row, true);
    }
  });
  page.addEventListener("reset", () => { kept().clear(); last = null; setTimeout(tell); });
  page.addEventListener("submit", () => { lent = null; kept().clear(); });
  page.addEventListener("toggle", event => { if (!event.target.open && event.target.matches(".menu")) setTimeout(giveBack, 150); }, true);
  page.addEventListener("keydown", event => {
    if (event.key !== "Escape" || document.querySelector("details.menu[open]")) return;
    if (kept().size) { none(); event.preventDefault(); }
  });
  page.addEventListener("focusin", event => {
    const row = event.target.closest("[data-row]");
    if (row) stand(row);
  });
});

// Whoever comes back to a list goes on where they were.
document.addEventListener("deskhand:shown", () => {
  const row = form() && document.querySelector("#list [data-row].at");
  if (row && document.activeElement?.id === "main") link(row).focus({preventScroll: true});
});

// Whoever goes from conversation to conversation comes back to the one they were at last.
behave("[data-conversation]", page => {
  const id = page.dataset.conversation, up = page.querySelector('a[data-key="u"]')?.getAttribute("href");
  if (up === seen.list && id !== place.row && seen.rows.some(one => one.row === id)) place = spot(id);
});

// The list was shown anew: what was chosen stays chosen, where one was stays where one is.
behave("#list", list => {
  const known = new Set(rows().map(one => one.dataset.row));
  for (const id of kept()) if (!known.has(id)) kept().delete(id);
  for (const row of rows()) box(row).checked = kept().has(row.dataset.row);
  tell();
  const all = rows();
  seen = {list: form().dataset.list, rows: all.map(one => ({row: one.dataset.row, href: link(one).href}))};
  if (place.list === seen.list && place.row && all.length) {
    const there = all.find(one => one.dataset.row === place.row);
    if (there && !moved(there)) place = spot(place.row);
    const row = there ?? firstOf(place.after) ?? all[Math.min(place.index, all.length - 1)];
    for (const one of all) one.classList.toggle("at", one === row);
  }
  let timer = 0;
  list.addEventListener("pointerover", event => {
    const row = event.target.closest("[data-row]");
    clearTimeout(timer);
    if (row) timer = setTimeout(() => prefetch(link(row).href), 80);
  });
  list.addEventListener("pointerdown", () => clearTimeout(timer));  // the press itself fetches it
  return () => clearTimeout(timer);
});
