// @ts-check
// Whether the server can be reached. A browser that has Wi-Fi may have no line, and does
// not know: so it is asked.

const ALIVE = "/health/live";
const PATIENCE_MS = 8000;

/** Whether the server answers, whatever it says. */
export const isServerThere = async () => {
  if (!navigator.onLine) return false;
  try {
    await fetch(ALIVE, { cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(PATIENCE_MS) });
    return true;
  } catch {
    return false;
  }
};
