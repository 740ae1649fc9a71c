// What is still under way is shown anew every two seconds, for as long as it is.
import {behave} from "./behave.js";
import {refresh} from "./navigate.js";

behave("[data-busy]", () => {
  const clock = setInterval(() => { if (!document.hidden) refresh(); }, 2000);
  return () => clearInterval(clock);
});
