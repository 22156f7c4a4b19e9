// @ts-check
// On a dead line nobody ends on the browser's error page: a form is sent, and a link
// followed, once the server is known to be there; otherwise the page stays and says so.
// A browser that has Wi-Fi may have no line, and does not know: so each one is tried.
// Forms that htmx sends say it by htmx_setup.js. A line may still die between the two: then
// service_worker.js answers with a page of ours, in browsers that have service workers and
// on sites with HTTPS.

import { isServerThere } from "./shared/line.js";
import { takeAway, toast } from "./shared/messages.js";
import { buttonOf, forgetAll, keep, putAllBack, sayNotSaved, settleSent } from "./shared/unsaved.js";

const LOGGED_OUT = "logged-out";
const { user } = document.body.dataset;

// Asked when a finger or the mouse goes down, it is mostly known when the click comes.
const A_PRESS_MS = 1000;
/** @type {{at: number, answer: Promise<boolean>} | null} */
let asked = null;

const isThere = () => {
  const known = asked && performance.now() - asked.at < A_PRESS_MS ? asked.answer : isServerThere();
  asked = null;
  return known;
};

/** What was tried and goes on as the browser does it. @type {WeakSet<Element>} */
const tried = new WeakSet();
/** @type {WeakSet<Element>} */
const trying = new WeakSet();

const SAY_AFTER_MS = 300;

/** @param {string} [words] */
const sayLoading = (words = "Loading …") => {
  const box = document.getElementById("waiting");
  if (box) box.textContent = words;
};

/**
 * Goes on with what was pressed when the server is there.
 * @param {Element} pressed
 * @param {() => void} goOn
 * @param {() => void} sayNo
 */
const tryFirst = async (pressed, goOn, sayNo) => {
  if (trying.has(pressed)) return; // pressed twice
  trying.add(pressed);
  const said = setTimeout(sayLoading, SAY_AFTER_MS);
  const there = await isThere();
  clearTimeout(said);
  sayLoading("");
  trying.delete(pressed);
  if (!there) return sayNo();
  tried.add(pressed);
  goOn();
  tried.delete(pressed);
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
  if (form.method === "dialog") return;
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

/**
 * The link that a press leads along to another page of ours; null for anything else.
 * @param {MouseEvent} event
 */
const linkOf = ({ target, button, ctrlKey, metaKey, shiftKey, altKey }) => {
  if (button > 0 || ctrlKey || metaKey || shiftKey || altKey) return null;
  const link = target instanceof Element ? target.closest("a[href]") : null;
  if (!(link instanceof HTMLAnchorElement) || link.target || link.download) return null;
  // What the page made itself (blob:) has its origin, too, and needs no line.
  if (link.protocol !== location.protocol || link.origin !== location.origin) return null;
  const isPlace = link.hash !== "" && link.pathname === location.pathname && link.search === location.search;
  return isPlace ? null : link;
};

document.addEventListener("pointerdown", (event) => {
  const link = linkOf(event);
  // htmx asks for itself, and says what comes of it.
  if (link && !link.matches("[hx-get], [hx-boost=true] a")) asked = { at: performance.now(), answer: isServerThere() };
});

document.addEventListener("click", (event) => {
  const link = event.defaultPrevented ? null : linkOf(event);
  if (!link || tried.has(link)) return;
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
 * Whether this page is the answer to the form that was sent last. Who goes back to a page,
 * or types its address, while something is still marked as sent saw no answer; the login
 * page and a refusal saved nothing.
 */
const isAnswer = () => {
  const [page] = performance.getEntriesByType("navigation");
  if (!user || !(page instanceof PerformanceNavigationTiming)) return Boolean(user);
  const isRefusal = page.responseStatus >= 400 && page.responseStatus !== 422; // that has the form again
  const isFollowed = page.type !== "back_forward" && document.referrer !== "";
  return isFollowed && !isRefusal;
};

// Whoever logs in next on this tablet finds nothing of who was here before.
settleSent(isAnswer());
if (user) {
  forgetAll({ but: user });
  putAllBack(document);
}
// Once the page is there: it is for the next one.
window.addEventListener("load", () => {
  navigator.serviceWorker?.register("/service-worker.js", { updateViaCache: "all" }).catch(() => {
    // Switched off in this browser: links and forms are still tried first.
  });
});

document.addEventListener("htmx:load", (event) => putAllBack(event.detail.elt));
