// @ts-check
// Starts Swagger UI with the settings of the page, and mends what a screen reader or a
// finger would stumble over in it.

// Swagger UI has dark rules of its own, under this class; theme.js knows the theme.
const rootElement = document.documentElement;
const dress = () => rootElement.classList.toggle("dark-mode", rootElement.dataset.theme === "dark");
document.addEventListener("theme:change", dress);
dress();

const settings = JSON.parse(document.getElementById("swagger-settings")?.textContent ?? "{}");
settings.dom_id = "#swagger-ui";
settings.presets = [SwaggerUIBundle.presets.apis];
// A path stands inside the button that opens it, where a link of its own may not stand.
settings.plugins = [
  (/** @type {any} */ system) => ({
    wrapComponents: {
      DeepLink: () => (/** @type {any} */ props) => system.React.createElement("span", null, props.text),
    },
  }),
];
// Calls made in the browser's session need the CSRF token; a token's calls ignore it.
settings.requestInterceptor = (/** @type {any} */ request) => {
  request.headers["X-CSRFToken"] = document.body.dataset.csrfToken;
  return request;
};

/**
 * @param {Element} element
 * @param {string} name
 * @param {string} value
 */
const set = (element, name, value) => {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
};

const FIELDS = ".parameters select, .parameters input, .content-type, .body-param textarea";

/** @param {Element} root */
const repair = (root) => {
  // Third of its level below a first.
  for (const head of root.querySelectorAll("h3.opblock-tag")) set(head, "aria-level", "2");
  for (const head of root.querySelectorAll(".opblock h4, .models h4")) set(head, "aria-level", "3");
  for (const head of root.querySelectorAll(".opblock h5")) set(head, "aria-level", "4");
  for (const table of root.querySelectorAll(".responses-table[role=region]"))
    set(table, "aria-label", `${table.className.split(" ")[0]} of ${table.closest(".opblock")?.id}`);
  for (const field of root.querySelectorAll(FIELDS)) {
    const { labels } = /** @type {HTMLInputElement} */ (field);
    const name = field.closest("tr")?.querySelector(".parameter__name")?.firstChild?.textContent;
    if (!labels?.length && !field.getAttribute("aria-label")) set(field, "aria-label", name || "Media type");
  }
  for (const button of root.querySelectorAll(".copy-to-clipboard > button")) set(button, "aria-label", "Copy");
  // What scrolls sideways can be reached by keyboard.
  for (const block of root.querySelectorAll("pre.microlight, pre.example")) set(block, "tabindex", "0");
};

const root = document.getElementById("swagger-ui");
if (root) new MutationObserver(() => repair(root)).observe(root, { childList: true, subtree: true });
SwaggerUIBundle(settings);
