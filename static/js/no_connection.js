// @ts-check
// The page that a dead line gets instead of the browser's: it looks by itself whether
// the line is back.

import { isServerThere } from "./shared/line.js";
import { settleSent } from "./shared/unsaved.js";

const EVERY_MS = 3000;

/** @type {HTMLElement | null} */
const place = document.querySelector("[data-no-connection]");
const said = place?.querySelector("[data-said]");

const goOn = () => {
  // Loaded again, a form that was sent would be sent again: that is for its page to ask.
  if (place?.dataset.noConnection !== "sent") return location.reload();
  if (said) said.textContent = "The connection is back.";
};

const look = async () => {
  if (await isServerThere()) return goOn();
  setTimeout(look, EVERY_MS);
};

settleSent(false); // nothing answered what was sent
place?.querySelector("[data-back]")?.addEventListener("click", () => history.back());
// At its own address it stands for no other page, and would load itself for ever.
if (place && location.pathname !== place.dataset.own) setTimeout(look, EVERY_MS);
