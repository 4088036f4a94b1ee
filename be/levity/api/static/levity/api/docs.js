// Starts Swagger UI, and searches in what it shows: addresses, methods, descriptions, groups.
"use strict";
(() => {
  const { schema, csrf } = document.body.dataset;
  const search = document.getElementById("api-search");
  const found = document.getElementById("api-found");

  // What is said of each operation, by the id of its block: a block that is closed shows a title only.
  const said = new Map();

  const ui = window.SwaggerUIBundle({
    url: new URL(schema, window.location.href).pathname,
    dom_id: "#api",
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    presets: [window.SwaggerUIBundle.presets.apis],
    validatorUrl: null,
    requestInterceptor(request) {
      if (csrf && new URL(request.url, window.location.href).origin === window.location.origin) {
        request.headers["X-CSRFToken"] = csrf;
      }
      return request;
    },
    onComplete() {
      const document = ui.specSelectors.specJson().toJS();
      for (const [path, methods] of Object.entries(document.paths)) {
        for (const [method, operation] of Object.entries(methods)) {
          const { operationId, description = "", summary = "", tags = ["default"] } = operation;
          const text = [method, path, operationId, summary, description, ...tags].join(" ");
          said.set(`operations-${tags[0].replaceAll(" ", "_")}-${operationId}`, text.toLowerCase());
        }
      }
      filter();
    },
  });

  function filter() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const section of document.querySelectorAll(".opblock-tag-section")) {
      let shown = 0;
      for (const block of section.querySelectorAll(".opblock")) {
        const text = said.get(block.id) ?? block.textContent.toLowerCase();
        const fits = words.every((word) => text.includes(word));
        block.classList.toggle("api-hidden", !fits);
        shown += fits ? 1 : 0;
      }
      section.classList.toggle("api-hidden", words.length > 0 && shown === 0);
      count += shown;
    }
    found.textContent = words.length ? `${count} found` : "";
  }

  search.addEventListener("input", filter);
})();
