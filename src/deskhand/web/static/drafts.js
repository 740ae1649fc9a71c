// What is being written is kept on the server every few seconds, and in the tab until the server has it: so it is there
// again after a reload, a lost line or a sign-in. Also: which form is open, files, and what has arrived.
import {behave} from "./behave.js";
import {editorOf} from "./editor.js";
import {alert, forget, visit} from "./navigate.js";

const AFTER_MS = 1200, LATEST_MS = 4000, TIMEOUT_MS = 15_000, BEACON_MOST = 60_000;
const COPIED = "input:not([type=hidden], [type=file], [type=checkbox], [type=radio], [type=datetime-local]), select";

behave("[data-writing]", section => {
  section.classList.add("with-script");
  const leaves = [...section.querySelectorAll("[data-write-form]")].map(form => keeping(section, form));
  section.addEventListener("click", event => {
    const link = event.target.closest("a[data-write]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open(section, link.dataset.write);
  });
  section.addEventListener("keydown", event => {
    if (event.key !== "Escape" || event.defaultPrevented || !section.querySelector("[data-write]")) return;
    event.preventDefault();
    open(section, "");
    section.querySelector("[data-write]").focus();
  });
  section.addEventListener("toggle", event => {
    if (event.target.id === "later-menu" && event.target.open) event.target.querySelector(".item").focus();
  }, true);
  const news = () => arrived(section);
  section.querySelector("[data-show-arrived]")?.addEventListener("click", () => {
    seen(section);
    section.querySelector("[data-arrived]").hidden = true;
    document.querySelector(".timeline")?.scrollIntoView({block: "start"});
  });
  document.addEventListener("deskhand:refreshed", news);
  if (new URLSearchParams(location.search).has("write") && section.dataset.mode) requestAnimationFrame(() => editorOf(formOf(section))?.focus());
  return () => { document.removeEventListener("deskhand:refreshed", news); for (const leave of leaves) leave(); };
});

function formOf(section) { return section.querySelector(`[data-write-form="${section.dataset.mode}"]`) ?? section.querySelector("[data-write-form]"); }

function open(section, mode) {
  section.dataset.mode = mode;
  section.classList.toggle("open", Boolean(mode));
  section.classList.toggle("noting", mode === "note");
  for (const form of section.querySelectorAll("[data-write-form]")) form.hidden = form.dataset.writeForm !== mode;
  for (const link of section.querySelectorAll("[data-write]")) {
    if (link.dataset.write && link.dataset.write === mode) link.setAttribute("aria-current", "true"); else link.removeAttribute("aria-current");
  }
  if (!mode) { writes(false); return; }
  const form = formOf(section), first = form.querySelector("input[required]");
  if (first && !first.value) first.focus(); else editorOf(form)?.focus();
  section.scrollIntoView({block: "nearest"});
}

// -- Something has arrived

function arrived(section) {
  const now = section.querySelector(".news"), field = section.querySelector("[name=seen]");
  if (!now || !field || Number(now.dataset.newest) <= Number(field.value)) return;
  const editor = editorOf(field.form);
  if (field.form.hidden || !editor || editor.empty) seen(section);
  else section.querySelector("[data-arrived]").hidden = false;
}

function seen(section) {
  const now = section.querySelector(".news"), form = section.querySelector("[data-write-form=reply]");
  form.elements.seen.value = now.dataset.newest;
  form.elements.seen_at.value = now.dataset.at;
}

// -- Keeping

// Whoever shows who is writing is told by this.
function writes(writing) { document.dispatchEvent(new CustomEvent("deskhand:writing", {detail: {writing}})); }

function keeping(section, form) {
  const kind = form.dataset.writeForm, conversation = section.dataset.conversation;
  const onServer = Boolean(conversation) && (kind === "reply" || kind === "note");
  const url = `/conversation/${conversation}/draft`, said = form.querySelector("[data-kept]");
  const copy = copyOf(`deskhand:writing:${section.dataset.user}:${conversation ?? location.search}:${kind}`, form);
  const choice = form.querySelector("[data-elsewhere]");
  let timer = 0, since = 0, dirty = false, sent = false, under_way = null, other = null;

  const typed = () => {
    if (conversation) writes(!editorOf(form)?.empty);
    copy.keep();
    if (!onServer) return;
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
  form.addEventListener("input", event => { if (event.target.matches(COPIED)) typed(); });
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
    if (onServer && !editorOf(form).empty) { dirty = true; plan(100); }
  });
  choice?.querySelector("[data-elsewhere-take]").addEventListener("click", () => choose(true));
  choice?.querySelector("[data-elsewhere-keep]").addEventListener("click", () => choose(false));
  form.addEventListener("keydown", event => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit(form.querySelector("[data-send]"));
    } else if (event.key === "Enter" && event.target.matches("input:not([type=checkbox], [type=radio])")) event.preventDefault();
  });
  attaching(section, form, kind === "reply" && onServer, typed);
  if (kind === "new") beginning(form);
  if (copy.restore()) {
    if (onServer && !section.dataset.mode) open(section, kind);
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

// What the button of a new conversation says.
function beginning(form) {
  const show = () => {
    const kind = form.elements.kind.value;
    for (const one of form.querySelectorAll("[data-verb]")) one.textContent = kind === "email" ? "Send" : "Save";
    form.querySelector("[name=keep]").hidden = kind !== "email";
  };
  for (const one of form.querySelectorAll("[name=kind]")) one.addEventListener("change", show);
  form.elements.inbox.addEventListener?.("change", () => { form.closest("[data-writing]").dataset.inbox = form.elements.inbox.value; });
  show();
}

// -- Files

function attaching(section, form, at_once, typed) {
  const field = form.querySelector("input[type=file]"), list = form.querySelector("[data-files]");
  const take = (files, shown) => {
    if (at_once) for (const file of files) upload(file, shown && file.type.startsWith("image/"));
    else { keepInField([...field.files, ...files]); }
  };
  field.addEventListener("change", () => {
    if (at_once) { take([...field.files], false); field.value = ""; } else show();
  });
  form.addEventListener("deskhand:files", event => take(event.detail.files, event.detail.shown));
  form.addEventListener("dragover", event => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    form.classList.add("dropping");
  });
  form.addEventListener("dragleave", event => { if (!form.contains(event.relatedTarget)) form.classList.remove("dropping"); });
  form.addEventListener("drop", event => {
    form.classList.remove("dropping");
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    take([...event.dataTransfer.files], Boolean(event.target.closest("[contenteditable]")));
  });
  list.addEventListener("click", async event => {
    const button = event.target.closest("[data-remove]");
    if (!button) return;
    event.preventDefault();
    const row = button.closest("li");
    if (!at_once) { keepInField([...field.files].filter((_, at) => at !== Number(button.dataset.remove))); return; }
    const given = new URLSearchParams({csrf: form.elements.csrf.value, file: button.dataset.remove});
    const answer = await fetch(`/conversation/${section.dataset.conversation}/files/remove`, {method: "POST", body: given, headers: {"Deskhand-Script": "1"}}).catch(() => null);
    if (answer?.ok) row.remove(); else alert("The file could not be removed. Please try again.");
  });

  function keepInField(files) {
    const kept = new DataTransfer();
    for (const file of files) kept.items.add(file);
    field.files = kept.files;
    show();
  }
  function show() { list.replaceChildren(...[...field.files].map((file, at) => row(file.name, size(file.size), at))); }

  function upload(file, shown) {
    const line = row(file.name, size(file.size), ""), bar = document.createElement("progress");
    line.querySelector("button").replaceWith(bar);
    bar.setAttribute("aria-label", `Uploading ${file.name}`);
    list.append(line);
    const given = new FormData(), request = new XMLHttpRequest();
    given.set("csrf", form.elements.csrf.value);
    if (shown) given.set("shown", "1");
    given.set("file", file, file.name || "picture.png");
    request.upload.addEventListener("progress", event => { if (event.lengthComputable) { bar.max = event.total; bar.value = event.loaded; } });
    request.addEventListener("loadend", () => {
      if (request.status !== 201) {
        line.remove();
        const words = new DOMParser().parseFromString(request.responseText, "text/html").querySelector("[role=alert]")?.textContent.trim();
        alert(words || `${file.name} could not be uploaded. Please try again.`);
        return;
      }
      const made = JSON.parse(request.responseText);
      if (made.picture) {
        line.remove();
        editorOf(form).insert(`<img src="${made.url}" alt="">`);
      } else {
        line.replaceWith(row(made.name, made.size, made.id));
        typed();
      }
    });
    request.open("POST", `/conversation/${section.dataset.conversation}/files`);
    request.setRequestHeader("Deskhand-Script", "1");
    request.send(given);
  }
}

function row(name, about, id) {
  const made = document.createElement("li");
  made.className = "draft-file";
  const title = document.createElement("span"), small = document.createElement("span"), remove = document.createElement("button");
  title.className = "clip";
  title.textContent = name;
  small.className = "quiet small";
  small.textContent = about;
  remove.type = "button";
  remove.className = "button bare square";
  remove.dataset.remove = id;
  remove.textContent = "×";
  remove.setAttribute("aria-label", `Remove ${name}`);
  made.append(title, small, remove);
  return made;
}

function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1024 * 1024 ? `${Math.round(bytes / 1024)} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}
