// Menus close when something else is pressed, and by Escape; arrow keys go from item to item.
import {behave} from "./behave.js";

const open = () => [...document.querySelectorAll("details.menu[open]")];

document.addEventListener("pointerdown", event => {
  for (const menu of open()) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("toggle", event => {
  const menu = event.target;
  if (!(menu instanceof HTMLDetailsElement) || !menu.matches("details.menu") || !menu.open) return;
  for (const other of open()) if (other !== menu && !other.contains(menu)) other.open = false;
  (menu.querySelector("[data-first]") ?? menu.querySelector("[autofocus]") ?? menu.querySelector(".sheet input:not([type=hidden])") ?? menu.querySelector(".sheet .item"))?.focus();
}, true);
document.addEventListener("keydown", event => {
  const menu = open().at(-1);
  if (!menu) return;
  if (event.key === "Escape") {
    menu.open = false;
    menu.querySelector("summary").focus();
    event.preventDefault();
    event.stopImmediatePropagation();
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const items = [...menu.querySelectorAll(".sheet .item")].filter(one => one.offsetParent);
    if (!items.length || event.target.matches("textarea, select")) return;
    const at = items.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
    items[(at + items.length) % items.length].focus();
    event.preventDefault();
  }
}, true);

// The tab one is at is in sight, however many there are beside it.
behave(".tabs a[aria-current]", link => {
  const tabs = link.parentElement;
  if (tabs.scrollWidth > tabs.clientWidth) tabs.scrollLeft = link.offsetLeft - (tabs.clientWidth - link.offsetWidth) / 2;
});
