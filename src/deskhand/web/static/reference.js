// The reference page with script: filters as you type, keeps the address in step, opens what a link points to, copies.
// Without it the form does the same by query string; filters.py holds the same rule.

// On a narrow screen the pages are a strip: begin it where the reader is.
const strip = document.querySelector(".pages");
strip.scrollLeft = strip.querySelector("[aria-current]")?.offsetLeft - 64 || 0;

const form = document.querySelector("#filters");
const fields = ["q", "method", "access", "permission", "group"];

if (form) {
  const items = [...document.querySelectorAll(".entries > li")];
  const groups = [...document.querySelectorAll("section.group")];
  const found = document.querySelector("#found");
  const nothing = document.querySelector("#nothing");
  const clear = document.querySelector("#clear");
  const search = form.elements.q;

  const takes = (item, words) =>
    fields.slice(1).every((name) => ["", item.dataset[name]].includes(form.elements[name].value)) &&
    words.every((word) => item.dataset.text.includes(word));

  function show() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const item of items) {
      item.hidden = !takes(item, words);
      count += item.hidden ? 0 : 1;
    }
    for (const group of groups) group.hidden = !group.querySelector(".entries > li:not([hidden])");
    nothing.hidden = count > 0;
    found.textContent = `${count} of ${items.length} operations`;
    clear.hidden = chosen().size === 0;
  }

  function chosen() {
    const given = new URLSearchParams(new FormData(form));
    for (const name of fields) if (!given.get(name)?.trim()) given.delete(name);
    return given;
  }

  function keepAddress() {
    const query = chosen().toString();
    history.replaceState(null, "", location.pathname + (query ? `?${query}` : "") + location.hash);
  }

  function take(query) {
    for (const name of fields) form.elements[name].value = query.get(name) ?? "";
    show();
  }

  form.addEventListener("input", () => {
    show();
    keepAddress();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, select, textarea");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      search.focus();
      search.select();
    }
    if (event.key === "Escape" && event.target === search && search.value) {
      event.preventDefault();
      search.value = "";
      show();
      keepAddress();
    }
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-filter], #clear");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const address = new URL(link.href);
    history.pushState(null, "", address);
    take(address.searchParams);
    document.querySelector("#operations").scrollIntoView();
    search.focus({ preventScroll: true });
  });
  // A browser may put back what was chosen before without telling; the address is what counts.
  addEventListener("pageshow", () => take(new URLSearchParams(location.search)));
  addEventListener("popstate", () => take(new URLSearchParams(location.search)));

  // A link to an operation opens it, also where the browser does not do that by itself.
  function reveal() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const item = target?.closest(".entries > li");
    if (!item) return;
    if (item.hidden) {
      take(new URLSearchParams());
      keepAddress();
    }
    target.closest("details").open = true;
    item.scrollIntoView();
  }
  addEventListener("hashchange", reveal);
  if (location.hash) reveal();

  // What was opened has an address, to be passed on.
  form.parentElement.addEventListener("toggle", (event) => {
    const inside = event.target.open && event.target.querySelector(":scope > .inside");
    if (inside) history.replaceState(null, "", `#${inside.id}`);
  }, true);
}

if (navigator.clipboard) {
  for (const button of document.querySelectorAll("button.copy")) button.hidden = false;
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button.copy");
    if (!button) return;
    await navigator.clipboard.writeText(button.parentElement.querySelector("code").textContent);
    button.firstChild.data = "Copied";
    setTimeout(() => (button.firstChild.data = "Copy"), 1500);
  });
}

addEventListener("beforeprint", () => {
  for (const one of document.querySelectorAll("details.more")) one.open = true;
});
