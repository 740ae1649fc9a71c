// The editor: a field for text becomes one with formatting. The browser does the editing, and so its undo works; what is
// sent goes through the server's own list of what may be in a text.
import {behave} from "./behave.js";
import {escaped, looksLike, paragraphs, toHtml} from "./markdown.js";

const editors = new WeakMap();
const KEPT = new Set("A B STRONG I EM U S DEL CODE PRE P BR UL OL LI BLOCKQUOTE H1 H2 H3 HR TABLE THEAD TBODY TR TH TD SUB SUP IMG".split(" "));
const BLOCKS = new Set("DIV SECTION ARTICLE HEADER FOOTER MAIN ADDRESS FIGURE CENTER H4 H5 H6 DL DD DT".split(" "));
const DROPPED = new Set("SCRIPT STYLE TITLE META LINK TEMPLATE NOSCRIPT HEAD SVG MATH IFRAME OBJECT BUTTON INPUT SELECT TEXTAREA".split(" "));
const CODE = "code, font[face=monospace]";
const COMMANDS = {B: "bold", STRONG: "bold", I: "italic", EM: "italic", U: "underline", S: "strikeThrough", DEL: "strikeThrough"};
const TYPED = [
  [/(\*\*|__)(?=\S)((?:(?!\1).)*\S)\1 $/, "bold"],
  [/(?:^|[^\w*])(\*)(?=[^\s*])([^*]*[^\s*])\* $/, "italic"],
  [/(?:^|[^\w_])(_)(?=[^\s_])([^_]*[^\s_])_ $/, "italic"],
  [/(`)([^`]+)` $/, "fontName"],
  [/(~~)(?=\S)((?:(?!~~).)*\S)~~ $/, "strikeThrough"],
];
// A tag with its attributes, of which few mean something here; at the sight of the others browsers complain of the policy.
const TAG = /<([a-z][a-z0-9]*)((?:"[^"]*"|'[^']*'|[^'">])*)>/gi;
const MEANT = /\s(?:href|src|alt)\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'>]+)/gi;
const LINK = /^(?:https?:|mailto:|tel:)/i;

// The editor that an element lies in, or that a form has.
export function editorOf(element) {
  const box = element.matches?.("[data-editor]") ? element : element.closest?.("[data-editor]") ?? element.querySelector?.("[data-editor]");
  return box ? editors.get(box) : undefined;
}

behave("[data-editor]", box => {
  const field = box.querySelector("textarea"), root = document.createElement("div"), form = field.form;
  root.className = "textbox writing-text";
  root.contentEditable = "true";
  root.spellcheck = true;
  root.setAttribute("role", "textbox");
  root.setAttribute("aria-multiline", "true");
  root.setAttribute("aria-label", box.querySelector("label").textContent.trim());
  if (field.getAttribute("aria-describedby")) root.setAttribute("aria-describedby", field.getAttribute("aria-describedby"));
  root.dataset.placeholder = field.placeholder;
  root.innerHTML = field.dataset.html || paragraphs(field.value) || "<p><br></p>";
  field.hidden = true;
  field.after(root);
  const tools = box.querySelector(".editor-tools");
  tools.hidden = false;
  document.execCommand("defaultParagraphSeparator", false, "p");

  const editor = {
    root, form,
    get empty() { return !root.textContent.trim() && !root.querySelector("img, hr"); },
    get html() { return editor.empty ? "" : serialised(root); },
    set html(html) {
      root.innerHTML = cleaned(html) || "<p><br></p>";
      changed();
    },
    focus() {
      const there = root.contains(getSelection().anchorNode);
      root.focus();
      if (!there) caretAtEnd(root);
    },
    insert(html) {
      editor.focus();
      put(html);
      changed();
    },
    changed,
  };
  editors.set(box, editor);

  function changed() {
    markUnfilled();
    if (!root.firstChild) root.innerHTML = "<p><br></p>";
    root.toggleAttribute("data-empty", editor.empty && !root.querySelector("ul, ol, blockquote, pre"));
    box.dispatchEvent(new CustomEvent("deskhand:typed", {bubbles: true}));
  }
  root.toggleAttribute("data-empty", editor.empty);
  markUnfilled();

  root.addEventListener("input", event => {
    if (event.inputType === "insertText" || event.inputType === "insertParagraph") typedMarkdown(root, event);
    changed();
  });
  root.addEventListener("keydown", event => {
    if (event.defaultPrevented) return;
    const command = event.ctrlKey || event.metaKey;
    if (command && !event.altKey && event.key.toLowerCase() === "k") { event.preventDefault(); act(editor, "link"); }
    else if (command && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "b") { event.preventDefault(); act(editor, "bold"); }
    else if (command && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "i") { event.preventDefault(); act(editor, "italic"); }
    else if (event.key === "Enter" && !event.shiftKey && leavesBlock()) event.preventDefault();
  });
  root.addEventListener("paste", event => {
    const data = event.clipboardData, files = [...data.files];
    const html = data.getData("text/html"), text = data.getData("text/plain");
    event.preventDefault();
    if (files.length && !text.trim()) box.dispatchEvent(new CustomEvent("deskhand:files", {bubbles: true, detail: {files, shown: true}}));
    else if (inCode()) document.execCommand("insertText", false, text);
    else if (looksLike(text) && !/<(?:b|strong|i|em|ul|ol|li|a|h[1-6]|table|blockquote)\b/i.test(html)) editor.insert(toHtml(text));
    else if (html.trim()) editor.insert(cleaned(html));
    else if (LINK.test(text.trim()) && !/\s/.test(text.trim()) && getSelection().toString()) document.execCommand("createLink", false, text.trim());
    else if (/\n/.test(text)) editor.insert(paragraphs(text));
    else document.execCommand("insertText", false, text);
  });
  tools.addEventListener("mousedown", event => { if (event.target.closest("button")) event.preventDefault(); });
  tools.addEventListener("click", event => {
    const name = event.target.closest("[data-do]")?.dataset.do;
    if (name) act(editor, name);
  });
  tools.addEventListener("keydown", event => {
    const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
    if (!step) return;
    const all = [...tools.querySelectorAll("button")], at = all.indexOf(document.activeElement);
    all[(at + step + all.length) % all.length].focus();
    event.preventDefault();
  });
  function show() {
    if (!root.contains(getSelection().anchorNode)) return;
    const blocks = {quote: "BLOCKQUOTE", code: "PRE"};
    for (const button of tools.querySelectorAll("[data-do]")) {
      const name = button.dataset.do, command = {bold: "bold", italic: "italic", ul: "insertUnorderedList", ol: "insertOrderedList"}[name];
      const on = command ? document.queryCommandState(command) : Boolean(inside(blocks[name] ?? "A") || (name === "code" && inside(CODE)));
      button.setAttribute("aria-pressed", String(on));
    }
  }
  function inside(tag) {
    const at = getSelection().anchorNode;
    return (at instanceof Element ? at : at?.parentElement)?.closest(`${tag}`);
  }
  function inCode() { return root.contains(getSelection().anchorNode) && Boolean(inside("PRE")); }
  // An empty line at the end of a quote or of code leads out of it.
  function leavesBlock() {
    const block = inside("BLOCKQUOTE") ?? inside("PRE"), at = getSelection().anchorNode;
    if (!block || !root.contains(block)) return false;
    const line = at instanceof Element ? at : at.parentElement;
    const empty = block.tagName === "PRE" ? /\n\n?$/.test(block.textContent) && atEnd(block) : line.closest("p") && !line.closest("p").textContent.trim();
    if (!empty) return false;
    if (block.tagName === "PRE") block.textContent = block.textContent.replace(/\n+$/, ""); else line.closest("p").remove();
    const next = document.createElement("p");
    next.append(document.createElement("br"));
    block.after(next);
    if (!block.textContent.trim()) block.remove();
    getSelection().collapse(next, 0);
    changed();
    return true;
  }
  function atEnd(block) {
    const range = getSelection().getRangeAt(0).cloneRange();
    range.selectNodeContents(block);
    range.setStart(getSelection().anchorNode, getSelection().anchorOffset);
    return !range.toString().trim();
  }
  const giving = event => { event.formData.set("html", editor.html); event.formData.set("text", ""); };
  form.addEventListener("formdata", giving);
  document.addEventListener("selectionchange", show);
  return () => document.removeEventListener("selectionchange", show);
});

// Variables that could not be filled in are marked wherever they stand, without a change of the text.
function markUnfilled() {
  if (!CSS.highlights) return;
  const ranges = [];
  for (const root of document.querySelectorAll(".writing-text")) {
    if (!root.textContent.includes("{%")) continue;
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      for (const found of node.data.matchAll(/\{%[^%{}]{1,240}%\}/g)) {
        const range = document.createRange();
        range.setStart(node, found.index);
        range.setEnd(node, found.index + found[0].length);
        ranges.push(range);
      }
    }
  }
  CSS.highlights.set("unfilled", new Highlight(...ranges));
}

function act(editor, name) {
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
function typedMarkdown(root, event) {
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

// Put in what was written elsewhere. Within a line it is typed by the browser's own commands: what it is given as HTML
// there it would dress with styles of its own.
function put(html) {
  const made = document.createElement("div");
  made.innerHTML = cleaned(html);
  const one = made.children.length === 1 && made.firstElementChild.tagName === "P" && !made.textContent.replace(made.firstElementChild.textContent, "").trim() ? made.firstElementChild : made;
  if (one === made && made.querySelector("p, ul, ol, pre, blockquote, h1, h2, h3, hr, table")) {
    const at = getSelection().anchorNode, block = (at instanceof Element ? at : at.parentElement).closest("p, li, h1, h2, h3, div");
    if (block?.textContent.trim()) document.execCommand("insertParagraph");
    document.execCommand("insertHTML", false, made.innerHTML);
  } else type(one);
}

function type(parent) {
  for (const node of parent.childNodes) {
    const command = COMMANDS[node.nodeName];
    if (node.nodeType === Node.TEXT_NODE) { if (node.data) document.execCommand("insertText", false, node.data); }
    else if (node.nodeName === "BR") document.execCommand("insertLineBreak");
    else if (node.nodeName === "IMG") insertPicture(node);
    else if (node.nodeName === "A" && node.getAttribute("href")) typeLink(node.getAttribute("href"), () => type(node));
    else if (node.nodeName === "CODE") {
      dress(() => document.execCommand("insertText", false, node.textContent), () => document.execCommand("fontName", false, "monospace"));
      document.execCommand("removeFormat");
    } else if (command) {
      const was = document.queryCommandState(command);
      if (!was) document.execCommand(command);
      type(node);
      if (!was && document.queryCommandState(command)) document.execCommand(command);
    } else type(node);
  }
}

// Not by a command, which would dress the picture with styles.
function insertPicture(node) {
  const selection = getSelection(), range = selection.getRangeAt(0), picture = node.cloneNode();
  range.deleteContents();
  range.insertNode(picture);
  if (picture.nextSibling?.nodeName === "BR" && picture.nextSibling === picture.parentElement.lastChild) picture.nextSibling.remove();
  selection.collapse(picture.parentElement, [...picture.parentElement.childNodes].indexOf(picture) + 1);
}

function typeLink(address, act) { dress(act, () => document.execCommand("createLink", false, address)); }

// Type something, and then have a command done with just that.
function dress(act, command) {
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

function caretAtEnd(root) {
  const range = document.createRange();
  range.selectNodeContents(root.lastElementChild ?? root);
  range.collapse(false);
  getSelection().removeAllRanges();
  getSelection().addRange(range);
}

// What was copied elsewhere, without what it looked like there.
export function cleaned(html) {
  const made = document.createElement("template"), out = document.createElement("div");
  made.innerHTML = html.replace(TAG, (whole, tag, attributes) => `<${tag}${attributes.match(MEANT)?.join("") ?? ""}>`);
  for (const node of [...made.content.childNodes]) copy(node, out);
  for (const one of out.querySelectorAll("p")) if (!one.textContent.trim() && !one.querySelector("img, br")) one.remove();
  return out.innerHTML.replace(/&nbsp;/g, " ").trim();
}

function copy(node, into) {
  if (node.nodeType === Node.TEXT_NODE) { into.append(into.closest("pre") ? node.data : node.data.replace(/[ \t\r\n]+/g, " ")); return; }
  if (node.nodeType !== Node.ELEMENT_NODE || DROPPED.has(node.tagName)) return;
  let goal = into;
  const own = node.tagName === "IMG" && /^\/attachments\/\d+$/.test(node.getAttribute("src") ?? "");
  if (KEPT.has(node.tagName) && (node.tagName !== "IMG" || own) && !(node.tagName === "P" && into.closest("p, li"))) {
    goal = document.createElement(node.tagName);
    if (node.tagName === "A" && LINK.test(node.getAttribute("href") ?? "")) goal.setAttribute("href", node.getAttribute("href"));
    if (own) { goal.setAttribute("src", node.getAttribute("src")); goal.setAttribute("alt", node.getAttribute("alt") ?? ""); }
    into.append(goal);
  } else if (BLOCKS.has(node.tagName) && !into.closest("p, li") && ![...node.children].some(one => BLOCKS.has(one.tagName) || /^(P|UL|OL|TABLE|BLOCKQUOTE|PRE|H[1-3])$/.test(one.tagName))) {
    goal = document.createElement("p");
    into.append(goal);
  }
  for (const child of [...node.childNodes]) copy(child, goal);
}

function serialised(root) {
  return root.innerHTML.replace(/<font face="monospace">([^]*?)<\/font>/g, "<code>$1</code>").replace(/(?<!>)&nbsp;|&nbsp;(?!<\/p>)/g, " ").replace(/\u200b/g, "");
}
