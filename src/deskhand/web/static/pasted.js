// What was copied elsewhere, without what it looked like there; and the text as it is sent.
import {LINK} from "./editing.js";

const KEPT = new Set("A B STRONG I EM U S DEL CODE PRE P BR UL OL LI BLOCKQUOTE H1 H2 H3 HR TABLE THEAD TBODY TR TH TD SUB SUP IMG".split(" "));
const BLOCKS = new Set("DIV SECTION ARTICLE HEADER FOOTER MAIN ADDRESS FIGURE CENTER H4 H5 H6 DL DD DT".split(" "));
const DROPPED = new Set("SCRIPT STYLE TITLE META LINK TEMPLATE NOSCRIPT HEAD SVG MATH IFRAME OBJECT BUTTON INPUT SELECT TEXTAREA".split(" "));
// A tag with its attributes, of which few mean something here; at the sight of the others browsers complain of the policy.
const TAG = /<([a-z][a-z0-9]*)((?:"[^"]*"|'[^']*'|[^'">])*)>/gi;
const MEANT = /\s(?:href|src|alt)\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'>]+)/gi;
const OWN = /^\/(?:attachments|new\/files)\/\d+$/;

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
  const own = node.tagName === "IMG" && OWN.test(node.getAttribute("src") ?? "");
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

// The editor's text as HTML.
export function serialised(root) {
  return root.innerHTML.replace(/<font face="monospace">([^]*?)<\/font>/g, "<code>$1</code>").replace(/(?<!>)&nbsp;|&nbsp;(?!<\/p>)/g, " ").replace(/\u200b/g, "");
}
