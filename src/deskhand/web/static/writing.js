// What is written: the editor, the draft that is kept of it, and what it offers. In this order, since each builds on the first.
import "./editor.js";
import "./drafts.js";
import "./picks.js";
