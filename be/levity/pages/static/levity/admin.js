// A form is sent once, and what assistive technology reads is said.
(() => {
  "use strict";
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("form[data-once]")) return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
  // "Back" shows the page as it was left; the form may be sent again, changed.
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-once]")) delete form.dataset.sent;
  });
  // Work in portions: the next one is asked for by the page itself, but not after "back".
  window.addEventListener("pageshow", (event) => {
    const [navigation] = performance.getEntriesByType("navigation");
    if (event.persisted || navigation?.type === "back_forward") return;
    // A moment later, so that the page is painted before the next portion begins.
    setTimeout(() => document.querySelector("form[data-goes-on]")?.submit(), 100);
  });
  // The page is hidden until Alpine runs: the browser finds nothing there to put the focus on.
  document.addEventListener("alpine:initialized", () => {
    requestAnimationFrame(() => {
      if (document.activeElement === document.body) document.querySelector("input[autofocus]")?.focus();
    });
  });
  // WCAG 2.2, 2.4.1: with the keyboard, the menu is 27 links long on every page.
  const addSkip = (main) => {
    const link = document.createElement("a");
    Object.assign(link, { href: "#main", className: "lv-skip", textContent: "Skip to content" });
    link.addEventListener("click", (event) => {
      event.preventDefault();
      main.tabIndex = -1;
      main.focus();
    });
    document.body.prepend(link);
  };
  // Boxes that scroll all have the same name: the one of the menu gets its own.
  const nameRegions = () => {
    const boxes = [...document.querySelectorAll(".simplebar-content-wrapper[role=region]")];
    boxes.forEach((box, at) => {
      const name = box.closest("#nav-sidebar-apps") ? "Menu" : box.querySelector("table") ? "Table" : `Part ${at + 1}`;
      box.setAttribute("aria-label", name);
    });
  };
  // On a phone each cell says which column it is of. unfold calls the first one "Select record"
  // where there is nothing to tick, and begins the others as they are written in a sentence.
  const nameCells = () => {
    const table = document.getElementById("result_list");
    // Without the signs for sorting.
    const words = document.createTreeWalker(table?.querySelector("thead th") ?? document.head, NodeFilter.SHOW_TEXT);
    while (words.nextNode() && !words.currentNode.data.trim());
    const first = words.currentNode.data?.trim();
    for (const cell of table?.querySelectorAll("tbody [data-label]") ?? []) {
      const isFirst = cell.matches("td:first-child:not(.action-checkbox)");
      const text = isFirst && first ? first : cell.dataset.label;
      if (text && !cell.matches(".action-checkbox")) cell.dataset.label = text[0].toUpperCase() + text.slice(1);
    }
  };
  document.addEventListener("DOMContentLoaded", nameCells);
  document.addEventListener("lv-renewed", nameCells);
  // unfold's pages have no <main>.
  document.addEventListener("DOMContentLoaded", () => {
    const main = document.getElementById("main") ?? document.getElementById("login-form")?.parentElement;
    main?.setAttribute("role", "main");
    if (main?.id === "main") addSkip(main);
    nameRegions();
  });
  // What other scripts build on forms has no names: select2's boxes get those of their labels, and
  // signs with a text are pictures.
  const nameOf = (select) => {
    const label = select.labels?.[0] ?? select.closest("form > div, fieldset > div")?.querySelector("h3, label");
    return (label?.textContent ?? select.name).trim();
  };
  const nameBox = (select) => {
    const box = select.parentElement.querySelector(".select2-selection");
    if (!box || box.hasAttribute("aria-label")) return;
    const name = nameOf(select);
    box.setAttribute("aria-label", name);
    box.removeAttribute("aria-labelledby");
    box.querySelector(".select2-search__field")?.setAttribute("aria-label", name);
    const chosen = box.querySelector(".select2-selection__rendered[role=textbox]");
    chosen?.removeAttribute("role");
    chosen?.removeAttribute("aria-readonly");
  };
  window.addEventListener("load", nameRegions);
  const nameAll = () => {
    document.querySelectorAll("select.select2-hidden-accessible").forEach(nameBox);
    for (const sign of document.querySelectorAll(".help-tooltip[aria-label]:not([role])")) {
      sign.setAttribute("role", "img");
    }
  };
  document.addEventListener("DOMContentLoaded", () => {
    if (!document.querySelector("select")) return;
    nameAll();
    // They build when they are ready, which may be after everything else.
    new MutationObserver(nameAll).observe(document.body, { childList: true, subtree: true });
  });
})();
