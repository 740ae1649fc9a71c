// The editor: a field for text becomes one with formatting. The browser does the editing, and so its undo works; what is
// sent goes through the server's own list of what may be in a text.
import {behave} from "./behave.js";
import {CODE, LINK, act, caretAtEnd, typedMarkdown} from "./editing.js";
import {composing} from "./keys.js";
import {looksLike, paragraphs, toHtml} from "./markdown.js";
import {cleaned, holdingPictures, serialised} from "./pasted.js";
import {put} from "./putting.js";

const editors = new WeakMap();

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
  const source = box.dataset.editor === "source";  // the field keeps the text as HTML, and is what is sent
  root.innerHTML = source ? cleaned(holdingPictures(field.value)) : field.dataset.html || paragraphs(field.value) || "<p><br></p>";
  for (const name of source ? ["key", "keyLabel"] : []) { root.dataset[name] = field.dataset[name]; delete field.dataset[name]; }
  field.hidden = true;
  field.after(root);
  const tools = box.querySelector(".editor-tools");
  tools.hidden = false;
  document.execCommand("defaultParagraphSeparator", false, "p");

  function begin() {
    root.innerHTML = "<p><br></p>";
    getSelection().collapse(root.firstChild, 0);
  }

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
    if (source) field.value = editor.html;
    root.toggleAttribute("data-empty", editor.empty && !root.querySelector("ul, ol, blockquote, pre"));
    box.dispatchEvent(new CustomEvent("deskhand:typed", {bubbles: true}));
  }
  root.toggleAttribute("data-empty", editor.empty);
  markUnfilled();

  root.addEventListener("input", event => {
    // What comes back is not chosen, or what one types next would take its place.
    if (event.inputType === "historyUndo") getSelection().collapseToEnd();
    if (event.inputType === "insertText" || event.inputType === "insertParagraph") typedMarkdown(root, event);
    // Where all was deleted one begins anew, not in the heading or the bold that was there.
    else if (event.inputType.startsWith("delete") && !root.textContent && !root.querySelector("img, hr, li, table")) begin();
    changed();
  });
  root.addEventListener("keydown", event => {
    if (event.defaultPrevented || composing(event)) return;
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
    const empty = block.tagName === "PRE" ? endsEmpty(block) && atEnd(block) : line.closest("p") && !line.closest("p").textContent.trim();
    if (!empty) return false;
    if (block.tagName === "PRE") while (endsEmpty(block, 1)) cutLine(block); else line.closest("p").remove();
    const next = document.createElement("p");
    next.append(document.createElement("br"));
    block.after(next);
    if (!block.textContent.trim()) block.remove();
    getSelection().collapse(next, 0);
    changed();
    return true;
  }
  // Whether code ends in an empty line, or in `breaks` line breaks, which are elements or letters.
  function endsEmpty(block, breaks = 2) { return block.innerHTML.replace(/<br>/g, "\n").endsWith("\n".repeat(breaks)); }
  function cutLine(block) {
    const last = block.lastChild;
    if (last.nodeType === Node.TEXT_NODE && last.length) last.data = last.data.slice(0, -1); else last.remove();
  }
  function atEnd(block) {
    const range = getSelection().getRangeAt(0).cloneRange();
    range.selectNodeContents(block);
    range.setStart(getSelection().anchorNode, getSelection().anchorOffset);
    return !range.toString().trim();
  }
  const giving = event => { event.formData.set("html", editor.html); event.formData.set("text", ""); };
  if (!source) form.addEventListener("formdata", giving);
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
