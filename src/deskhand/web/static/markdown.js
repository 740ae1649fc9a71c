// Markdown as people write it in mails, turned into the few kinds of formatting that the editor knows.

const BLOCKS = /^(?:#{1,6} |[-*+] |\d+[.)] |> ?|```)/m;
const MARKS = /\*\*\S[^]*?\S\*\*|__\S[^]*?\S__|`[^`\n]+`|\[[^\]\n]+\]\((?:https?:|mailto:)[^)\s]+\)|~~\S[^]*?\S~~/;

// Whether a text has Markdown in it that would be a pity to show as it is.
export function looksLike(text) { return BLOCKS.test(text) && (text.includes("\n") || !/^> ?/.test(text)) || MARKS.test(text); }

export function escaped(text) {
  return text.replace(/[&<>"]/g, one => ({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})[one]);
}

// A plain text: empty lines part paragraphs, other lines stay lines.
export function paragraphs(text) {
  return text.replace(/\r\n?/g, "\n").split(/\n[ \t]*\n/).map(one => one.replace(/^\n+|\n+$/g, "")).filter(one => one.trim())
    .map(one => `<p>${escaped(one).replace(/\n/g, "<br>")}</p>`).join("");
}

export function toHtml(text) {
  const lines = text.replace(/\r\n?/g, "\n").split("\n"), out = [];
  let at = 0, said = [];
  const end = () => { if (said.length) out.push(`<p>${said.map(inline).join("<br>")}</p>`); said = []; };
  const take = (begins, cut) => {
    const found = [];
    while (at < lines.length && begins.test(lines[at])) found.push(lines[at++].replace(cut, ""));
    return found;
  };
  while (at < lines.length) {
    const line = lines[at];
    if (/^```/.test(line)) {
      end();
      const code = [];
      for (at++; at < lines.length && !/^```/.test(lines[at]); at++) code.push(lines[at]);
      at++;
      out.push(`<pre>${escaped(code.join("\n"))}</pre>`);
    } else if (/^#{1,6} /.test(line)) {
      end();
      const level = Math.min(3, line.match(/^#+/)[0].length);
      out.push(`<h${level}>${inline(line.replace(/^#+ +/, "").replace(/ +#+$/, ""))}</h${level}>`);
      at++;
    } else if (/^ {0,3}[-*+] +\S/.test(line)) {
      end();
      out.push(`<ul>${take(/^ {0,3}[-*+] +/, /^ *[-*+] +/).map(one => `<li>${inline(one)}</li>`).join("")}</ul>`);
    } else if (/^ {0,3}\d+[.)] +\S/.test(line)) {
      end();
      out.push(`<ol>${take(/^ {0,3}\d+[.)] +/, /^ *\d+[.)] +/).map(one => `<li>${inline(one)}</li>`).join("")}</ol>`);
    } else if (/^ {0,3}>/.test(line)) {
      end();
      out.push(`<blockquote>${toHtml(take(/^ {0,3}>/, /^ *> ?/).join("\n"))}</blockquote>`);
    } else if (/^ {0,3}(?:-{3,}|\*{3,}|_{3,})\s*$/.test(line)) {
      end();
      out.push("<hr>");
      at++;
    } else {
      if (line.trim()) said.push(line); else end();
      at++;
    }
  }
  end();
  return out.join("");
}

// What stands within a line. Code first: nothing in it means anything else.
export function inline(text) {
  return text.split(/(`[^`\n]+`)/).map(part => part.length > 2 && part.startsWith("`") && part.endsWith("`")
    ? `<code>${escaped(part.slice(1, -1))}</code>`
    : escaped(part)
      .replace(/\[([^\]\n]+)\]\(((?:https?:|mailto:)[^)\s]+)\)/g, '<a href="$2">$1</a>')
      .replace(/(\*\*|__)(?=\S)([^]*?\S)\1/g, "<b>$2</b>")
      .replace(/(^|[^\w*])\*(?=[^\s*])([^*]*?[^\s*])\*(?!\w)/g, "$1<i>$2</i>")
      .replace(/(^|[^\w_])_(?=[^\s_])([^_]*?[^\s_])_(?!\w)/g, "$1<i>$2</i>")
      .replace(/~~(?=\S)([^]*?\S)~~/g, "<s>$1</s>")).join("");
}
