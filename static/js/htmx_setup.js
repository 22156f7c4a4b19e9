// @ts-check
// What every page needs of htmx, dialogs and menus. Which answers are swapped in
// stands in the htmx-config of base.html; here is what people see when one is not.

import { toast } from "./shared/messages.js";
import { forget, formOf, keep, sayNotSaved, submitterOf } from "./shared/unsaved.js";

const LOGIN = "/accounts/login/";

const toLogin = () => {
  const here = location.pathname + location.search;
  location.assign(`${LOGIN}?next=${encodeURIComponent(here)}`);
};

// --- Messages at the lower right ------------------------------------------

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-close-alert]") : null;
  button?.closest(".alert")?.remove();
});

/** Title and text of what an answer's status means. @type {Record<number, [string, string]>} */
const WORDS = {
  400: ["That didn't work", "Check what you entered and try again."],
  403: ["Not allowed", "Your login can't do this. If the page is old, reload it and try again."],
  404: ["No longer here", "It may have been removed or merged. Reload the page."],
  409: ["Changed in the meantime", "Reload the page to see how it is now, then try again."],
  429: ["Too many requests", "Wait a minute, then try again."],
  503: ["Busy right now", "Nothing was changed. Try again in a minute."],
};

/** @param {CustomEvent<HtmxDetail>} event */
const quiet = (event) => Boolean(event.detail.elt?.closest?.("[data-quiet]"));

/**
 * What a view says in plain text went wrong; empty for a whole page, which is not shown.
 * @param {XMLHttpRequest} xhr
 */
const plainMessage = (xhr) => {
  const type = xhr.getResponseHeader("Content-Type") || "";
  const text = xhr.responseText || "";
  return type.startsWith("text/plain") && text.length < 300 ? text : "";
};

// A page that asks by itself learns that the login has ended, and stays as it is: a note
// may be half written on it.
const sayLoggedOut = () => {
  const place = document.querySelector(".site-freshness");
  if (!place) return;
  const link = document.createElement("a");
  link.className = "chip chip--notice";
  link.href = `${LOGIN}?next=${encodeURIComponent(location.pathname + location.search)}`;
  link.textContent = "Logged out";
  place.replaceChildren(link);
};

document.addEventListener("htmx:responseError", (event) => {
  const xhr = event.detail.xhr;
  if (quiet(event)) {
    if (xhr.status === 401) sayLoggedOut();
    return;
  }
  const form = formOf(event.detail);
  if (xhr.status === 401) {
    if (form) keep(form);
    return toLogin();
  }
  const [title, text] = WORDS[xhr.status] ?? [
    "Something went wrong on the server",
    "Nothing was changed here. Try again. If it keeps happening, tell whoever runs the site.",
  ];
  const inPlace =
    form && xhr.status >= 500 && sayNotSaved(form, "Not saved: the server had a problem.", submitterOf(event.detail));
  if (!inPlace) toast(title, plainMessage(xhr) || text);
});

// The answer is lost, and the request may have arrived.
/** @param {CustomEvent<HtmxDetail>} event */
const sayUnknown = ({ detail }) => {
  const form = formOf(detail);
  const why = "No answer. We don't know whether it was saved.";
  return form !== null && sayNotSaved(form, why, submitterOf(detail), { mayBeSaved: true });
};

/** @param {CustomEvent<HtmxDetail>} event */
const sayOffline = ({ detail }) => {
  const form = formOf(detail);
  return form !== null && sayNotSaved(form, "Not saved: no connection.", submitterOf(detail));
};

document.addEventListener("htmx:sendError", (event) => {
  if (quiet(event)) return;
  if (!(navigator.onLine ? sayUnknown(event) : sayOffline(event)))
    toast("No connection", "The server could not be reached. Check the Wi-Fi and try again.");
});

document.addEventListener("htmx:timeout", (event) => {
  if (quiet(event)) return;
  if (!sayUnknown(event))
    toast("That took too long", "The server did not answer in time. Try again.");
});

/** @param {XMLHttpRequest} xhr */
const leadsToLogin = (xhr) => {
  const to = xhr.getResponseHeader("HX-Redirect");
  return to !== null && new URL(to, location.href).pathname === LOGIN;
};

// Before the answer is swapped in: it may bring the same form again, empty.
document.addEventListener("htmx:beforeOnLoad", (event) => {
  const form = formOf(event.detail);
  if (!form || event.detail.xhr.status >= 400) return;
  // The login has ended: nothing was saved.
  if (leadsToLogin(event.detail.xhr)) keep(form);
  else forget(form);
});

document.addEventListener("htmx:beforeSwap", (event) => {
  const answered = event.detail.xhr.responseURL;
  if (answered && new URL(answered).pathname === LOGIN && location.pathname !== LOGIN) {
    event.detail.shouldSwap = false;
    toLogin();
  }
});

