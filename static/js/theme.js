// @ts-check
// Runs before the first paint (a blocking script of a few lines in the head), so
// that a remembered theme never flashes in.
(() => {
  "use strict";
  const root = document.documentElement;
  const system = window.matchMedia("(prefers-color-scheme: dark)");

  const remembered = () => {
    try {
      const choice = localStorage.getItem("theme");
      return choice === "light" || choice === "dark" ? choice : "system";
    } catch {
      return "system"; // storage is switched off: follow the system
    }
  };

  const apply = () => {
    const choice = remembered();
    const theme = choice === "system" ? (system.matches ? "dark" : "light") : choice;
    const changed = root.dataset.theme !== undefined && root.dataset.theme !== theme;
    root.dataset.theme = theme;
    root.dataset.themeChoice = choice;
    /** @type {NodeListOf<HTMLElement>} */
    const buttons = document.querySelectorAll("[data-theme-choice][aria-pressed]");
    for (const button of buttons)
      button.setAttribute("aria-pressed", String(button.dataset.themeChoice === choice));
    if (changed) document.dispatchEvent(new CustomEvent("theme:change"));
  };

  root.classList.add("js");
  apply();
  system.addEventListener("change", apply);
  window.addEventListener("storage", apply); // another tab changed it
  document.addEventListener("DOMContentLoaded", apply);
  document.addEventListener("click", (event) => {
    /** @type {HTMLElement | null} */
    const button = event.target instanceof Element ? event.target.closest("button[data-theme-choice]") : null;
    const choice = button?.dataset.themeChoice;
    if (!choice) return;
    try {
      if (choice === "system") localStorage.removeItem("theme");
      else localStorage.setItem("theme", choice);
    } catch {
      // Not remembered then; the present page still changes.
      root.dataset.theme = choice;
      document.dispatchEvent(new CustomEvent("theme:change"));
      return;
    }
    apply();
  });
})();
