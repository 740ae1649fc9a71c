// What the editor's buttons, keys and Markdown do, by the browser's own commands where all browsers mean the same by them.

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
  else if (name === "quote") makeQuote();
  else if (name === "code") {
    const text = selection.toString();
    if (at?.closest("pre")) document.execCommand("formatBlock", false, "p");
    else if (at?.closest(CODE)) document.execCommand("removeFormat");
    else if (text && !text.includes("\n")) document.execCommand("fontName", false, "monospace");
    else document.execCommand("formatBlock", false, "pre");
  } else if (name === "link") { askForLink(editor); return; }
  editor.changed();
}

// Lists and quotes are put in as HTML and taken away by hand: what browsers' commands do there differs too much, and
// some of them want styles for it that the policy forbids.
function makeList(command) {
  const tag = command === "insertOrderedList" ? "ol" : "ul", lines = linesChosen(), list = elementOf(getSelection().anchorNode)?.closest("ul, ol");
  if (list?.localName === tag) holdingCaret(() => endItems(list));
  else if (list) holdingCaret(() => {
    const made = document.createElement(tag);
    made.append(...list.childNodes);
    list.replaceWith(made);
  });
  else if (lines.length) become(lines, `<${tag}>${lines.map(line => `<li>${line.innerHTML}</li>`).join("")}</${tag}>`, command);
  else document.execCommand(command);
}

function makeQuote() {
  const lines = linesChosen(), quote = elementOf(getSelection().anchorNode)?.closest("blockquote");
  if (quote) holdingCaret(() => quote.replaceWith(...unwrapped(quote)));
  else if (lines.length) become(lines, `<blockquote>${lines.map(line => `<p>${line.innerHTML}</p>`).join("")}</blockquote>`, "indent");
  else document.execCommand("formatBlock", false, "blockquote");
}

function elementOf(node) { return node instanceof Element ? node : node?.parentElement; }

// The paragraphs that are chosen, if nothing else is.
function linesChosen() {
  const selection = getSelection(), root = elementOf(selection.anchorNode)?.closest(".writing-text");
  const found = [...root?.children ?? []].filter(one => selection.containsNode(one, true));
  return found.every(one => /^(P|DIV)$/.test(one.tagName) && !one.querySelector("ul, ol, p, pre, blockquote")) ? found : [];
}

// Some paragraphs turn into what is given as HTML; the caret stays at its letter.
function become(lines, html, command) {
  const selection = getSelection(), root = lines[0].parentElement, range = document.createRange();
  range.setStart(root, 0);
  range.setEndBefore(lines[0]);
  const from = range.toString().length, to = lengthBefore(selection), empty = !lines.some(line => line.textContent || line.querySelector("img"));
  range.setStart(lines[0], 0);
  range.setEnd(lines.at(-1), lines.at(-1).childNodes.length);
  selection.removeAllRanges();
  selection.addRange(range);
  const rest = putIn(html);
  if (empty && rest) {  // where this leaves something behind, the command does as it should
    document.execCommand("undo");
    document.execCommand(command);
  }
  if (empty) return;
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  let end = 0;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    end += node.length;
    if (end > from && end >= to) { selection.collapse(node, Math.max(0, to - end + node.length)); return; }
  }
}

// Put blocks in, without an empty line behind them.
export function putBlocks(html) { if (putIn(html)?.firstChild) document.execCommand("forwardDelete"); }

// Put blocks in. Gives the empty paragraph that some browsers leave behind them. One without even a line break is not
// to be seen and not sent; it may stay, or there would be no undo.
function putIn(html) {
  const selection = getSelection(), root = elementOf(selection.anchorNode).closest(".writing-text");
  const blockOf = node => [...root.children].find(one => one.contains(node));
  const end = selection.getRangeAt(0).endContainer, after = end === root ? null : blockOf(end)?.nextElementSibling;
  document.execCommand("insertHTML", false, html);
  const rest = blockOf(selection.anchorNode)?.nextElementSibling;
  return rest && rest !== after && rest.tagName === "P" && !rest.textContent && !rest.querySelector("img") ? rest : null;
}

// The items that are chosen leave their list, which may go on after them.
function endItems(list) {
  const items = [...list.children], chosen = items.filter(one => getSelection().containsNode(one, true));
  const rest = list.cloneNode(false);
  rest.append(...items.slice(items.indexOf(chosen.at(-1)) + 1));
  list.after(...chosen.flatMap(unwrapped), ...rest.firstChild ? [rest] : []);
  for (const one of chosen) one.remove();
  if (!list.children.length) list.remove();
}

// What lies in an item or a quote, as paragraphs.
function unwrapped(box) {
  const out = [];
  let line = null;
  for (const node of [...box.childNodes]) {
    if (/^(P|UL|OL|PRE|BLOCKQUOTE|H[1-6]|TABLE|DIV|HR)$/.test(node.nodeName)) { out.push(node); line = null; continue; }
    if (!line) out.push(line = document.createElement("p"));
    line.append(node);
  }
  if (!out.length) out.push(document.createElement("p"));
  for (const one of out) if (one.tagName === "P" && !one.firstChild) one.append(document.createElement("br"));
  return out;
}

// Change the text by hand, the caret held at its place.
function holdingCaret(change) {
  const selection = getSelection(), {anchorNode, anchorOffset, focusNode, focusOffset} = selection;
  change();
  if (anchorNode.isConnected && focusNode.isConnected) selection.setBaseAndExtent(anchorNode, anchorOffset, focusNode, focusOffset);
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
    if (block.startsWith("insert")) makeList(block);
    else if (block === "blockquote") makeQuote();
    else document.execCommand("formatBlock", false, block);
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
