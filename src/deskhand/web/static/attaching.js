// Files of what is being written: by button, drop or paste; those of a draft are sent at once.
import {editorOf} from "./editor.js";
import {alert} from "./navigate.js";

// `typed` is called when the server has a file more. Without an address that takes files they stay in the form's field.
export function attaching(form, typed) {
  const url = form.dataset.takesFiles, at_once = Boolean(url);
  const field = form.querySelector("input[type=file]"), list = form.querySelector("[data-files]");
  const take = (files, shown) => {
    if (at_once) for (const file of files) upload(file, shown && file.type.startsWith("image/"));
    else { keepInField([...field.files, ...files]); }
  };
  field.addEventListener("change", () => {
    if (at_once) { take([...field.files], false); field.value = ""; } else show();
  });
  form.addEventListener("deskhand:files", event => take(event.detail.files, event.detail.shown));
  form.addEventListener("dragover", event => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    form.classList.add("dropping");
  });
  form.addEventListener("dragleave", event => { if (!form.contains(event.relatedTarget)) form.classList.remove("dropping"); });
  form.addEventListener("drop", event => {
    form.classList.remove("dropping");
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    take([...event.dataTransfer.files], Boolean(event.target.closest("[contenteditable]")));
  });
  list.addEventListener("click", async event => {
    const button = event.target.closest("[data-remove]");
    if (!button) return;
    event.preventDefault();
    const row = button.closest("li");
    if (!at_once) { keepInField([...field.files].filter((_, at) => at !== Number(button.dataset.remove))); return; }
    const given = new URLSearchParams({csrf: form.elements.csrf.value, unsent: form.elements.unsent?.value ?? "", file: button.dataset.remove});
    const answer = await fetch(`${url}/remove`, {method: "POST", body: given, headers: {"Deskhand-Script": "1"}}).catch(() => null);
    if (answer?.ok) row.remove(); else alert("The file could not be removed. Please try again.");
  });

  function keepInField(files) {
    const kept = new DataTransfer();
    for (const file of files) kept.items.add(file);
    field.files = kept.files;
    show();
  }
  function show() { list.replaceChildren(...[...field.files].map((file, at) => row(file.name, size(file.size), at))); }

  function upload(file, shown) {
    const line = row(file.name, size(file.size), ""), bar = document.createElement("progress");
    line.querySelector("button").replaceWith(bar);
    bar.setAttribute("aria-label", `Uploading ${file.name}`);
    list.append(line);
    const given = new FormData(form), request = new XMLHttpRequest();
    given.delete("files");
    if (shown) given.set("shown", "1");
    given.set("file", file, file.name || "picture.png");
    request.upload.addEventListener("progress", event => { if (event.lengthComputable) { bar.max = event.total; bar.value = event.loaded; } });
    request.addEventListener("loadend", () => {
      if (request.status !== 201) {
        line.remove();
        const words = new DOMParser().parseFromString(request.responseText, "text/html").querySelector("[role=alert]")?.textContent.trim();
        alert(words || `${file.name} could not be uploaded. Please try again.`);
        return;
      }
      const made = JSON.parse(request.responseText);
      if (made.picture) {
        line.remove();
        editorOf(form).insert(`<img src="${made.url}" alt="">`);
      } else {
        line.replaceWith(row(made.name, made.size, made.id));
        typed();
      }
    });
    request.open("POST", url);
    request.setRequestHeader("Deskhand-Script", "1");
    request.send(given);
  }
}

function row(name, about, id) {
  const made = document.createElement("li");
  made.className = "draft-file";
  const title = document.createElement("span"), small = document.createElement("span"), remove = document.createElement("button");
  title.className = "clip";
  title.textContent = name;
  small.className = "quiet small";
  small.textContent = about;
  remove.type = "button";
  remove.className = "button bare square";
  remove.dataset.remove = id;
  remove.textContent = "×";
  remove.setAttribute("aria-label", `Remove ${name}`);
  made.append(title, small, remove);
  return made;
}

function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1024 * 1024 ? `${Math.round(bytes / 1024)} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}
