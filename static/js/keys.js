// @ts-check
// Keys of the pages (docs/design.md). None works while something is typed.

const TYPED_IN =
  "input:not([type=checkbox], [type=radio], [type=range], [type=button]), textarea, select, [contenteditable]";
// Space presses the button or opens the details that has the focus, and the arrows move
// a slider, a tab or a radio button.
const HAS_OWN_KEYS = "button, summary, a, input, [role=tab], [role=slider]";

// Every action says whether there was something to do.

/** @param {string} selector */
const click = (selector) => {
  /** @type {HTMLElement | null} */
  const element = document.querySelector(selector);
  element?.click();
  return Boolean(element);
};

const search = () => {
  /** @type {HTMLInputElement | null} */
  const field = document.querySelector("[data-search]");
  field?.focus();
  field?.select();
  return Boolean(field);
};

const editEvents = () => {
  const form = document.querySelector("[data-event-form]");
  if (!form) return false;
  for (let box = form.closest("details"); box; box = box.parentElement?.closest("details") ?? null) box.open = true;
  for (const box of form.querySelectorAll("details")) box.open = true;
  /** @type {HTMLElement | null} */
  const first = form.querySelector("input:not([type=hidden]), select");
  first?.focus();
  return true;
};

const help = () => {
  const dialog = document.getElementById("keys-dialog");
  if (!(dialog instanceof HTMLDialogElement)) return false;
  if (dialog.open) dialog.close();
  else dialog.showModal();
  return true;
};

/**
 * @param {string} action
 * @param {number} [steps]
 */
const figure = (action, steps) => {
  if (!document.querySelector("[data-figure3d]")) return false;
  document.dispatchEvent(new CustomEvent("swing:control", { detail: { action, steps } }));
  return true;
};

/** @type {Record<string, () => boolean>} */
const ACTIONS = {
  "/": search,
  j: () => click("a[rel~=next]"),
  k: () => click("a[rel~=prev]"),
  e: editEvents,
  "?": help,
  " ": () => figure("toggle"),
  ArrowLeft: () => figure("step", -1),
  ArrowRight: () => figure("step", 1),
  "[": () => figure("event", -1),
  "]": () => figure("event", 1),
};

/**
 * Whether what has the focus uses the key itself.
 * @param {Element | null} target
 * @param {KeyboardEvent} event
 */
const isTaken = (target, { key, shiftKey }) => {
  const isArrow = key.startsWith("Arrow");
  if (shiftKey && isArrow) return true;
  if (key !== " " && !isArrow) return false;
  // A dialog that just closed keeps the focus for a moment; its button is gone already.
  const own = target?.closest(HAS_OWN_KEYS);
  return Boolean(own && !own.closest("dialog:not([open])"));
};

/**
 * Moves between the search field and the athletes found under it.
 * @param {Element | null} target
 * @param {KeyboardEvent} event
 */
const moveInFound = (target, { key }) => {
  const form = target?.closest(".site-search");
  if (!form || !["ArrowDown", "ArrowUp", "Escape"].includes(key)) return false;
  /** @type {HTMLElement[]} */
  const stops = [...form.querySelectorAll("[data-search], .site-found a")].filter(
    (stop) => stop instanceof HTMLElement,
  );
  const at = stops.findIndex((stop) => stop === target);
  if (key === "Escape") {
    if (at < 1) return false;
    stops[0].focus();
    return true;
  }
  const to = at + (key === "ArrowDown" ? 1 : -1);
  if (to < 0 || to >= stops.length) return false;
  stops[to].focus();
  return true;
};

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  const target = event.target instanceof Element ? event.target : null;
  if (moveInFound(target, event)) {
    event.preventDefault();
    return;
  }
  if (target?.closest(TYPED_IN)) {
    const leaves = event.key === "Escape" && target.matches("[data-search]");
    if (leaves && target instanceof HTMLElement) target.blur();
    return;
  }
  if (!Object.hasOwn(ACTIONS, event.key)) return;
  if (document.querySelector("dialog[open]") && event.key !== "?") return;
  if (!isTaken(target, event) && ACTIONS[event.key]()) event.preventDefault();
});
