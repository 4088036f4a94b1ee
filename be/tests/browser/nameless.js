// Boxes that assistive technology would call nothing at all, names where none may be, and what
// scrolls but can't be reached by a key. A title alone is no name: on a phone nobody sees it.
() => {
  const name = (box) => (box.getAttribute("aria-label")
    || (box.getAttribute("aria-labelledby") ?? "").split(" ").map((id) => document.getElementById(id)?.textContent).join("")
    || [...(box.labels ?? [])].map((label) => label.textContent).join("") || box.placeholder || "").trim();
  const boxes = "#content :is(input:not([type=hidden]), select, textarea, [role=combobox], [role=textbox], [role=searchbox])";
  const bad = [...document.querySelectorAll(boxes)].filter((box) => box.checkVisibility() && !name(box));
  const forbidden = [...document.querySelectorAll("#content :is(span, div)[aria-label]:not([role])")];
  const longer = (box) => ["auto", "scroll"].includes(getComputedStyle(box).overflowY) && box.scrollHeight > box.clientHeight
    || ["auto", "scroll"].includes(getComputedStyle(box).overflowX) && box.scrollWidth > box.clientWidth;
  const unreached = [...document.querySelectorAll("#content :is(div, pre)")].filter((box) => box.checkVisibility() && longer(box)
    && box.tabIndex < 0 && !box.querySelector("a[href], button, input, select, textarea, [tabindex='0']"));
  return [...bad, ...forbidden, ...unreached].map((box) => box.outerHTML.slice(0, 160));
}
