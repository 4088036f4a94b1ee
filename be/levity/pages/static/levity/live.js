// Renews what shows the present, cell by cell and never the table around them, so that ticks, focus,
// marked text and what somebody is typing live on. htmx asks; levity/pages/kit/live.py answers.
(() => {
  "use strict";
  const AFTER_A_FAILURE = 5_000;
  // Of each cell that is shown: the server's digest of what stands in it.
  const have = new Map();
  let live, timer, fields;
  let renewed = Date.now();
  // The server's clock minus this one's, so that "12 s ago" is right where this one is not.
  let ahead = 0;

  // --- putting in what is new ------------------------------------------------------------------

  const keyOf = (node) =>
    node.nodeType === Node.ELEMENT_NODE
      ? node.id || node.dataset.key || (node.nodeName === "A" && node.getAttribute("href")) || ""
      : "";

  // Whether this node can become that one. A link that leads elsewhere is another link: nobody's
  // Enter shall go to a place that came under the focus a moment ago.
  const isAlike = (node, fresh) => node.nodeName === fresh.nodeName && keyOf(node) === keyOf(fresh);

  const copyAttributes = (node, fresh) => {
    for (const { name, value } of fresh.attributes) {
      if (node.getAttribute(name) !== value) node.setAttribute(name, value);
    }
    for (const { name } of [...node.attributes]) {
      if (name !== "open" && !fresh.hasAttribute(name)) node.removeAttribute(name);
    }
  };

  // Make the content of `box` that of `fresh` and keep every node that can stay.
  const morph = (box, fresh) => {
    const left = new Set(box.childNodes);
    let here = box.firstChild;
    for (const wanted of [...fresh.childNodes]) {
      const found = keyOf(wanted)
        ? [...left].find((node) => isAlike(node, wanted))
        : here && isAlike(here, wanted) && here;
      if (!found) {
        box.insertBefore(wanted, here);
        continue;
      }
      left.delete(found);
      if (found === here) here = here.nextSibling;
      else box.insertBefore(found, here);
      if (found.nodeType !== Node.ELEMENT_NODE) {
        if (found.nodeValue !== wanted.nodeValue) found.nodeValue = wanted.nodeValue;
      } else {
        copyAttributes(found, wanted);
        morph(found, wanted);
      }
    }
    for (const node of left) node.remove();
  };

  const renewPart = (key, box, fresh) => {
    if (!box) return;
    morph(box, fresh);
    have.set(key, fresh.dataset.have);
  };

  // --- rows of a list --------------------------------------------------------------------------

  const list = () => document.getElementById("result_list");
  const rows = () => [...(list()?.tBodies ?? [])].filter((row) => row.dataset.pk);

  const isInUse = (box) => {
    const marked = document.getSelection();
    return (
      box.contains(document.activeElement) ||
      (marked && !marked.isCollapsed && box.contains(marked.anchorNode)) ||
      box.querySelector("input.action-select:checked") !== null
    );
  };

  const renewCells = (row, fresh) => {
    for (const cell of fresh.querySelectorAll("[data-cell]")) {
      const box = row.querySelector(`.field-${CSS.escape(cell.dataset.cell)}`);
      // In the first cell the link to the row's page stays what it is.
      if (box) morph((box.nodeName === "TH" && box.querySelector(":scope > a")) || box, cell);
    }
    have.set(`r.${row.dataset.pk}`, fresh.dataset.have);
  };

  const newRows = (fragment) => {
    const found = new Map();
    for (const box of fragment.querySelectorAll("[data-new]")) {
      const keys = box.dataset.new.split(" ");
      const digests = box.dataset.have.split(" ");
      [...box.querySelector("table").tBodies].forEach((row, at) => {
        row.dataset.pk = keys[at];
        have.set(`r.${keys[at]}`, digests[at]);
        found.set(keys[at], row);
      });
    }
    return found;
  };

  const renewRows = (fragment) => {
    const said = fragment.querySelector("[data-order]");
    if (!said) return;
    const order = said.dataset.order.split(" ").filter(Boolean);
    const table = list();
    if (!table || !order.length) {
      // From an empty list to a table, or back: the page is another one.
      const isFree = !(table && isInUse(table)) && !document.activeElement?.matches("input, select");
      if (!table !== !order.length && isFree) location.reload();
      return;
    }
    const shown = new Map(rows().map((row) => [row.dataset.pk, row]));
    for (const fresh of fragment.querySelectorAll("[data-row]")) {
      const row = shown.get(fresh.dataset.row);
      if (row) renewCells(row, fresh);
    }
    const wanted = new Set(order);
    for (const [pk, row] of shown) {
      if (wanted.has(pk) || isInUse(row)) continue;
      row.remove();
      have.delete(`r.${pk}`);
    }
    // Under somebody's hands no row changes its place; new ones still come in.
    const isFixed = isInUse(table);
    const fresh = newRows(fragment);
    let before = table.tHead;
    for (const pk of order) {
      const row = shown.get(pk) ?? fresh.get(pk);
      if (!row) continue;
      if (!row.isConnected || (!isFixed && before.nextElementSibling !== row)) before.after(row);
      before = row;
    }
    rows().forEach((row, at) => {
      row.classList.toggle("bg-base-50", at % 2 === 1);
      row.classList.toggle("dark:bg-white/[.02]", at % 2 === 1);
    });
  };

  htmx.defineExtension("lv-live", {
    handleSwap: (style, target, fragment) => {
      if (style !== "lv-cells") return false;
      renewRows(fragment);
      for (const fresh of fragment.querySelectorAll("[data-part]")) {
        const id = fresh.dataset.part;
        renewPart(`p.${id}`, document.getElementById(id), fresh);
      }
      for (const fresh of fragment.querySelectorAll("[data-field]")) {
        const at = fresh.dataset.field;
        renewPart(`f.${at}`, fields[at], fresh);
      }
      tick();
      document.dispatchEvent(new CustomEvent("lv-renewed"));
      return [];
    },
  });

  // --- times that go on by themselves ------------------------------------------------------------

  // In the language of the page (kit/words.py); English is what stands here.
  let translated = {};
  const said = (text, words = {}) =>
    (translated[text] ?? text).replace(/%\((\w+)\)s/g, (_, name) => words[name]);

  const UNITS = [[86400, "d"], [3600, "h"], [60, "min"]];
  const pad = (number) => String(number).padStart(2, "0");
  const lasted = (seconds) => {
    if (seconds < 0) return said("negative (clock)");
    const minutes = Math.floor(seconds / 60);
    if (minutes >= 60) return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
    return minutes ? `${minutes} min ${pad(seconds % 60)} s` : `${seconds} s`;
  };
  const AS = {
    // As formats.py writes them.
    ago: (seconds) =>
      seconds < 0 ? said("in the future") : said("%(span)s ago", { span: AS.for(seconds) }),
    for: (seconds) => {
      for (const [size, unit] of UNITS) {
        if (seconds >= size) return `${Math.floor(seconds / size)} ${said(unit)}`;
      }
      return `${seconds} s`;
    },
    "so far": (seconds) => said("%(span)s so far", { span: lasted(seconds) }),
  };

  const tick = () => {
    const now = (Date.now() + ahead) / 1000;
    for (const shown of document.querySelectorAll("time[data-since]")) {
      const text = AS[shown.dataset.as]?.(Math.floor(now - Number(shown.dataset.since)));
      if (text && shown.textContent !== text) shown.textContent = text;
    }
  };

  // --- asking ------------------------------------------------------------------------------------

  const say = (...words) => {
    live.replaceChildren(...words);
    live.classList.toggle("lv-notice", words.length > 0);
  };

  const sayOld = (why) => {
    const time = new Date(renewed).toLocaleTimeString("en-GB");
    say(`${said("Not updated since %(time)s:", { time })} ${why} ${said("The page shows the state of that time.")}`);
  };

  const sayLoggedOut = () => {
    const link = document.createElement("a");
    link.className = "lv-link";
    link.href = location.href;
    link.textContent = said("Log in again");
    const time = new Date(renewed).toLocaleTimeString("en-GB");
    say(`${said("You are logged out.")} ${said("Not updated since %(time)s.", { time })} `, link);
  };

  const wait = (milliseconds) => {
    clearTimeout(timer);
    if (milliseconds > 0 && !document.hidden) timer = setTimeout(ask, milliseconds);
  };

  const ask = () => {
    clearTimeout(timer);
    if (!document.hidden) htmx.trigger(live, "lv-renew");
  };

  const isElsewhere = (xhr) =>
    xhr.responseURL !== "" && new URL(xhr.responseURL).pathname !== location.pathname;

  const tellWhatIsThere = (event) => {
    const known = rows().map((row) => `r.${row.dataset.pk}:${have.get(`r.${row.dataset.pk}`) ?? ""}`);
    for (const [key, digest] of have) {
      if (!key.startsWith("r.")) known.push(`${key}:${digest}`);
    }
    event.detail.headers["X-Levity-Live"] = known.join(",") || "-";
  };

  const afterAnswer = (event) => {
    const { xhr, successful } = event.detail;
    if (successful && isElsewhere(xhr)) {
      if (new URL(xhr.responseURL).pathname.includes("/login/")) return sayLoggedOut();
      return sayOld(said("this page is gone or has moved."));
    }
    if (!successful) {
      if (!navigator.onLine) sayOld(said("this device is offline."));
      else if (!xhr.status) sayOld(said("the server does not answer."));
      else if (xhr.status === 403) sayOld(said("you may not see this page any more."));
      else if (xhr.status === 404) sayOld(said("it is not there any more."));
      else sayOld(said("the server answered %(status)s.", { status: xhr.status }));
      return wait(AFTER_A_FAILURE);
    }
    renewed = Date.now();
    const date = Date.parse(xhr.getResponseHeader("Date") ?? "");
    if (date) ahead = Math.abs(date - renewed) < 2_000 ? 0 : date - renewed;
    if (live.childNodes.length) say();
    wait(Number(xhr.getResponseHeader("X-Levity-Every")) * 1000);
  };

  document.addEventListener("DOMContentLoaded", () => {
    live = document.getElementById("lv-live");
    if (!live) return;
    translated = JSON.parse(live.dataset.words ?? "{}");
    fields = [...document.querySelectorAll("#content-main > form .readonly")];
    const order = document.getElementById("lv-order")?.dataset.order.split(" ") ?? [];
    [...(list()?.tBodies ?? [])].forEach((row, at) => (row.dataset.pk = order[at]));
    const now = Number(live.dataset.now);
    if (Math.abs(now - renewed) >= 2_000) ahead = now - renewed;
    setInterval(tick, 1_000);
    live.addEventListener("htmx:configRequest", tellWhatIsThere);
    live.addEventListener("htmx:afterRequest", afterAnswer);
    // Another page, such as the login, is no answer.
    live.addEventListener("htmx:beforeSwap", (event) => {
      if (isElsewhere(event.detail.xhr)) event.detail.shouldSwap = false;
    });
    const every = Number(live.dataset.every) * 1000;
    if (!every) return;
    document.addEventListener("visibilitychange", () => (document.hidden ? wait(0) : ask()));
    window.addEventListener("offline", () => sayOld(said("this device is offline.")));
    window.addEventListener("online", ask);
    window.addEventListener("pageshow", (event) => event.persisted && ask());
    wait(every);
  });
})();
