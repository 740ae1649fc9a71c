// What every page of the desk loads. Each module makes something quicker that works without it as well.
import "./navigate.js";
import "./menus.js";
import "./keys.js";
import "./live.js";
import "./conversation.js";
import "./console.js";
import "./approvals.js";
import "./log.js";
import "./workflows.js";
import "./channels.js";
import "./busy.js";
import "./settings.js";
import "./editor.js";
import "./drafts.js";
import "./picks.js";
import "./list.js";
import "./search.js";
import "./palette.js";
import {start} from "./behave.js";

start();
