// @ts-check
// For a line that dies while a page is on its way: instead of the browser's error page
// there is one of ours. This script keeps the two pages that say so, with the files they
// show themselves with, and nothing else: whatever is of an athlete goes through it and
// stays nowhere.

/**
 * @typedef {Event & {waitUntil: (work: Promise<unknown>) => void}} LifeEvent
 * @typedef {Event & {request: Request, preloadResponse: Promise<Response | undefined>,
 *   respondWith: (answer: Promise<Response>) => void}} FetchEvent
 */
const worker = /** @type {any} */ (self);

const KEPT = "no-connection";
const NOT_LOADED = "/no-connection/";
const NOT_SENT = "/no-connection/?sent";
/** Written above by the server. @type {string[]} */
const FILES = worker.FILES ?? [];

worker.addEventListener("install", (/** @type {LifeEvent} */ event) => {
  const keep = async () => {
    const wanted = [NOT_LOADED, NOT_SENT, ...FILES].map((url) => new Request(url, { credentials: "omit", cache: "reload" }));
    await caches.delete(KEPT); // of an earlier version
    await (await caches.open(KEPT)).addAll(wanted);
    await worker.skipWaiting();
  };
  event.waitUntil(keep());
});

worker.addEventListener("activate", (/** @type {LifeEvent} */ event) => {
  const begin = async () => {
    // The browser asks for a page while this script starts, and so waits no longer than without it.
    await worker.registration.navigationPreload?.enable();
    await worker.clients.claim();
  };
  event.waitUntil(begin());
});

/** @param {FetchEvent} event */
const answerOf = async ({ request, preloadResponse }) => {
  try {
    return (await preloadResponse) ?? (await fetch(request));
  } catch (error) {
    const page = await caches.match(request.method === "GET" ? NOT_LOADED : NOT_SENT);
    if (page) return page;
    throw error;
  }
};

/** @param {FetchEvent} event */
const fileOf = async ({ request }) => (await caches.match(request.url)) ?? fetch(request);

worker.addEventListener("fetch", (/** @type {FetchEvent} */ event) => {
  const { mode, url } = event.request;
  const { pathname } = new URL(url);
  // Pages alone: their addresses end with a slash, those of files don't.
  if (mode === "navigate" && pathname.endsWith("/")) event.respondWith(answerOf(event));
  if (FILES.includes(pathname)) event.respondWith(fileOf(event));
});
