// Boxes that assistive technology would call nothing at all, and names where none may be.
() => {
  const name = (box) => (box.getAttribute("aria-label")
    || (box.getAttribute("aria-labelledby") ?? "").split(" ").map((id) => document.getElementById(id)?.textContent).join("")
    || [...(box.labels ?? [])].map((label) => label.textContent).join("") || box.title || box.placeholder || "").trim();
  const boxes = "#content :is(input:not([type=hidden]), select, textarea, [role=combobox], [role=textbox], [role=searchbox])";
  const bad = [...document.querySelectorAll(boxes)].filter((box) => box.checkVisibility() && !name(box));
  const forbidden = [...document.querySelectorAll("#content :is(span, div)[aria-label]:not([role])")];
  return [...bad, ...forbidden].map((box) => box.outerHTML.slice(0, 160));
}
