// The numbers beside views: counted by the server once the page is there, and again after something has changed.
import {behave} from "./behave.js";

const EVERY_MS = 5000;
let numbers = {}, planned = 0, due = 0, last = -EVERY_MS, busy = false;

behave("#side [data-view]", one => {
  show(one);
  if (!(one.dataset.view in numbers)) plan(0);
});
document.addEventListener("deskhand:refreshed", () => plan(0));

// In a tree of its own: what the server sends has no numbers, and stays the same as what stands here for who compares.
function show(one) {
  const inside = one.shadowRoot ?? one.attachShadow({mode: "open"});
  const text = numbers[one.dataset.view] ?? "";
  if (inside.textContent !== text) inside.textContent = text;
}

function plan(after) {
  const at = Math.max(performance.now() + after, last + EVERY_MS);
  if (planned && due <= at) return;
  clearTimeout(planned);
  due = at;
  planned = setTimeout(look, at - performance.now());
}

async function look() {
  planned = 0;
  if (busy || document.hidden || !document.querySelector("#side [data-view]")) return;
  busy = true;
  last = performance.now();
  const answer = await fetch("/views/numbers", {headers: {"Deskhand-Script": "1"}}).catch(() => null);
  const found = answer?.ok && !answer.redirected ? await answer.json().catch(() => null) : null;
  busy = false;
  if (!found) return;
  numbers = found.numbers;
  for (const one of document.querySelectorAll("#side [data-view]")) show(one);
  if (found.again_s !== null) plan(found.again_s * 1000);
}
