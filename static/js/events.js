// Moves the events of a swing: drag a line of an editable chart, step it with the
// arrow keys, or type into the form. All three say the same swing:event-moved, so
// charts, figure and form agree. Saving is the form's business.
(() => {
  "use strict";

  const say = (event, time_s, final) =>
    document.dispatchEvent(new CustomEvent("swing:event-moved", { detail: { event, time_s, final } }));

  const inputFor = (name) =>
    document.querySelector(`[data-event-form] input[name="${CSS.escape(name)}"]`);

  const grabbed = (target) => target.closest?.(".chart__event--movable");
  const chartOf = (group) => group.closest("[data-chart]").swingChart;

  let drag = null;

  document.addEventListener("pointerdown", (event) => {
    const group = grabbed(event.target);
    if (!group || event.button > 0) return;
    event.preventDefault();
    event.stopPropagation();
    drag = { group, name: group.dataset.event, chart: chartOf(group), time_s: null };
    group.classList.add("is-dragged");
    group.setPointerCapture(event.pointerId);
    group.focus();
  }, true);

  document.addEventListener("pointermove", (event) => {
    if (!drag) return;
    event.stopPropagation();
    const time_s = drag.chart.timeFromClientX(event.clientX);
    if (time_s === null) return;
    drag.time_s = time_s;
    say(drag.name, time_s, false);
    document.dispatchEvent(
      new CustomEvent("swing:time", { detail: { time_s, source: "event" } }),
    );
  }, true);

  const release = () => {
    if (!drag) return;
    drag.group.classList.remove("is-dragged");
    if (drag.time_s !== null) say(drag.name, drag.time_s, true);
    drag = null;
  };
  document.addEventListener("pointerup", release, true);
  document.addEventListener("pointercancel", release, true);

  document.addEventListener("keydown", (event) => {
    const group = grabbed(event.target);
    if (!group || !["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    const chart = chartOf(group);
    const steps = (event.key === "ArrowLeft" ? -1 : 1) * (event.shiftKey ? 10 : 1);
    const time_s = chart.eventTime(group.dataset.event) + steps * chart.step_s;
    say(group.dataset.event, time_s, true);
    document.dispatchEvent(
      new CustomEvent("swing:time", { detail: { time_s, source: "event" } }),
    );
  }, true);

  let filling = false;
  document.addEventListener("swing:event-moved", (event) => {
    const input = inputFor(event.detail.event);
    if (!input || event.detail.source === "form") return;
    filling = true;
    input.value = event.detail.time_s.toFixed(3);
    input.dispatchEvent(new Event("input", { bubbles: true }));
    if (event.detail.final) input.dispatchEvent(new Event("change", { bubbles: true }));
    filling = false;
  });

  // --- What is moved and not saved yet ------------------------------------------------

  const SAME_S = 0.0006; // as in the form: what an input shows is rounded

  const movedInputs = () =>
    [...document.querySelectorAll("[data-event-form] input[type=number]")].filter(
      (input) =>
        input.value !== "" &&
        (input.defaultValue === "" ||
          Math.abs(input.valueAsNumber - Number(input.defaultValue)) > SAME_S),
    );

  const nameOf = (input) => input.labels[0].textContent.replace(/ \(s\)$/, "");

  const inWords = (inputs) => {
    if (inputs.length > 1) return `${inputs.length} events moved, not saved`;
    const [input] = inputs;
    if (input.defaultValue === "") return `${nameOf(input)} set, not saved`;
    const by_ms = Math.round(1000 * (input.valueAsNumber - Number(input.defaultValue)));
    return `${nameOf(input)} moved by ${by_ms < 0 ? "−" : "+"}${Math.abs(by_ms)} ms, not saved`;
  };

  const showMoved = () => {
    const bar = document.querySelector("[data-moved-bar]");
    if (!bar) return;
    const inputs = movedInputs();
    bar.hidden = inputs.length === 0;
    bar.querySelector("[data-moved-words]").textContent = inputs.length ? inWords(inputs) : "";
  };

  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element)) return;
    if (event.target.closest("[data-moved-save]"))
      document.querySelector("[data-event-form]").requestSubmit();
    if (!event.target.closest("[data-moved-back]")) return;
    for (const input of movedInputs()) {
      if (input.defaultValue === "") input.value = "";
      else say(input.name, Number(input.defaultValue), true);
    }
    showMoved();
  });

  document.addEventListener("input", (event) => {
    if (event.target instanceof Element && event.target.closest("[data-event-form]")) showMoved();
  });

  document.addEventListener("input", (event) => {
    const input = event.target;
    if (filling || !(input instanceof HTMLInputElement) || !input.closest("[data-event-form]")) return;
    if (input.type !== "number" || input.value === "" || !Number.isFinite(input.valueAsNumber)) return;
    document.dispatchEvent(
      new CustomEvent("swing:event-moved", {
        detail: { event: input.name, time_s: input.valueAsNumber, final: true, source: "form" },
      }),
    );
  });
})();
