// The console: copying secrets, what a change of grants means while it is made, names typed before something ends.
import {behave} from "./behave.js";
import {refresh} from "./navigate.js";

const PAUSE_MS = 250;

behave("[data-copy]", button => {
  const words = button.querySelector("span");
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    const text = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(text.textContent.trim());
      words.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(text);
      words.textContent = "Press Ctrl+C";
    }
    setTimeout(() => { words.textContent = "Copy"; }, 3000);
  });
});

// A page that was the answer to a form and shows something once: loading it again leads to a page that is there.
behave("[data-address]", element => history.replaceState(history.state, "", element.dataset.address));

behave("[data-poll]", element => {
  const timer = setInterval(() => { if (!document.hidden) refresh(); }, Number(element.dataset.poll) * 1000);
  return () => clearInterval(timer);
});

behave("form[data-difference]", form => {
  const place = form.querySelector("[data-difference-here]");
  let timer = 0, asking = null;
  const ask = async () => {
    asking?.abort();
    asking = new AbortController();
    const body = new URLSearchParams(new FormData(form));
    try {
      const answer = await fetch(form.dataset.difference, {method: "POST", body, signal: asking.signal, headers: {"Deskhand-Script": "1"}});
      if (answer.ok) place.innerHTML = await answer.text();
    } catch { /* the review says it as well */ }
  };
  const soon = () => { clearTimeout(timer); timer = setTimeout(ask, PAUSE_MS); };
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  return () => { clearTimeout(timer); asking?.abort(); };
});

behave("[data-scope]", menu => {
  const words = menu.querySelector("[data-scope-words]");
  const [all, some] = menu.querySelectorAll("input[type=radio]");
  const boxes = [...menu.querySelectorAll("input[type=checkbox]")];
  const say = () => {
    const chosen = boxes.filter(box => box.checked).map(box => box.closest("label").textContent.trim());
    const typed = menu.querySelector("input:not([type=radio], [type=checkbox])")?.value.trim();
    words.textContent = all.checked ? "Every inbox" : typed || chosen.join(", ") || "No inbox yet";
  };
  menu.addEventListener("input", event => {
    if (event.target !== all && event.target !== some) some.checked = true;
    say();
  });
  const spread = menu.querySelector("[data-spread]");
  if (!spread) return;
  spread.hidden = false;
  spread.addEventListener("click", () => {
    const values = new Map([...menu.querySelectorAll("input")].map(one => [place(one), one]));
    for (const other of menu.closest("form").querySelectorAll("[data-scope]")) {
      if (other === menu) continue;
      for (const one of other.querySelectorAll("input")) {
        const mine = values.get(place(one));
        if (mine) { one.checked = mine.checked; if (one.type === "text") one.value = mine.value; }
        else one.checked = false;
      }
      other.querySelector("[data-scope-words]").textContent = words.textContent;
    }
    menu.open = false;
    menu.querySelector("summary").focus();
    menu.dispatchEvent(new Event("change", {bubbles: true}));
  });
});

// What a field of a scope means, whichever resource it is about.
function place(field) { return field.type === "text" ? "ids" : `${field.type} ${field.value}`; }

behave("form[data-typed]", form => {
  const field = form.querySelector("input:not([type=hidden])"), button = form.querySelector("button");
  const check = () => { button.disabled = field.value.trim().toLowerCase() !== form.dataset.typed.toLowerCase(); };
  field.addEventListener("input", check);
  check();
});

// From a cell of the matrix to its place in the editor, also where that is folded away.
behave("form.grants", () => {
  const goal = location.hash ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
  for (let around = goal?.parentElement; around; around = around.parentElement) if (around.matches("details")) around.open = true;
  goal?.scrollIntoView({block: "center"});
});
