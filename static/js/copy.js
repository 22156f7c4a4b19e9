// @ts-check
// Buttons that copy what is shown once: a new link, a token, a secret. Without scripts
// it is selected and copied by hand.

/** @param {Element} shown */
const select = (shown) => {
  if (shown instanceof HTMLInputElement || shown instanceof HTMLTextAreaElement) shown.select();
  else window.getSelection()?.selectAllChildren(shown);
};

/** @param {HTMLElement} button */
const copy = async (button) => {
  const shown = document.getElementById(button.dataset.copy ?? "");
  if (!shown) return;
  select(shown);
  try {
    const isField = shown instanceof HTMLInputElement || shown instanceof HTMLTextAreaElement;
    await navigator.clipboard.writeText(isField ? shown.value : (shown.textContent ?? ""));
    button.textContent = "Copied";
  } catch {
    // No permission, or no https: it is selected, the keyboard does the rest.
    button.textContent = "Press Ctrl+C";
  }
};

document.addEventListener("click", ({ target }) => {
  /** @type {HTMLElement | null} */
  const button = target instanceof Element ? target.closest("[data-copy]") : null;
  if (button) copy(button);
});

document.addEventListener("focusin", ({ target }) => {
  if (target instanceof Element && target.matches("[data-select]")) select(target);
});