// htmx writes an error of its own to the console for each of these; a quiet
// request that fails is no error to anybody.
document.addEventListener("htmx:beforeOnLoad", (event) => {
  const { xhr } = event.detail;
  if (quiet(event) && xhr.status >= 400) event.preventDefault();
});

// --- Waiting --------------------------------------------------------------------

// What a person asked for and is not there after 300 ms says so, and dims what it
// will replace. What a page asks by itself (a poll, say) waits in silence.
const WAIT_MS = 300;
const ASKED = ["click", "submit", "change", "input", "keyup"];
/** @type {Map<XMLHttpRequest, {target?: HTMLElement, isLong: boolean, timer?: ReturnType<typeof setTimeout>}>} */
const waits = new Map();

const sayWaiting = () => {
  const box = document.getElementById("waiting");
  const isLong = [...waits.values()].some((wait) => wait.isLong);
  if (box) box.textContent = isLong ? "Loading …" : "";
};

document.addEventListener("htmx:beforeSend", (event) => {
  const { xhr, target, requestConfig } = event.detail;
  if (quiet(event) || !ASKED.includes(requestConfig?.triggeringEvent?.type ?? "")) return;
  /** @type {{target?: HTMLElement, isLong: boolean, timer?: ReturnType<typeof setTimeout>}} */
  const wait = { target, isLong: false };
  wait.timer = setTimeout(() => {
    wait.isLong = true;
    target?.classList.add("is-waiting");
    sayWaiting();
  }, WAIT_MS);
  waits.set(xhr, wait);
});

// Whatever came of it: an answer, an error, or another request in its place.
document.addEventListener("htmx:afterRequest", (event) => {
  const wait = waits.get(event.detail.xhr);
  if (!wait) return;
  clearTimeout(wait.timer);
  waits.delete(event.detail.xhr);
  wait.target?.classList.remove("is-waiting");
  sayWaiting();
});

// --- Dialogs ----------------------------------------------------------------

/** @type {Element | null} */
let openedFrom = null;

/**
 * Opens a dialog; the focus goes back where it was when it is closed.
 * @param {Element | null} dialog
 */
const openDialog = (dialog) => {
  if (!(dialog instanceof HTMLDialogElement) || dialog.open) return;
  openedFrom = document.activeElement;
  dialog.showModal();
  const goBack = () => {
    if (openedFrom instanceof HTMLElement || openedFrom instanceof SVGElement) openedFrom.focus();
  };
  dialog.addEventListener("close", goBack, { once: true });
};

/** @returns {NodeListOf<HTMLDetailsElement>} */
const openMenus = () => document.querySelectorAll("details[data-menu][open]");

document.addEventListener("click", (event) => {
  const target = event.target;
  if (!(target instanceof Element)) return;
  /** @type {HTMLElement | null} */
  const open = target.closest("[data-open-dialog]");
  if (open) openDialog(document.getElementById(open.dataset.openDialog ?? ""));
  if (target.closest("[data-close-dialog]")) target.closest("dialog")?.close();
  // A click beside the content hits the dialog element itself.
  if (target instanceof HTMLDialogElement && target.open) target.close();
  for (const menu of openMenus())
    if (!menu.contains(target)) menu.open = false;
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of openMenus()) {
    menu.open = false;
    menu.querySelector("summary")?.focus();
  }
});

// A definition opens in its dialog, whose title is the label that was pressed.
document.addEventListener("htmx:beforeRequest", (event) => {
  const name = event.detail.elt.dataset?.definition;
  const title = document.getElementById("definition-dialog-title");
  if (name && title) title.textContent = name;
});

// A page that comes back from the history has no target.
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target?.id === "definition-dialog-body")
    openDialog(document.getElementById("definition-dialog"));
});

// --- What was opened stays open ------------------------------------------------

// A part that is sent anew (after a swing is excluded, say) comes closed.
/** @type {Set<string>} */
const opened = new Set();

document.addEventListener(
  "toggle",
  ({ target }) => {
    if (!(target instanceof HTMLDetailsElement) || !target.dataset.stays) return;
    if (target.open) opened.add(target.dataset.stays);
    else opened.delete(target.dataset.stays);
  },
  true, // it does not bubble
);

document.addEventListener("htmx:load", ({ detail: { elt } }) => {
  // It may be what was sent, or stand inside of it.
  for (const details of [elt, ...elt.querySelectorAll("details[data-stays]")])
    if (details instanceof HTMLDetailsElement && opened.has(details.dataset.stays ?? "")) details.open = true;
});

// --- Tables wider than the screen ---------------------------------------------

// What scrolls sideways has to be reached by keyboard, and only while it scrolls.
const widths = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    // A page that gives it a role says the rest itself.
    if (!(target instanceof HTMLElement) || target.hasAttribute("role")) continue;
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});

/** @param {Document | Element} root */
const watchTables = (root) => {
  for (const wrap of root.querySelectorAll(".table-wrap")) widths.observe(wrap);
};

// A module runs after the page was read, and finds all of it.
watchTables(document);
document.addEventListener("htmx:load", (event) => watchTables(event.detail.elt));
