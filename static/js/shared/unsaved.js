// @ts-check
// What a form says in its place when it could not be saved, and what was typed until it
// is: in this tab alone, for this user alone, and gone at logout.

const PREFIX = "unsaved:";
const NOT_KEPT = ["hidden", "password", "file", "submit", "button", "reset"];

/** @typedef {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} Field */

/** @param {Element} element @returns {element is Field} */
const isField = (element) =>
  element instanceof HTMLTextAreaElement ||
  element instanceof HTMLSelectElement ||
  (element instanceof HTMLInputElement && !NOT_KEPT.includes(element.type));

/** @param {HTMLFormElement} form @returns {Field[]} */
const fieldsOf = (form) => [...form.elements].filter(isField).filter((field) => field.name !== "");

/** @param {Field} field */
const isBox = (field) => field instanceof HTMLInputElement && ["checkbox", "radio"].includes(field.type);

/** @param {Field} field */
const stateOf = (field) => (isBox(field) ? /** @type {HTMLInputElement} */ (field).checked : field.value);

/** @param {Field} field */
const isChanged = (field) => {
  if (field instanceof HTMLSelectElement) return ![...field.options].every((one) => one.selected === one.defaultSelected);
  if (isBox(field)) {
    const box = /** @type {HTMLInputElement} */ (field);
    return box.checked !== box.defaultChecked;
  }
  return field.value !== field.defaultValue;
};

const user = () => document.body.dataset.user ?? "";

/** @param {HTMLFormElement} form */
const keyOf = (form) => {
  const names = fieldsOf(form).map((field) => `${field.name}${isBox(field) ? `=${field.value}` : ""}`);
  const action = new URL(form.getAttribute("action") || location.href, location.href);
  return `${PREFIX}${user()}:${location.pathname}:${action.pathname}:${names.join()}`;
};

/** @param {(storage: Storage) => void} use nothing is kept where storage is switched off */
const inStorage = (use) => {
  try {
    use(sessionStorage);
  } catch {
    // The form itself still holds what was typed.
  }
};

// The server stores a form of one name once, so it keeps its name until it is answered.
/** @param {HTMLFormElement} form */
const nameOf = (form) => {
  const field = form.elements.namedItem("once");
  return field instanceof HTMLInputElement ? field : null;
};

/** @typedef {{sent: boolean, mayBeSaved: boolean, once?: string, states: (string | boolean)[]}} Kept */

/**
 * Keeps what was typed into a form, until it is saved.
 * @param {HTMLFormElement} form
 * @param {{sent?: boolean, mayBeSaved?: boolean}} [options] whether the browser is sending
 *   it just now, and whether it was sent and no answer came
 */
export const keep = (form, { sent = false, mayBeSaved = false } = {}) => {
  const fields = fieldsOf(form);
  if (!user()) return;
  /** @type {Kept} */
  const kept = { sent, mayBeSaved, once: nameOf(form)?.value, states: fields.map(stateOf) };
  inStorage((storage) => {
    if (fields.some(isChanged)) storage.setItem(keyOf(form), JSON.stringify(kept));
    else storage.removeItem(keyOf(form));
  });
};

/** @param {Storage} storage */
const keysOf = (storage) => Object.keys(storage).filter((key) => key.startsWith(PREFIX));

/**
 * Forgets what the browser sent when it was answered; otherwise it is not saved.
 * @param {boolean} isAnswered
 */
export const settleSent = (isAnswered) =>
  inStorage((storage) => {
    for (const key of keysOf(storage)) {
      /** @type {Kept} */
      const kept = JSON.parse(storage.getItem(key) ?? "{}");
      if (!kept.sent) continue;
      if (isAnswered) storage.removeItem(key);
      else storage.setItem(key, JSON.stringify({ ...kept, sent: false, mayBeSaved: true }));
    }
  });

/** @param {HTMLFormElement} form */
const takeMessageAway = (form) => form.querySelector("[data-unsaved]")?.remove();

/**
 * Forgets what was kept of a form: it is saved.
 * @param {HTMLFormElement} form
 */
export const forget = (form) => {
  takeMessageAway(form);
  inStorage((storage) => storage.removeItem(keyOf(form)));
};

