// Behaviours of elements: `behave(selector, setup)` has `setup` called once for each such element, whenever it appears.
// `setup` may give a function that is called when the element has gone.

const behaviours = [];
const done = new WeakMap();
const leaving = new Set();

export function behave(selector, setup) {
  behaviours.push([selector, setup]);
  if (document.readyState !== "loading") apply(document);
}

export function apply(root) {
  for (const [element, leave] of leaving) if (!element.isConnected) forget([element, leave]);
  for (const [selector, setup] of behaviours) {
    for (const element of found(root, selector)) {
      const had = done.get(element) ?? new Set();
      if (had.has(setup)) continue;
      had.add(setup);
      done.set(element, had);
      const leave = setup(element);
      if (leave) leaving.add([element, leave]);
    }
  }
}

export function start() {
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => apply(document));
  else apply(document);
}

function forget(pair) {
  leaving.delete(pair);
  pair[1]();
}

function* found(root, selector) {
  if (root instanceof Element && root.matches(selector)) yield root;
  yield* root.querySelectorAll(selector);
}
