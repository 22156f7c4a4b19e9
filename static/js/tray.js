// @ts-check
// What is put aside to compare. The server answers with the whole tray; here the page's
// buttons follow it, and what happened is said to who does not see it.

const follow = () => {
  const tray = document.querySelector("[data-tray]");
  if (!(tray instanceof HTMLElement)) return;
  const keys = new Set((tray.dataset.tray ?? "").split(","));
  /** @type {NodeListOf<HTMLElement>} */
  const buttons = document.querySelectorAll("[data-tray-key]");
  for (const button of buttons) button.dataset.compared = String(keys.has(button.dataset.trayKey ?? ""));
};

document.addEventListener("htmx:afterSwap", (event) => {
  const { target } = event.detail;
  if (target?.id !== "compare-tray") return;
  follow();
  const said = document.getElementById("tray-said");
  if (said) said.textContent = target.querySelector("[data-tray-said]")?.textContent ?? "";
  // A button that took itself away leaves the focus to what is left.
  if (document.activeElement !== document.body) return;
  /** @type {HTMLElement | null} */
  const next = target.querySelector("[data-tray-compare]") ?? document.getElementById("content");
  next?.focus();
});

// A swing has a box on its tile and one in the table: they are one.
/** @returns {NodeListOf<HTMLInputElement>} */
const boxes = () => document.querySelectorAll('input[name="chosen"]');

document.addEventListener("change", ({ target }) => {
  if (!(target instanceof HTMLInputElement) || target.name !== "chosen") return;
  for (const box of boxes()) if (box.value === target.value) box.checked = target.checked;
});

document.addEventListener("htmx:load", () => {
  const chosen = new Set([...boxes()].filter((box) => box.checked).map((box) => box.value));
  for (const box of boxes()) if (chosen.has(box.value)) box.checked = true;
});

// What a part of the page shows again was rendered before the last change, perhaps.
document.addEventListener("htmx:load", follow);
