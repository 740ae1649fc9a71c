// Another encryption, another port: as long as the port is a usual one it follows.
import {behave} from "./behave.js";

const port = option => /\((\d+)\)/.exec(option.textContent)?.[1] ?? "";

behave('.mail-form select[name$="_tls"]', select => {
  const field = select.form.elements[select.name.replace("_tls", "_port")];
  select.addEventListener("change", () => {
    if (!field.value || [...select.options].some(one => port(one) === field.value)) field.value = port(select.selectedOptions[0]);
  });
});
