// Menus narrow to what is typed; Enter takes the first that is left where the field itself sends nothing.
import {behave} from "./behave.js";
import {composing} from "./keys.js";

behave("input[data-filter]", field => {
  const sheet = field.closest(".sheet");
  field.hidden = false;
  const items = () => [...sheet.querySelectorAll(".item")];
  const as = items();
  const name = item => (item.querySelector(".clip") ?? item).textContent.trim().toLowerCase();
  field.addEventListener("input", () => {
    const typed = field.value.trim().toLowerCase(), words = typed.split(/\s+/).filter(Boolean);
    // What begins with what is typed comes first: each list is put in order within itself.
    for (const item of [...as].sort((one, other) => name(other).startsWith(typed) - name(one).startsWith(typed))) item.parentElement.append(item);
    for (const item of items()) {
      const text = item.textContent.toLowerCase();
      item.hidden = !words.every(word => text.includes(word));
    }
  });
  field.addEventListener("keydown", event => {
    if (event.key !== "Enter" || composing(event)) return;
    const left = items().filter(item => !item.hidden);
    const same = left.find(item => item.textContent.trim().toLowerCase() === field.value.trim().toLowerCase());
    const chosen = same ?? (field.name ? null : left[0]);
    if (field.name && !chosen) return;
    event.preventDefault();
    if (field.value.trim()) chosen?.click();
  });
});
