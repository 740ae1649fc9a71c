// Where one writes: which form is open, and what has arrived meanwhile. What keeps the forms is in keeping.js.
import {behave} from "./behave.js";
import {editorOf} from "./editor.js";
import {keeping, writes} from "./keeping.js";

behave("[data-writing]", section => {
  section.classList.add("with-script");
  const leaves = [...section.querySelectorAll("[data-write-form]")].map(form => keeping(section, form, () => open(section, form.dataset.writeForm)));
  for (const form of section.querySelectorAll("[data-write-form=new]")) beginning(form);
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
