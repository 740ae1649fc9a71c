// The log: new entries come on top without moving what is being read, older ones follow, verifying tells how far it is.
import {apply, behave} from "./behave.js";
import {refresh} from "./navigate.js";

const EVERY_MS = 2000;
const AT_TOP = 120;

behave("[data-log]", list => {
  divide(list);
  const older = document.querySelector("[data-log-older]");
  const leaving = [older && followed(list, older), list.dataset.logAfter !== undefined && freshened(list)];
  return () => { for (const leave of leaving) if (leave) leave(); };
});

// A line above the first entry of each day.
function divide(list) {
  for (const line of list.querySelectorAll(".day-line")) line.remove();
  let day = null;
  for (const row of [...list.children]) {
    if (row.dataset.day && row.dataset.day !== day) {
      day = row.dataset.day;
      const line = document.createElement("li");
      line.className = "day-line";
      line.textContent = day;
      row.before(line);
    }
  }
}

function freshened(list) {
  const button = document.querySelector("[data-log-new]");
  let after = list.dataset.logAfter, kept = [], busy = false, many = false;
  const put = () => {
    const held = document.scrollingElement.scrollHeight - scrollY, top = scrollY;
    for (const row of kept) list.prepend(row);
    kept = [];
    document.querySelector("[data-log-none]")?.remove();
    divide(list);
    apply(list);
    if (top > AT_TOP) scrollTo(0, document.scrollingElement.scrollHeight - held);
    button.hidden = true;
  };
  const look = async () => {
    if (busy || document.hidden) return;
    busy = true;
    try {
      const query = list.dataset.logQuery;
      const answer = await fetch(`/console/log/new?${query ? query + "&" : ""}after=${after}`);
      if (!answer.ok || !list.isConnected) return;
      const made = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("ol");
      after = made.dataset.newest;
      many ||= "many" in made.dataset;
      kept.push(...[...made.children].reverse());
      if (!many && scrollY <= AT_TOP && !list.contains(document.activeElement) && kept.length) put();
      if (many || kept.length) {
        button.textContent = many ? "Many new entries" : kept.length === 1 ? "1 new entry" : `${kept.length} new entries`;
        button.hidden = false;
      }
    } catch { /* the next time */ } finally { busy = false; }
  };
  const press = () => {
    if (many) location.reload();
    else { put(); scrollTo(0, 0); }
  };
  button.addEventListener("click", press);
  const timer = setInterval(look, EVERY_MS);
  return () => { clearInterval(timer); button.removeEventListener("click", press); };
}

function followed(list, first) {
  let link = first, busy = false;
  const more = async () => {
    if (busy || !link) return;
    busy = true;
    link.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(link.href);
      if (!answer.ok || !list.isConnected) return;
      const made = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const row of made.querySelectorAll("[data-log] > .entry-row")) list.append(row);
      const next = made.querySelector("[data-log-older]");
      if (next) link.href = next.href;
      else { link.parentElement.remove(); link = null; seen.disconnect(); }
      divide(list);
      apply(list);
      if (link) { seen.unobserve(link); seen.observe(link); }
    } finally { busy = false; link?.removeAttribute("aria-busy"); }
  };
  const seen = new IntersectionObserver(found => { if (found.some(one => one.isIntersecting)) more(); }, {rootMargin: "600px"});
  seen.observe(link);
  return () => seen.disconnect();
}

// Verifying: what the server tells while it goes through the chain.
behave("form[data-verify]", form => {
  form.addEventListener("submit", async event => {
    event.preventDefault();
    event.stopImmediatePropagation();
    const box = form.parentElement.querySelector("[data-verified]"), button = form.querySelector("button");
    button.disabled = true;
    const words = document.createElement("p"), meter = document.createElement("progress");
    meter.setAttribute("aria-label", "How far it is");
    box.replaceChildren(words, meter);
    try {
      const answer = await fetch(form.dataset.told, {method: "POST", body: new URLSearchParams(new FormData(form))});
      if (!answer.ok) throw new Error("refused");
      for await (const told of lines(answer.body)) {
        words.textContent = told.words;
        if (told.of) { meter.max = told.of; meter.value = told.done ?? 0; }
        if (told.html) {
          box.replaceChildren(...new DOMParser().parseFromString(told.html, "text/html").body.childNodes);
          apply(box);
        }
      }
    } catch { words.textContent = "It could not be verified now; please try again."; meter.remove(); } finally { button.disabled = false; }
  });
});

async function* lines(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const {done, value} = await reader.read();
    rest += value ?? "";
    const pieces = rest.split("\n");
    rest = pieces.pop();
    for (const piece of pieces) if (piece) yield JSON.parse(piece);
    if (done) return;
  }
}

// Pages of what nobody announces, as units of the minute, are shown anew now and then.
behave("[data-every]", part => {
  const timer = setInterval(() => { if (!document.hidden) refresh(); }, Number(part.dataset.every) * 1000);
  return () => clearInterval(timer);
});
