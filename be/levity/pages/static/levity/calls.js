// Forms of commands: rows that come and go, id tags that are suggested while one types, and an example
// of the action that is chosen. All of it works without this file, too, with a few rows less.
(() => {
  "use strict";
  const WAIT = 250;

  // --- rows --------------------------------------------------------------------------------------

  const NUMBERED = ["name", "id", "aria-label"];

  // Give every row the numbers of its place: the server reads them up to the first that is missing.
  const number = (box) => {
    const name = box.dataset.rows;
    [...box.querySelectorAll("tbody tr")].forEach((row, at) => {
      for (const input of row.querySelectorAll("input, select, textarea, button")) {
        for (const attribute of NUMBERED) {
          const value = input.getAttribute(attribute);
          if (value === null) continue;
          const renamed = value.startsWith(name) || value.startsWith(`id_${name}`)
            ? value.replace(`${name}-${row.dataset.at ?? at}-`, `${name}-${at}-`)
            : value.replace(/row \d+/, `row ${at + 1}`);
          input.setAttribute(attribute, renamed);
        }
      }
      row.dataset.at = at;
    });
  };

  const clear = (row) => {
    for (const input of row.querySelectorAll("input, textarea")) input.value = "";
    for (const select of row.querySelectorAll("select")) select.selectedIndex = select.dataset.first ?? 0;
  };

  const changed = (box) => box.dispatchEvent(new Event("change", { bubbles: true }));

  const add = (box) => {
    const rows = box.querySelectorAll("tbody tr");
    if (rows.length >= Number(box.dataset.most)) return;
    const row = rows[rows.length - 1].cloneNode(true);
    clear(row);
    rows[rows.length - 1].after(row);
    number(box);
    row.querySelector("input, select")?.focus();
    changed(box);
  };

  const remove = (box, row) => {
    const next = row.nextElementSibling ?? row.previousElementSibling;
    if (next) row.remove();
    else clear(row);
    number(box);
    (next ?? row).querySelector("input, select")?.focus();
    changed(box);
  };

  const prepare = (box) => {
    for (const part of box.querySelectorAll("[data-remove], [data-add]")) part.hidden = false;
    // An empty row has the choice that the server gave it, not the first.
    const rows = box.querySelectorAll("tbody tr");
    for (const select of rows[rows.length - 1].querySelectorAll("select")) {
      select.dataset.first = select.selectedIndex;
    }
    number(box);
    box.addEventListener("click", (event) => {
      if (event.target.closest("[data-add]")) add(box);
      const cell = event.target.closest("td[data-remove]");
      if (cell && event.target.closest("button")) remove(box, cell.closest("tr"));
    });
  };

  // --- id tags -----------------------------------------------------------------------------------

  const suggest = async (list, text) => {
    const answer = await fetch(`${list.dataset.tags}?q=${encodeURIComponent(text)}`);
    if (!answer.ok || answer.redirected) return;
    const { tags } = await answer.json();
    list.replaceChildren(
      ...tags.map(([tag, owner]) => Object.assign(document.createElement("option"), { value: tag, textContent: owner })),
    );
  };

  let timer;
  document.addEventListener("input", (event) => {
    const list = event.target.list;
    if (!list?.dataset.tags) return;
    clearTimeout(timer);
    timer = setTimeout(() => suggest(list, event.target.value), WAIT);
  });

  // --- examples ----------------------------------------------------------------------------------

  const showExample = (select) => {
    const text = document.querySelector("textarea[name=text]");
    const found = document.querySelector(`[data-example="${CSS.escape(select.value)}"]`);
    // What somebody has written stays.
    const isOurs = ["", "{}", text?.dataset.example].includes(text?.value.trim());
    if (!text || !found || !isOurs) return;
    text.value = text.dataset.example = found.textContent;
  };

  // --- the menu ----------------------------------------------------------------------------------

  const box = () => document.querySelector("input[data-search]");
  const menu = () => document.getElementById(box()?.dataset.search ?? "");

  const sift = () => {
    if (!menu()) return;
    const words = box().value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const entry of menu().querySelectorAll("[data-words]")) {
      entry.hidden = !words.every((word) => entry.dataset.words.includes(word));
    }
    for (const group of menu().querySelectorAll("section")) {
      group.hidden = !group.querySelector("[data-words]:not([hidden])");
    }
    if (words.length) menu().open = true;
  };

  const openFirst = (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    if (box().value.trim()) menu().querySelector("[data-words]:not([hidden]) a")?.click();
  };

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-rows]").forEach(prepare);
    if (box()) {
      box().hidden = false;
      box().addEventListener("input", sift);
      box().addEventListener("keydown", openFirst);
      // What has been renewed shows all of its entries again.
      document.addEventListener("lv-renewed", sift);
    }
    const select = document.querySelector("select[name=call]");
    select?.addEventListener("change", () => showExample(select));
    for (const range of document.querySelectorAll("input[type=range][data-for]")) {
      const box = document.getElementById(range.dataset.for);
      range.hidden = false;
      range.addEventListener("input", () => { box.value = range.value; });
      box?.addEventListener("input", () => { range.value = box.value; });
    }
  });
})();
