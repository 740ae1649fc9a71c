// What every page of the desk loads. What only some need, they name themselves: see `modules` in parts.html. Each module
// makes something quicker that works without it as well.
import "./navigate.js";
import "./menus.js";
import "./keys.js";
import "./live.js";
import "./palette.js";
import "./numbers.js";
import {start} from "./behave.js";

start();