/**
 * Forgets what was kept of everybody, or of everybody but the present user.
 * @param {{but?: string}} [options]
 */
export const forgetAll = ({ but } = {}) =>
  inStorage((storage) => {
    for (const key of keysOf(storage))
      if (but === undefined || !key.startsWith(`${PREFIX}${but}:`)) storage.removeItem(key);
  });

/** @param {string} text */
const messageOf = (text) => {
  const message = document.createElement("div");
  message.className = "alert alert--error unsaved";
  message.dataset.unsaved = "";
  message.setAttribute("role", "alert");
  const words = document.createElement("p");
  words.textContent = text;
  message.append(words);
  return message;
};

/**
 * The button to send a form with again: the pressed one, or the one that took its place.
 * It may stand outside of the form. Without it a form does not say what it is sent for.
 * @param {HTMLFormElement} form
 * @param {HTMLElement | null} submitter
 */
export const buttonOf = (form, submitter) => {
  if (!(submitter instanceof HTMLButtonElement)) return null;
  if (submitter.form === form) return submitter;
  const { name, value } = submitter;
  const buttons = [...form.elements].filter((one) => one instanceof HTMLButtonElement);
  return buttons.find((one) => one.type === "submit" && one.name === name && one.value === value) ?? null;
};

/**
 * Says in a form that it was not saved, with a button that tries again, and keeps what
 * was typed. False where nobody would see it.
 * @param {HTMLFormElement} form
 * @param {string} why
 * @param {HTMLElement | null} submitter the button that was pressed
 * @param {{mayBeSaved?: boolean}} [options] whether only its answer may have been lost
 */
export const sayNotSaved = (form, why, submitter, options) => {
  keep(form, options);
  takeMessageAway(form);
  if (!form.checkVisibility()) return false;
  const message = messageOf(`${why} What you entered is still here.`);
  const again = document.createElement("button");
  again.type = "button";
  again.textContent = "Try again";
  again.addEventListener("click", () => {
    takeMessageAway(form);
    // A click, because htmx sends the button that was clicked last.
    const button = buttonOf(form, submitter);
    if (button) button.click();
    else form.requestSubmit();
  });
  message.append(again);
  form.append(message);
  message.scrollIntoView({ block: "nearest" });
  return true;
};

const MAY_BE_SAVED = "No answer came, so this may not be saved. Check it and save it again.";

/**
 * Puts back what was kept, and says that it is not saved yet.
 * @param {HTMLFormElement} form
 */
const putBack = (form) => {
  /** @type {Partial<Kept>} */
  let found = {};
  inStorage((storage) => {
    found = JSON.parse(storage.getItem(keyOf(form)) ?? "{}");
  });
  const kept = found.states ?? [];
  const fields = fieldsOf(form);
  if (kept.length === 0 || kept.length !== fields.length || form.querySelector("[data-unsaved]")) return;
  fields.forEach((field, place) => {
    const state = kept[place];
    if (stateOf(field) === state) return;
    if (typeof state === "string") field.value = state;
    else if (field instanceof HTMLInputElement) field.checked = state;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  const name = nameOf(form);
  if (name && found.once) name.value = found.once;
  const closed = form.closest("details");
  if (closed) closed.open = true;
  form.append(messageOf(found.mayBeSaved ? MAY_BE_SAVED : "This was not saved yet: check it and save it."));
};

/** @param {Document | Element} root */
export const putAllBack = (root) => {
  let some = false;
  inStorage((storage) => {
    some = keysOf(storage).length > 0;
  });
  if (!some) return;
  for (const form of root.querySelectorAll("form[method=post]")) if (form instanceof HTMLFormElement) putBack(form);
};

/**
 * The form that htmx was sending to change something; null for anything else.
 * @param {HtmxDetail} detail
 * @returns {HTMLFormElement | null}
 */
export const formOf = ({ elt, requestConfig }) =>
  elt instanceof HTMLFormElement && requestConfig?.verb === "post" ? elt : null;

/**
 * The button with which a form was sent.
 * @param {HtmxDetail} detail
 * @returns {HTMLElement | null}
 */
export const submitterOf = ({ requestConfig }) => {
  const event = requestConfig?.triggeringEvent;
  return event instanceof SubmitEvent ? event.submitter : null;
};
