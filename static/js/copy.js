/* Buttons that copy what is shown once: a new link, a token, a secret. Without scripts
   it is selected and copied by hand. */
(() => {
  "use strict";

  function select(shown) {
    if (shown.select) shown.select();
    else window.getSelection().selectAllChildren(shown);
  }

  async function copy(button) {
    const shown = document.getElementById(button.dataset.copy);
    select(shown);
    try {
      await navigator.clipboard.writeText(shown.value ?? shown.textContent);
      button.textContent = "Copied";
    } catch {
      // No permission, or no https: it is selected, the keyboard does the rest.
      button.textContent = "Press Ctrl+C";
    }
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
  });

  document.addEventListener("focusin", (event) => {
    if (event.target.matches("[data-select]")) select(event.target);
  });
})();
