"""What is asked of every page: does it fit, can a finger hit it, is anything dead."""

from __future__ import annotations

from tests.browser.looks import OVERFLOW, PAINTED

# What a phone shows of a table stands as cards; only the numbers behind a chart,
# which are opened by hand, may be wider than the screen.
SIDEWAYS = """() => [...document.querySelectorAll('.table-wrap')]
  .filter((wrap) => !wrap.closest('details.data-table'))
  .filter((wrap) => wrap.scrollWidth > wrap.clientWidth + 1)
  .map((wrap) => wrap.innerText.slice(0, 40))"""
# An input does not tell that the words in it are cut.
CUT = """() => [...document.querySelectorAll('input[placeholder]')]
  .filter((input) => input.offsetWidth)
  .filter((input) => {
    const style = getComputedStyle(input);
    const pen = document.createElement('canvas').getContext('2d');
    pen.font = style.font;
    const room = input.clientWidth
      - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    return pen.measureText(input.placeholder).width > room;
  })
  .map((input) => input.placeholder)"""
# One question for each width: asking costs as much as looking.
FITS = f"""async () => {{
  await ({PAINTED})();
  const isNarrow = innerWidth < 640;
  return [({OVERFLOW})(), isNarrow ? ({SIDEWAYS})() : [], isNarrow ? ({CUT})() : []];
}}"""

# A box with its label is one target, and so is a row or a tile that one link covers.
# Left out as WCAG 2.5.8 does: what stands in a line with other words, for it is as high
# as the line. A pixel is rounded away.
SMALL = """() => {
  const TARGETS =
    "a[href], button, input:not([type=hidden]), select, textarea, summary";
  const boxOf = (element) => {
    const over = getComputedStyle(element, "::after");
    if (over.content !== "none" && over.inset === "0px") {
      let holder = element;
      while (getComputedStyle(holder).position === "static" && holder.parentElement)
        holder = holder.parentElement;
      return holder.getBoundingClientRect();
    }
    const box = element.getBoundingClientRect();
    const label = /checkbox|radio|file/.test(element.type) && element.labels?.[0];
    if (!label) return box;
    const words = label.getBoundingClientRect();
    const [left, top] = [Math.min(box.left, words.left), Math.min(box.top, words.top)];
    return {
      width: Math.max(box.right, words.right) - left,
      height: Math.max(box.bottom, words.bottom) - top,
    };
  };
  const isIn = (element, kinds) => kinds.test(getComputedStyle(element).display);
  const isInText = (element) => {
    if (!isIn(element, /^inline/)) return false;
    let block = element.parentElement;
    while (isIn(block, /^(inline|contents)/)) block = block.parentElement;
    if (isIn(block, /flex|grid/)) return false;
    const words = block.cloneNode(true);
    for (const other of words.querySelectorAll(
      "a, button, summary, select, input, script, template, [popover]"
    ))
      other.remove();
    return /[\\p{L}\\p{N}]/u.test(words.textContent);
  };
  return [...document.querySelectorAll(TARGETS)]
    .filter((one) => one.checkVisibility({ visibilityProperty: true }))
    .filter((one) => one.offsetWidth > 1 && one.offsetHeight > 1)
    .map((one) => [one, boxOf(one)])
    .filter(([, box]) => Math.min(box.width, box.height) < 43.5)
    .filter(([one]) => !isInText(one))
    .map(([one, box]) => {
      const name = one.innerText || one.getAttribute("aria-label") || one.type;
      const place = `${one.parentElement.className} > ${one.localName}`;
      const size = `${Math.round(box.width)} x ${Math.round(box.height)}`;
      return `${place} ${name.slice(0, 40)}: ${size}`;
    });
}"""

# A link that is a box for a finger has its words and what stands in it as boxes too,
# and the space between two of them is gone.
TOUCHING = r"""() => {
  const isBox = (element) => {
    const style = getComputedStyle(element);
    return /flex/.test(style.display) && !parseFloat(style.columnGap);
  };
  const isSeen = (element) =>
    element && element.offsetWidth > 1 && !element.matches(".visually-hidden");
  const loses = (node) => node.nodeType === Node.TEXT_NODE && node.data.trim() && (
    (/\s$/.test(node.data) && isSeen(node.nextElementSibling)) ||
    (/^\s/.test(node.data) && isSeen(node.previousElementSibling)));
  return [...document.querySelectorAll("main :is(a, summary, label)")]
    .filter((one) => one.checkVisibility() && isBox(one))
    .filter((one) => [...one.childNodes].some(loses))
    .map((one) => `no space in: ${one.textContent.trim().slice(0, 60)}`);
}"""

# What would do nothing when it is pressed, and what is waited for in vain.
DEAD = r"""() => {
  const seen = (element) => element.checkVisibility({ visibilityProperty: true });
  const name = (element) => element.outerHTML.replace(/\s+/g, ' ').slice(0, 90);
  const found = [];
  for (const button of document.querySelectorAll('button'))
    if (seen(button) && !button.popoverTargetElement && !button.disabled)
      if (button.type === 'button' || !button.form) found.push(`dead: ${name(button)}`);
  for (const form of document.querySelectorAll('form')) {
    const fields = [...form.elements].filter(seen);
    const types = fields.map((one) => one.type);
    const isTyped = types.length === 1 && ['text', 'search'].includes(types[0]);
    if (fields.length && !isTyped && !types.includes('submit'))
      found.push(`no button sends: ${name(form)}`);
  }
  for (const field of document.querySelectorAll('select, input:not([type=hidden])'))
    if (seen(field) && !field.form && !field.closest('.sheet__more'))
      found.push(`in no form: ${name(field)}`);
  for (const link of document.querySelectorAll('a'))
    if (seen(link) && ['', '#', null].includes(link.getAttribute('href')))
      found.push(`leads nowhere: ${name(link)}`);
  for (const chart of document.querySelectorAll('[data-chart]')) {
    const parts = [...chart.querySelectorAll('img, svg, table, summary')];
    if (seen(chart) && !parts.some(seen))
      found.push(`no picture or table: ${name(chart)}`);
  }
  const main = document.querySelector('main');
  for (const wait of ['Drawing …', 'Loading …', 'Measuring …'])
    if (main.innerText.includes(wait)) found.push(`waits: ${wait}`);
  if (!document.querySelector('h1')) found.push('no heading');
  return found;
}"""
