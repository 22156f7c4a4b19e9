// @ts-check
// On a dead line nobody ends on the browser's error page: a form is sent, and a link
// followed, once the server is known to be there; otherwise the page stays and says so.
// Forms that htmx sends say it by htmx_setup.js.

import { takeAway, toast } from "./shared/messages.js";
import { buttonOf, forgetAll, keep, putAllBack, sayNotSaved, settleSent } from "./shared/unsaved.js";

const ALIVE = "/health/live";
const PATIENCE_MS = 8000;
const LOGGED_OUT = "logged-out";
const { user } = document.body.dataset;

// A request failed and none succeeded since: then links are tried first, too.
let inDoubt = false;
document.addEventListener("htmx:sendError", () => (inDoubt = true));
document.addEventListener("htmx:timeout", () => (inDoubt = true));
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.successful) inDoubt = false;
});

/** Whether the server answers, whatever it says. */
const isThere = async () => {
  if (!navigator.onLine) return false;
  try {
    await fetch(ALIVE, { cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(PATIENCE_MS) });
    inDoubt = false;
    return true;
  } catch {
    inDoubt = true;
    return false;
  }
};

/** What was tried and goes on as the browser does it. @type {WeakSet<Element>} */
const tried = new WeakSet();
/** @type {WeakSet<Element>} */
const trying = new WeakSet();

/**
 * Goes on with what was asked for when the server is there.
 * @param {Element} asked
 * @param {() => void} goOn
 * @param {() => void} sayNo
 */
const tryFirst = async (asked, goOn, sayNo) => {
  if (trying.has(asked)) return; // pressed twice
  trying.add(asked);
  const there = await isThere();
  trying.delete(asked);
  if (!there) return sayNo();
  tried.add(asked);
  goOn();
  tried.delete(asked);
};

const NO_CONNECTION = "No connection"; // as htmx_setup.js calls it
const sayDead = () => toast(NO_CONNECTION, "This page stays open. Check the Wi-Fi and try again.");

window.addEventListener("online", () => takeAway(NO_CONNECTION));

/**
 * The browser sends it now, and the line may still die under it.
 * @param {HTMLFormElement} form
 */
const goesOut = (form) => {
  if (form.matches("[data-logout]")) sayLoggedOut();
  else if (form.method === "post") keep(form, { sent: true });
};

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || event.defaultPrevented) return;
  if (tried.has(form)) return goesOut(form);
  if (form.method === "dialog" || (form.method === "get" && navigator.onLine && !inDoubt)) return;
  const { submitter } = event;
  event.preventDefault();
  tryFirst(
    form,
    () => form.requestSubmit(buttonOf(form, submitter)),
    () => {
      const isSaving = form.method === "post" && !form.matches("[data-logout]");
      if (!isSaving || !sayNotSaved(form, "Not saved: no connection.", submitter)) sayDead();
    },
  );
});

document.addEventListener("click", (event) => {
  if (event.defaultPrevented || (navigator.onLine && !inDoubt)) return;
  if (event.button > 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
  if (!(link instanceof HTMLAnchorElement) || tried.has(link) || link.target) return;
  const isPlace = link.hash !== "" && link.pathname === location.pathname && link.search === location.search;
  if (isPlace || link.origin !== location.origin) return;
  event.preventDefault();
  tryFirst(link, () => link.click(), sayDead);
});

// --- Nothing stays after logout ---------------------------------------------------------

/** @param {string} [stamp] */
const loggedOut = (stamp) => {
  try {
    if (stamp) localStorage.setItem(LOGGED_OUT, stamp);
    return localStorage.getItem(LOGGED_OUT);
  } catch {
    return null;
  }
};

const sayLoggedOut = () => {
  forgetAll();
  loggedOut(String(Date.now())); // other tabs hear of it
};

// After a logout from the admin, whose pages don't have this script.
if (document.querySelector("[data-logged-out]")) sayLoggedOut();

const atLoad = loggedOut();

window.addEventListener("storage", ({ key }) => {
  if (key === LOGGED_OUT) forgetAll();
});

// A page that comes back from the browser's memory after a logout is asked for again.
window.addEventListener("pageshow", ({ persisted }) => {
  if (!persisted) return;
  if (loggedOut() !== atLoad) return location.reload();
  settleSent(false);
  putAllBack(document);
});

/**
 * Whether this page is the answer to the form that was sent last. Who goes back to a page
 * while something is still marked as sent saw no answer; the login page and a refusal
 * saved nothing.
 */
const isAnswer = () => {
  const [page] = performance.getEntriesByType("navigation");
  if (!user || !(page instanceof PerformanceNavigationTiming)) return Boolean(user);
  const isRefusal = page.responseStatus >= 400 && page.responseStatus !== 422; // that has the form again
  return page.type !== "back_forward" && !isRefusal;
};

// Whoever logs in next on this tablet finds nothing of who was here before.
settleSent(isAnswer());
if (user) {
  forgetAll({ but: user });
  putAllBack(document);
}
document.addEventListener("htmx:load", (event) => putAllBack(event.detail.elt));
