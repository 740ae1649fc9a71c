// Writing workflows: rows are added, taken away and changed in place. What a form without a script would get as a new
// page is fetched, and only the form is put in the place of the old one.
import {apply, behave} from "./behave.js";
import {alert} from "./navigate.js";

behave("form[data-rules]", form => {
  let turn = 0;

  async function change(wish) {
    const now = ++turn, data = new FormData(form);
    data.set("do", wish);
    const answer = await fetch(form.action, {method: "POST", body: new URLSearchParams(data), headers: {"Deskhand-Script": "1"}}).catch(() => null);
    const made = answer?.ok ? new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("form[data-rules]") : null;
    if (now !== turn) return;
    if (!made) { alert("Deskhand can't be reached. Nothing was changed; please try again."); return; }
    for (const name of ["name", "active"]) keep(form.elements[name], made.elements[name]);
    const at = scrollY;
    form.replaceWith(document.importNode(made, true));
    apply(document);
    scrollTo(0, at);
    const goal = document.querySelector("form[data-rules] [autofocus]");
    goal?.focus({preventScroll: true});
    goal?.scrollIntoView({block: "nearest"});
  }

  form.addEventListener("submit", event => {
    const wish = event.submitter?.name === "do" ? event.submitter.value : "save";
    if (wish === "save" || wish === "try") return;
    event.preventDefault();
    change(wish);
  });
  form.addEventListener("change", event => {
    const shape = event.target.dataset.shape;
    if (shape) change(shape);
    const pick = event.target.closest(".pick");
    if (pick) say(pick);
  });
});

// What was tried is shown, wherever the button stood.
behave("#tried:has(.tries, .attempt), #tried.tried", found => found.scrollIntoView({block: "start"}));

// What is chosen in a sheet stands on its button.
function say(pick) {
  const names = [...pick.querySelectorAll("input:checked")].map(one => one.parentElement.textContent.trim());
  const box = pick.querySelector(".picked");
  box.textContent = names.length > 1 ? `${names.slice(0, -1).join(", ")} or ${names.at(-1)}` : names[0] ?? box.dataset.empty;
}

// What was typed while the answer was on its way.
function keep(old, fresh) {
  if (!old || !fresh) return;
  if (old.type === "checkbox") fresh.toggleAttribute("checked", old.checked);
  else fresh.setAttribute("value", old.value);
}
