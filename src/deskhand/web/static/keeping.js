// What is being written is kept on the server every few seconds, and in the tab until the server has it: so it is there
// again after a reload, a lost line or a sign-in.
import {attaching} from "./attaching.js";
import {editorOf} from "./editor.js";
import {alert, forget, rename, visit} from "./navigate.js";

const AFTER_MS = 1200, LATEST_MS = 4000, TIMEOUT_MS = 15_000, BEACON_MOST = 60_000;
const COPIED = "input:not([type=hidden], [type=file], [type=checkbox], [type=radio], [type=datetime-local]), select";
const CHOSEN = new Set(["kind", "with_files"]);

// Whoever shows who is writing is told by this.
export function writes(writing) { document.dispatchEvent(new CustomEvent("deskhand:writing", {detail: {writing}})); }

// Has a form kept; `show` opens it. Gives what is to be done when it goes.
export function keeping(section, form, show) {
  const kind = form.dataset.writeForm, conversation = section.dataset.conversation;
  const url = form.dataset.keeps, onServer = Boolean(url), key = form.elements.unsent?.value;
  const said = form.querySelector("[data-kept]");
  const copy = copyOf(`deskhand:writing:${section.dataset.user}:${conversation ?? key}:${kind}`, form);
  const choice = form.querySelector("[data-elsewhere]");
  let timer = 0, since = 0, dirty = false, sent = false, under_way = null, other = null;

  const typed = () => {
    if (conversation) writes(!editorOf(form)?.empty);
    copy.keep();
    if (!onServer) return;
    if (kind === "new") rename(`/new?unsent=${key}`);  // which shows it, after a reload too
    dirty = true;
    sent = false;
    const now = Date.now();
    since ||= now;
    plan(Math.max(0, Math.min(AFTER_MS, since + LATEST_MS - now)));
  };
  const plan = after => { clearTimeout(timer); timer = setTimeout(keep, after); };

  // One after the other, so that an older text never comes after a newer one.
  async function keep() {
    clearTimeout(timer);
    if (!dirty || sent || under_way || other || !form.isConnected) return;
    dirty = false;
    since = 0;
    let next = AFTER_MS;
    const mine = under_way = new AbortController(), late = setTimeout(() => mine.abort(), TIMEOUT_MS);
    try {
      heard(await kept({signal: mine.signal}));
    } catch (problem) {
      if (sent) return;
      said.textContent = problem.words ?? "Not saved yet";
      dirty = true;
      next = LATEST_MS;
    } finally {
      clearTimeout(late);
      under_way = null;
      if (dirty && !sent) plan(next);
    }
  }

  async function kept(more) {
    const answer = await fetch(url, {method: "POST", body: data(), headers: {"Deskhand-Script": "1"}, ...more});
    if (new URL(answer.url).pathname === "/sign-in") throw Object.assign(new Error(), {words: "Not saved: you are signed out. Your text stays here."});
    if (answer.status === 413) throw Object.assign(new Error(), {words: "Not saved: the text is too long. Attach it as a file."});
    if (answer.status === 412) throw Object.assign(new Error(), {words: `Not saved: ${refusalOf(await answer.text())}`});
    if (answer.status === 403) throw Object.assign(new Error(), {words: "Not saved: load the page again. Your text stays here."});
    if (!answer.ok) throw new Error(answer.statusText);
    return answer.json();
  }

  function heard(found) {
    if (found.other) {
      other = found.other;
      dirty = true;
      choice.hidden = false;
      said.textContent = "Not saved yet";
      return;
    }
    if (!dirty) copy.forget();
    forget();  // a page of this conversation that was fetched before has the old text
    if (!found.sent) { said.textContent = `Saved ${found.at}`; return; }
    if (sent || !form.isConnected || form.hasAttribute("aria-busy")) return;
    dirty = false;
    copy.forget();
    alert("This was sent already.", false);
    visit(location.href, {replace: true, keep: true});
  }

  function choose(theirs) {
    form.elements.known_form.value = other.form;
    choice.hidden = true;
    if (theirs) editorOf(form).html = other.html;
    other = null;
    dirty = true;
    keep();
    editorOf(form).focus();
  }

  function data() {
    const given = new FormData(form);
    given.delete("files");
    return given;
  }

  form.addEventListener("deskhand:typed", typed);
  form.addEventListener("input", event => { if (event.target.matches(COPIED) || CHOSEN.has(event.target.name)) typed(); });
  form.addEventListener("submit", event => {
    if (form.hasAttribute("aria-busy")) { event.preventDefault(); return; }
    writes(false);
    clearTimeout(timer);
    under_way?.abort();
    sent = true;
  });
  form.addEventListener("deskhand:answered", event => {
    if (event.detail.done) { copy.forget(); return; }
    sent = false;
    if (onServer && (key || !editorOf(form).empty)) { dirty = true; plan(100); }
  });
  choice?.querySelector("[data-elsewhere-take]").addEventListener("click", () => choose(true));
  choice?.querySelector("[data-elsewhere-keep]").addEventListener("click", () => choose(false));
  form.addEventListener("keydown", event => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit(form.querySelector("[data-send]"));
    } else if (event.key === "Enter" && event.target.matches("input:not([type=checkbox], [type=radio])")) event.preventDefault();
  });
  attaching(form, typed);
  if (copy.restore()) {
    if (onServer && !section.dataset.mode) show();
    dirty = onServer;
    if (onServer) plan(100);
  }
  // The copy stays until the server says that it has the text.
  const leaving = closed => {
    if (!onServer || !dirty || sent || other) return;
    dirty = false;
    const small = editorOf(form).html.length < BEACON_MOST / 4;
    kept({keepalive: small}).then(found => { if (!found.other) copy.forget(); if (!closed) forget(); }).catch(() => {});
  };
  const closing = () => leaving(true);
  addEventListener("pagehide", closing);
  return () => { clearTimeout(timer); removeEventListener("pagehide", closing); leaving(false); };
}

// What a page says that could not be done.
function refusalOf(page) {
  const said = new DOMParser().parseFromString(page, "text/html").querySelector("[role=alert] p");
  return said?.textContent.trim() ?? "that can't be done now.";
}

// A form's text in the tab's own store, with the token by which the server knows whether it was sent.
function copyOf(name, form) {
  const fields = () => [...form.querySelectorAll(COPIED)].filter(one => one.name && !one.readOnly);
  const hidden = ["token", "known_form", "saved_reply_id"];
  return {
    keep() {
      const editor = editorOf(form);
      const known = {html: editor.html, fields: fields().map(one => [one.name, one.value]), hidden: hidden.map(one => form.elements[one]?.value ?? "")};
      try { sessionStorage.setItem(name, JSON.stringify(known)); } catch { /* no room, or not allowed: the server has it soon */ }
    },
    forget() { try { sessionStorage.removeItem(name); } catch { /* nothing is there then */ } },
    restore() {
      let known = null;
      try { known = JSON.parse(sessionStorage.getItem(name)); } catch { /* nothing is there then */ }
      const editor = editorOf(form);
      if (!known || !editor) return false;
      if (known.html === editor.html && fields().every(one => !known.fields.some(([field, value]) => field === one.name && value !== one.value))) { this.forget(); return false; }
      for (const one of fields()) {
        const value = known.fields.find(([field]) => field === one.name)?.[1];
        if (value !== undefined && (one.tagName !== "SELECT" || [...one.options].some(option => option.value === value))) one.value = value;
      }
      hidden.forEach((one, at) => { if (form.elements[one]) form.elements[one].value = known.hidden[at]; });
      editor.html = known.html;
      return true;
    },
  };
}
