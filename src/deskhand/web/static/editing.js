// What the editor's buttons, keys and Markdown do, by the browser's own commands.

export const CODE = "code, font[face=monospace]";
export const LINK = /^(?:https?:|mailto:|tel:)/i;
const TYPED = [
  [/(\*\*|__)(?=\S)((?:(?!\1).)*\S)\1 $/, "bold"],
  [/(?:^|[^\w*])(\*)(?=[^\s*])([^*]*[^\s*])\* $/, "italic"],
  [/(?:^|[^\w_])(_)(?=[^\s_])([^_]*[^\s_])_ $/, "italic"],
  [/(`)([^`]+)` $/, "fontName"],
  [/(~~)(?=\S)((?:(?!~~).)*\S)~~ $/, "strikeThrough"],
];

// A button of the editor.
export function act(editor, name) {
  editor.focus();
  const selection = getSelection(), at = selection.anchorNode instanceof Element ? selection.anchorNode : selection.anchorNode?.parentElement;
  if (name === "bold" || name === "italic") document.execCommand(name);
  else if (name === "ul") makeList("insertUnorderedList");
  else if (name === "ol") makeList("insertOrderedList");
  else if (name === "quote") {
    if (at?.closest("blockquote")) document.execCommand("outdent"); else document.execCommand("formatBlock", false, "blockquote");
  } else if (name === "code") {
    const text = selection.toString();
    if (at?.closest("pre")) document.execCommand("formatBlock", false, "p");
    else if (at?.closest(CODE)) document.execCommand("removeFormat");
    else if (text && !text.includes("\n")) document.execCommand("fontName", false, "monospace");
    else document.execCommand("formatBlock", false, "pre");
  } else if (name === "link") { askForLink(editor); return; }
  editor.changed();
}

// A list takes the place of a block; within a paragraph it would lie in it.
function makeList(command) {
  const at = getSelection().anchorNode, line = (at instanceof Element ? at : at?.parentElement)?.closest("p, li");
  if (line?.tagName === "P") document.execCommand("formatBlock", false, "div");
  document.execCommand(command);
}

// A small window for the address of a link.
function askForLink(editor) {
  const selection = getSelection(), range = selection.rangeCount ? selection.getRangeAt(0).cloneRange() : null;
  const at = selection.anchorNode instanceof Element ? selection.anchorNode : selection.anchorNode?.parentElement;
  const known = at?.closest("a");
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-label", "Link");
  dialog.innerHTML = `<form method="dialog" class="pad stack tight"><label class="field"><span class="label">Address of the link</span><input inputmode="url" placeholder="https://"></label>
    <div class="buttons"><button class="button first" value="set">Set the link</button>${known ? '<button class="button" value="remove">Remove it</button>' : ""}<button class="button bare" value="">Cancel</button></div></form>`;
  const input = dialog.querySelector("input");
  input.value = known?.getAttribute("href") ?? "";
  document.body.append(dialog);
  dialog.addEventListener("close", () => {
    dialog.remove();
    editor.root.focus();
    if (range) { selection.removeAllRanges(); selection.addRange(range); }
    if (known && dialog.returnValue) { selection.selectAllChildren(known); }
    let address = input.value.trim();
    if (dialog.returnValue === "remove") document.execCommand("unlink");
    else if (dialog.returnValue === "set" && address) {
      if (!LINK.test(address)) address = address.includes("@") && !address.includes("/") ? `mailto:${address}` : `https://${address}`;
      if (selection.isCollapsed) typeLink(address, () => document.execCommand("insertText", false, address.replace(/^mailto:/, "")));
      else document.execCommand("createLink", false, address);
    }
    selection.collapseToEnd();
    editor.changed();
  });
  dialog.showModal();
  input.select();
}

// Markdown while it is typed: at the beginning of a line, and around words once a space follows.
export function typedMarkdown(root, event) {
  const selection = getSelection(), node = selection.anchorNode;
  if (event.data !== " " || node?.nodeType !== Node.TEXT_NODE || node.parentElement.closest("pre, code, a")) return;
  const before = node.data.slice(0, selection.anchorOffset).replace(/\u00a0/g, " ");
  const first = !node.previousSibling && /^(P|DIV)$/.test(node.parentElement.tagName);
  const block = first && {"- ": "insertUnorderedList", "* ": "insertUnorderedList", "1. ": "insertOrderedList", "> ": "blockquote", "# ": "h1", "## ": "h2", "### ": "h3", "``` ": "pre"}[before];
  if (block) {
    select(node, 0, before.length);
    document.execCommand("delete");
    if (block.startsWith("insert")) makeList(block); else document.execCommand("formatBlock", false, block);
    return;
  }
  for (const [pattern, command] of TYPED) {
    const found = pattern.exec(before);
    if (!found) continue;
    const length = found[1].length * 2 + found[2].length, from = before.length - length - 1;
    select(node, from, from + length);
    document.execCommand("insertText", false, found[2]);
    const typed = selection.anchorNode, end = selection.anchorOffset;
    select(typed, end - found[2].length, end);
    if (command === "fontName") document.execCommand("fontName", false, "monospace"); else document.execCommand(command);
    afterSpace(selection);
    return;
  }
}

// The caret goes on behind the space that ended a mark, outside of it.
function afterSpace(selection) {
  const end = selection.getRangeAt(0).endContainer;
  let node = end.nodeType === Node.TEXT_NODE && end.parentElement.matches(`b, strong, i, em, s, strike, del, ${CODE}`) ? end.parentElement : end;
  while (node && !(node.nextSibling?.nodeType === Node.TEXT_NODE) && !/^(P|LI|DIV)$/.test(node.parentElement.tagName)) node = node.parentElement;
  const next = node?.nextSibling;
  if (next?.nodeType === Node.TEXT_NODE && /^[ \u00a0]/.test(next.data)) selection.collapse(next, 1); else selection.collapseToEnd();
}

// A link on what is typed meanwhile.
export function typeLink(address, act) { dress(act, () => document.execCommand("createLink", false, address)); }

// Type something, and then have a command done with just that.
export function dress(act, command) {
  const selection = getSelection(), before = lengthBefore(selection);
  act();
  const typed = selection.anchorNode, end = selection.anchorOffset, from = Math.max(0, end - (lengthBefore(selection) - before));
  if (typed.nodeType !== Node.TEXT_NODE || from >= end) return;
  select(typed, from, end);
  command();
  selection.collapseToEnd();
}

function lengthBefore(selection) {
  const at = selection.anchorNode, range = document.createRange();
  range.setStart((at instanceof Element ? at : at.parentElement).closest(".writing-text"), 0);
  range.setEnd(at, selection.anchorOffset);
  return range.toString().length;
}

function select(node, from, to) {
  const range = document.createRange();
  range.setStart(node, from);
  range.setEnd(node, to);
  getSelection().removeAllRanges();
  getSelection().addRange(range);
}

// The caret to where the text ends.
export function caretAtEnd(root) {
  const range = document.createRange();
  range.selectNodeContents(root.lastElementChild ?? root);
  range.collapse(false);
  getSelection().removeAllRanges();
  getSelection().addRange(range);
}
