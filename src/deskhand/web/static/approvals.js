// Deciding about calls of agents by keyboard, once each, and never by a key that was meant for the call before.
import {behave} from "./behave.js";
import {writing} from "./keys.js";

const SETTLING_MS = 450;

behave("form[data-decides]", form => {
  const from = performance.now();
  form.addEventListener("submit", event => {
    if (form.getAttribute("aria-busy") === "true" || performance.now() - from < SETTLING_MS) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  });
  form.addEventListener("keydown", event => {
    if (event.key === "Escape" && writing(event.target)) { event.target.blur(); event.stopPropagation(); }
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); form.requestSubmit(); }
  });
});

// While somebody types in a part that is shown anew by itself, it stays as it is.
behave("[data-live-pause]", field => {
  const live = field.closest("[data-live]");
  if (!live) return;
  const name = live.dataset.live;
  field.addEventListener("focusin", () => { live.removeAttribute("data-live"); });
  field.addEventListener("focusout", () => { if (!field.value) live.dataset.live = name; });
});

// A list: J and K go from one row to the other, Enter opens as ever.
behave("[data-rows]", list => {
  const go = event => {
    const by = {j: 1, k: -1}[event.key];
    if (!by || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (writing(event.target) || document.querySelector("dialog[open]")) return;
    const rows = [...list.querySelectorAll("a[data-row]")];
    const at = rows.indexOf(document.activeElement);
    rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.max(0, Math.min(rows.length - 1, at + by))]?.focus();
    event.preventDefault();
  };
  document.addEventListener("keydown", go);
  return () => document.removeEventListener("keydown", go);
});
