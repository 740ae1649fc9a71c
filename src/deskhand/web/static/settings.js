// Settings: more places for choices, choices only where the kind has them, variables put into a text.
import {behave} from "./behave.js";
import {editorOf} from "./editor.js";

// A list of choices always has an empty place at its end.
behave("[data-choices]", box => {
  const list = box.querySelector("ol");
  const tidy = () => {
    const last = list.lastElementChild;
    if (!last.querySelector("input").value) return;
    const number = list.children.length + 1, fresh = last.cloneNode(true);
    const [label, id] = fresh.querySelectorAll("input");
    label.name = `choice-${number}`;
    label.value = "";
    label.setAttribute("aria-label", `Choice ${number}`);
    id.name = `option-${number}`;
    id.value = "";
    list.append(fresh);
  };
  while (list.children.length > 1 && ![...list.children].slice(-2).some(one => one.querySelector("input").value)) list.lastElementChild.remove();
  list.addEventListener("input", tidy);
  tidy();
});

// Only a choice from a list has choices.
behave("[data-kinds]", form => {
  const kind = form.querySelector("select[name=type]"), choices = form.querySelector("[data-choices]");
  if (!kind || !choices) return;
  const show = () => { choices.hidden = kind.value !== "dropdown"; };
  kind.addEventListener("change", show);
  show();
});

// A variable goes to where the caret was before the menu took it away.
behave("[data-variables]", menu => {
  const form = menu.closest("form");
  let caret = null;
  menu.hidden = false;
  form.addEventListener("focusout", event => {
    if (event.target === editorOf(form)?.root && getSelection().rangeCount) caret = getSelection().getRangeAt(0).cloneRange();
  });
  menu.addEventListener("click", event => {
    const variable = event.target.closest("[data-insert]")?.dataset.insert, editor = editorOf(form);
    if (!variable || !editor) return;
    menu.open = false;
    editor.focus();
    if (caret) {
      getSelection().removeAllRanges();
      getSelection().addRange(caret);
    }
    editor.insert(variable);
  });
});
