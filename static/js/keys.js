// Keys of the pages (docs/design.md). None works while something is typed.
(() => {
  "use strict";

  const typing = (element) =>
    element instanceof Element &&
    element.closest("input:not([type=checkbox], [type=radio], [type=range], [type=button]), textarea, select, [contenteditable]");

  const click = (selector) => {
    const element = document.querySelector(selector);
    element?.click();
    return Boolean(element);
  };

  const search = () => {
    const field = document.querySelector("[data-search]");
    field?.focus();
    field?.select();
    return Boolean(field);
  };

  const editEvents = () => {
    const form = document.querySelector("[data-event-form]");
    if (!form) return false;
    for (let box = form.closest("details"); box; box = box.parentElement.closest("details"))
      box.open = true;
    for (const box of form.querySelectorAll("details")) box.open = true;
    form.querySelector("input:not([type=hidden]), select")?.focus();
    return true;
  };

  const help = () => {
    const dialog = document.getElementById("keys-dialog");
    if (!dialog) return false;
    if (dialog.open) dialog.close();
    else dialog.showModal();
    return true;
  };

  const figure = (action, steps) => {
    if (!document.querySelector("[data-figure3d]")) return false;
    document.dispatchEvent(new CustomEvent("swing:control", { detail: { action, steps } }));
    return true;
  };

  const ACTIONS = {
    "/": search,
    j: () => click("a[rel~=next]"),
    k: () => click("a[rel~=prev]"),
    e: editEvents,
    "?": help,
    " ": () => figure("toggle"),
    ArrowLeft: () => figure("step", -1),
    ArrowRight: () => figure("step", 1),
  };

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (typing(event.target)) {
      if (event.key === "Escape" && event.target.matches("[data-search]")) event.target.blur();
      return;
    }
    const action = Object.hasOwn(ACTIONS, event.key) ? ACTIONS[event.key] : null;
    if (!action) return;
    if (document.querySelector("dialog[open]") && event.key !== "?") return;
    // Space presses the button or opens the details that has the focus, and the
    // arrows move a slider, a tab or a radio button. A dialog that just closed keeps
    // the focus for a moment; its button is gone already.
    const own = event.target.closest?.("button, summary, a, input, [role=tab], [role=slider]");
    if (own && !own.closest("dialog:not([open])") && (event.key === " " || event.key.startsWith("Arrow"))) return;
    if (event.shiftKey && event.key.startsWith("Arrow")) return;
    if (action()) event.preventDefault();
  });
})();
