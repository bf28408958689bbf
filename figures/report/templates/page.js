"use strict";
(() => {
  const root = document.documentElement;
  const THEME = "fragility-theme";
  const dark = matchMedia("(prefers-color-scheme: dark)");

  // A page from a disk may have no storage, and it may have no address of its own to write to.
  const attempt = (action) => {
    try {
      return action();
    } catch {
      return null;
    }
  };

  const theme = attempt(() => localStorage.getItem(THEME));
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;

  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);

  function themes() {
    const button = document.getElementById("page-theme");
    const show = () => button.setAttribute("aria-pressed", String(isDark()));
    button.hidden = false;
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      attempt(() => localStorage.setItem(THEME, root.dataset.theme));
      show();
    });
    dark.addEventListener("change", show);
    show();
  }

  function filtering() {
    const form = document.getElementById("page-filter");
    if (!form) return { apply() {}, clear() {} };
    const claims = [...document.querySelectorAll(".claim")];
    const papers = [...document.querySelectorAll(".paper")];
    const fields = [...form.elements].filter((field) => field.name);
    const count = document.getElementById("page-count");
    const opener = document.getElementById("page-open");
    const texts = new Map();

    const text = (claim) => {
      if (!texts.has(claim)) texts.set(claim, claim.textContent.toLowerCase());
      return texts.get(claim);
    };
    const against = (claim, name, value) =>
      name === "verdict" && value === form.dataset.against && "against" in claim.dataset;
    const has = (claim, name, value) => claim.dataset[name] === value || against(claim, name, value);

    function apply() {
      const asked = fields.filter((field) => field.tagName === "SELECT" && field.value);
      const words = form.elements.words.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const claim of claims) {
        const fits =
          asked.every((field) => has(claim, field.name, field.value)) &&
          words.every((word) => text(claim).includes(word));
        claim.hidden = !fits;
        shown += fits;
      }
      const filtered = asked.length + words.length > 0;
      for (const paper of papers) paper.hidden = filtered && !paper.querySelector(".claim:not([hidden])");
      root.classList.toggle("filtered", filtered);
      count.textContent = filtered
        ? `${shown} of ${claims.length} claims; figures and tables are not shown`
        : `${claims.length} claims`;
    }

    function keep() {
      const query = new URLSearchParams();
      for (const field of fields) if (field.value.trim()) query.set(field.name, field.value.trim());
      const search = query.toString();
      attempt(() => history.replaceState(null, "", location.pathname + (search ? `?${search}` : "") + location.hash));
    }

    function restore() {
      const query = new URLSearchParams(location.search);
      for (const field of fields) {
        const value = query.get(field.name) ?? "";
        field.value = value;
        if (field.tagName === "SELECT" && field.selectedIndex < 0) field.value = "";
      }
      apply();
    }

    function clear() {
      for (const field of fields) field.value = "";
      apply();
      keep();
    }

    form.hidden = false;
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", () => {
      apply();
      keep();
    });
    form.addEventListener("reset", (event) => {
      event.preventDefault();
      clear();
    });
    opener.addEventListener("click", () => {
      const open = opener.getAttribute("aria-pressed") !== "true";
      for (const claim of claims) if (!claim.hidden) claim.open = open;
      opener.setAttribute("aria-pressed", String(open));
    });
    addEventListener("popstate", restore);
    restore();
    return { clear };
  }

  // What a link leads to is shown, whatever was asked for before.
  function reveal(hash, filter) {
    const id = attempt(() => decodeURIComponent(hash.slice(1)));
    const place = id && document.getElementById(id);
    if (!place) return;
    const filtered = root.classList.contains("filtered");
    if (place.closest("[hidden]") || (filtered && place.closest(".evidence"))) filter.clear();
    const claim = place.closest(".claim");
    if (claim) claim.open = true;
    place.scrollIntoView();
  }

  function copying() {
    if (!navigator.clipboard) return;
    for (const command of document.querySelectorAll(".command")) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = "Copy";
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(command.querySelector("code").textContent).then(
          () => (button.textContent = "Copied"),
          () => (button.textContent = "Not copied"),
        );
        setTimeout(() => (button.textContent = "Copy"), 2000);
      });
      command.append(button);
    }
  }

  function printing() {
    let closed = [];
    addEventListener("beforeprint", () => {
      closed = [...document.querySelectorAll(".claim:not([open])")];
      for (const claim of closed) claim.open = true;
    });
    addEventListener("afterprint", () => {
      for (const claim of closed) claim.open = false;
    });
  }

  document.addEventListener("DOMContentLoaded", () => {
    themes();
    const filter = filtering();
    copying();
    printing();
    addEventListener("hashchange", () => reveal(location.hash, filter));
    // The address does not change where a link to the same place is followed again.
    document.addEventListener("click", (event) => {
      const link = event.target.closest('a[href^="#"]');
      if (link && link.hash === location.hash) reveal(link.hash, filter);
    });
    if (location.hash) reveal(location.hash, filter);
  });
})();
