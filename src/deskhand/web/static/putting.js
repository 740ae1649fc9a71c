// Putting in what was written elsewhere. Within a line it is typed by the browser's own commands: what it is given as
// HTML there it would dress with styles of its own.
import {dress, putBlocks, typeLink} from "./editing.js";
import {cleaned} from "./pasted.js";

const COMMANDS = {B: "bold", STRONG: "bold", I: "italic", EM: "italic", U: "underline", S: "strikeThrough", DEL: "strikeThrough"};

// Some HTML, to where the caret is.
export function put(html) {
  const made = document.createElement("div");
  made.innerHTML = cleaned(html);
  const one = made.children.length === 1 && made.firstElementChild.tagName === "P" && !made.textContent.replace(made.firstElementChild.textContent, "").trim() ? made.firstElementChild : made;
  if (one === made && made.querySelector("p, ul, ol, pre, blockquote, h1, h2, h3, hr, table")) {
    const at = getSelection().anchorNode, block = (at instanceof Element ? at : at.parentElement).closest("p, li, h1, h2, h3, div");
    if (block?.textContent.trim()) document.execCommand("insertParagraph");
    putBlocks(made.innerHTML);
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
