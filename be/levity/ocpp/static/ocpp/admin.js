// Renews the parts of a page that show the present, and sends a form once.
(() => {
  "use strict";
  const PERIOD = 10_000;

  const liveParts = () => {
    const parts = [...document.querySelectorAll("[data-live][id]")];
    if (document.body.matches(".change-list.model-chargepoint")) {
      const list = document.getElementById("result_list");
      if (list) parts.push(list);
    }
    return parts;
  };

  // A person who is on a link in there, or marks a text, is not interrupted.
  const isInUse = (part) => {
    const selection = document.getSelection();
    const marked = selection && !selection.isCollapsed && part.contains(selection.anchorNode);
    return marked || part.contains(document.activeElement);
  };

  // The session has ended: what stands here grows old, and must not look like the present.
  const sayLoggedOut = () => {
    clearInterval(renewal);
    const note = document.createElement("p");
    note.className = "lv-notice";
    note.setAttribute("role", "alert");
    const link = document.createElement("a");
    link.className = "lv-link";
    link.href = location.href;
    link.textContent = "Log in again";
    note.append("You are logged out. This page is no longer renewed. ", link);
    liveParts()[0]?.before(note);
  };

  let renewal;
  const renew = async () => {
    const parts = liveParts();
    if (document.hidden || !parts.length) return;
    let fresh;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (answer.redirected && answer.url.includes("/login/")) return sayLoggedOut();
      if (answer.redirected || !answer.ok) return;
      fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    } catch {
      return; // The next turn tries again.
    }
    for (const part of parts) {
      const newer = fresh.getElementById(part.id);
      if (newer && part.isConnected && !isInUse(part)) part.innerHTML = newer.innerHTML;
    }
  };

  document.addEventListener("DOMContentLoaded", () => {
    if (liveParts().length) renewal = setInterval(renew, PERIOD);
  });

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
})();
