// What was copied elsewhere, without what it looked like there; and the text as it is sent.
import {LINK} from "./editing.js";

const KEPT = new Set("A B STRONG I EM U S DEL CODE PRE P BR UL OL LI BLOCKQUOTE H1 H2 H3 HR TABLE THEAD TBODY TR TH TD SUB SUP IMG".split(" "));
const BLOCKS = new Set("DIV SECTION ARTICLE HEADER FOOTER MAIN ADDRESS FIGURE CENTER H4 H5 H6 DL DD DT".split(" "));
const DROPPED = new Set("SCRIPT STYLE TITLE META LINK TEMPLATE NOSCRIPT HEAD SVG MATH IFRAME OBJECT BUTTON INPUT SELECT TEXTAREA".split(" "));
// A tag with its attributes, of which few mean something here; at the sight of the others browsers complain of the policy.
const TAG = /<([a-z][a-z0-9]*)((?:"[^"]*"|'[^']*'|[^'">])*)>/gi;
const MEANT = /\s(?:href|src|alt|data-held)\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'>]+)/gi;
const PICTURE = /<img(?=[\s/>])(?:"[^"]*"|'[^']*'|[^'">])*>/gi;
const OWN = /^\/(?:attachments|new\/files)\/\d+$/;

// What was copied elsewhere, without what it looked like there.
export function cleaned(html) {
  const made = document.createElement("template"), out = document.createElement("div");
  made.innerHTML = meant(html);
  for (const node of [...made.content.childNodes]) copy(node, out);
  for (const one of out.querySelectorAll("p")) if (!one.textContent.trim() && !one.querySelector("img, br")) one.remove();
  return out.innerHTML.replace(/&nbsp;/g, " ").trim();
}

function meant(html) {
  return html.replace(TAG, (whole, tag, attributes) => `<${tag}${attributes.match(MEANT)?.join("") ?? ""}>`);
}

function copy(node, into) {
  if (node.nodeType === Node.TEXT_NODE) { into.append(into.closest("pre") ? node.data : node.data.replace(/[ \t\r\n]+/g, " ")); return; }
  if (node.nodeType !== Node.ELEMENT_NODE || DROPPED.has(node.tagName)) return;
  let goal = into;
  if (node.tagName === "IMG" && node.dataset.held) { into.append(shown(node.dataset.held)); return; }
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

// A text with its pictures as `cleaned` keeps them: each stays to the letter as it was, whatever it has and wherever from.
export function holdingPictures(html) {
  return html.replace(PICTURE, whole => `<img data-held="${encodeURIComponent(whole)}">`);
}

// A picture that is held. What it leads to is not fetched, for that would tell somebody that this is read: only where
// it comes from is shown, unless it lies in the text itself.
function shown(held) {
  const picture = document.createElement("img"), made = document.createElement("template");
  let whole;
  try { whole = decodeURIComponent(held); } catch { return ""; }
  if (whole.replace(PICTURE, "")) return "";  // pasted from elsewhere, and no picture
  made.innerHTML = meant(whole);
  const one = made.content.querySelector("img"), source = one?.getAttribute("src") ?? "", alt = one?.getAttribute("alt") ?? "";
  const inside = /^data:image\//i.test(source), host = hostOf(source);
  const from = inside || !source ? "Picture" : `Picture from ${host || source}`.replace(/[<>&"]/g, "");
  picture.dataset.held = held;
  picture.src = inside ? source : `data:image/svg+xml,${encodeURIComponent(drawn(from.length > 32 ? `${from.slice(0, 31)}…` : from))}`;
  picture.alt = [from, alt.replace(/[<>]/g, "")].filter(Boolean).join(": ");
  if (!inside) picture.title = source.replace(/[<>]/g, "").slice(0, 300);
  return picture;
}

function hostOf(address) { try { return new URL(address).host; } catch { return ""; } }

function drawn(text) {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${24 + 8 * text.length}" height="40"><rect width="100%" height="100%" rx="6" fill="#efeeea"/>`
    + `<text x="12" y="25" font-family="sans-serif" font-size="14" fill="#1c2126">${text}</text></svg>`;
}

// The editor's text as HTML.
export function serialised(root) {
  return withPictures(root.innerHTML.replace(/<font face="monospace">([^]*?)<\/font>/g, "<code>$1</code>").replace(/(?<!>)&nbsp;|&nbsp;(?!<\/p>)/g, " ").replace(/\u200b|<p><\/p>/g, ""));
}

function withPictures(html) {
  return html.replace(/<img [^>]*?data-held="([^"]*)"[^>]*>/g, (whole, held) => decodeURIComponent(held));
}
