// Ticks of a list and the bar that acts on them, for rows that come and go while they are looked at.
// (Django's actions.js keeps the boxes that were there when the page was loaded.)
(() => {
  "use strict";
  let last = null;
  const boxes = () => [...document.querySelectorAll("#result_list input.action-select")];
  const all = (selector) => document.querySelectorAll(`#changelist-actions ${selector}`);
  const show = (selector, isShown) => {
    for (const part of all(selector)) part.classList.toggle("hidden", !isShown);
  };
  // "Select all 1,200": also those on other pages.
  const isAcross = () => [...all("input.select-across")].some((input) => input.value === "1");
  const setAcross = (value) => {
    for (const input of all("input.select-across")) input.value = value ? "1" : "0";
  };

  const count = () => {
    const toggle = document.getElementById("action-toggle");
    if (!toggle) return;
    const found = boxes();
    if (isAcross()) for (const box of found) box.checked = true;
    const ticked = found.filter((box) => box.checked).length;
    for (const box of found) box.closest("tr").classList.toggle("selected", box.checked);
    toggle.checked = found.length > 0 && ticked === found.length;
    toggle.indeterminate = ticked > 0 && !toggle.checked;
    for (const counter of all("span.action-counter")) {
      counter.dataset.actionsIcnt = found.length;
      counter.textContent = `${ticked} of ${found.length} selected`;
    }
    show("span.question", toggle.checked && !isAcross());
    show("span.clear", isAcross());
    show("span.all", isAcross());
    show("span.action-counter", !isAcross());
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest("#changelist-actions :is(.question, .clear) a");
    if (!link) {
      // Shift and a click: all between the last one and this one.
      const box = event.target.closest("input.action-select");
      if (!box) return;
      const found = boxes();
      const [from, to] = [found.indexOf(last), found.indexOf(box)].sort((a, b) => a - b);
      if (event.shiftKey && from >= 0) {
        for (const between of found.slice(from, to + 1)) between.checked = box.checked;
      }
      last = box;
      return;
    }
    event.preventDefault();
    const isAll = link.closest(".question") !== null;
    setAcross(isAll);
    for (const box of boxes()) box.checked = isAll;
    count();
  });

  document.addEventListener("change", (event) => {
    if (event.target.id === "action-toggle") {
      for (const box of boxes()) box.checked = event.target.checked;
    } else if (!event.target.matches("input.action-select")) {
      return;
    }
    setAcross(false);
    count();
  });

  document.addEventListener("lv-renewed", count);
  // "Back" shows the page with the ticks that were set.
  window.addEventListener("pageshow", count);
})();
