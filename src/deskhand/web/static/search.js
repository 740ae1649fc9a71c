// The box of the search: results while one types, and suggestions for the word at its end.
import {behave} from "./behave.js";
import {composing} from "./keys.js";
import {refresh, visit} from "./navigate.js";

const TYPING_MS = 180;

behave("[data-search]", form => {
  const field = form.querySelector("input[type=search]"), list = form.querySelector(".suggestions");
  const live = location.pathname === "/search";
  let timer = 0, turn = 0, touched = false;
  if (document.activeElement === field) field.setSelectionRange(field.value.length, field.value.length);
  field.addEventListener("focus", () => field.setSelectionRange(field.value.length, field.value.length), {once: true});

  const options = () => [...list.querySelectorAll("[role=option]")];
  const at = () => options().findIndex(one => one.getAttribute("aria-selected") === "true");
  const shown = () => !list.hidden && options().length > 0;

  function close() {
    list.hidden = true;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  }

  function mark(index) {
    options().forEach((one, place) => one.setAttribute("aria-selected", String(place === index)));
    const one = options()[index];
    if (one) { field.setAttribute("aria-activedescendant", one.id); one.scrollIntoView({block: "nearest"}); }
    else field.removeAttribute("aria-activedescendant");
  }

  function take(one) {
    field.value = one.dataset.query;
    close();
    field.focus();
    changed();
  }

  async function suggest(wanted = false) {
    const mine = ++turn, asked = field.value;
    const answer = await fetch(`/search/suggestions?${new URLSearchParams({query: asked})}`).catch(() => null);
    if (!answer?.ok || mine !== turn || asked !== field.value || document.activeElement !== field) return;
    const made = new DOMParser().parseFromString(await answer.text(), "text/html");
    list.replaceChildren(...[...made.body.children].map(one => document.importNode(one, true)));
    // After a finished word there are results to be seen: fields are offered then when somebody asks for them.
    const worth = options().length > 0 && (wanted || (touched ? !/\s$/.test(field.value) : !field.value));
    list.hidden = !worth;
    field.setAttribute("aria-expanded", String(worth));
    field.removeAttribute("aria-activedescendant");
  }

  function address() {
    const asked = new URLSearchParams(new FormData(form));
    if (!asked.get("query")) asked.delete("query");
    const text = asked.toString();
    return `/search${text ? `?${text}` : ""}`;
  }

  function changed() {
    touched = true;
    clearTimeout(timer);
    timer = setTimeout(() => {
      suggest();
      if (!live) return;
      history.replaceState(history.state, "", address());
      refresh();
    }, TYPING_MS);
  }

  field.addEventListener("input", changed);
  field.addEventListener("blur", () => setTimeout(close, 150));
  field.addEventListener("keydown", event => {
    if (composing(event)) return;
    const move = {ArrowDown: 1, ArrowUp: -1}[event.key];
    if (move && !shown() && event.key === "ArrowDown") { suggest(true); event.preventDefault(); return; }
    if (move && shown()) {
      const many = options().length;
      mark((at() + move + many) % many);
      event.preventDefault();
    } else if ((event.key === "Enter" || event.key === "Tab") && shown() && at() >= 0) {
      take(options()[at()]);
      event.preventDefault();
    } else if (event.key === "Escape") {
      if (shown()) { close(); event.preventDefault(); event.stopPropagation(); }
      else if (live) { document.querySelector("#list a.open")?.focus(); event.preventDefault(); }
    }
  });
  list.addEventListener("pointerdown", event => {
    const one = event.target.closest("[role=option]");
    if (one) { event.preventDefault(); take(one); }
  });
  form.addEventListener("submit", event => {
    event.preventDefault();
    clearTimeout(timer);
    close();
    visit(address()).then(() => document.querySelector("#list a.open")?.focus());
  });
  return () => clearTimeout(timer);
});
