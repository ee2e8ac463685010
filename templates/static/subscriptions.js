// The signup and preferences pages work without this. It shows the preview while the reader types,
// guesses the time zone, and does the sum that stands in for waiting when the site is overrun.
"use strict";

(() => {
  const form = document.querySelector("form.signup");
  if (!form) return;

  const panel = document.getElementById("preview");
  const asked = ["topics", "queries", "muted", "was_muted", "description", "papers", "papers_file", "papers_drop"];
  let timer = 0;
  let running = null;

  // On a narrow screen the preview is far from the topics: a line at the bottom says what it holds.
  const line = document.querySelector(".preview-line");
  function summarise() {
    if (!line) return;
    const found = panel.querySelector("strong");
    line.hidden = !found;
    if (found) line.firstElementChild.textContent = `${found.textContent} of last week's papers match: show them`;
  }

  summarise();

  // Only what was found is read out at each pause, not the papers: it is said beside the panel, where nothing else is.
  const said = document.createElement("p");
  said.className = "visually-hidden";
  said.setAttribute("aria-live", "polite");
  panel.after(said);
  function say() {
    const sentences = [...panel.querySelectorAll(":scope > .error, :scope > .found")];
    said.textContent = sentences.map((one) => one.textContent).join(" ");
  }

  async function refresh() {
    if (running) running.abort();
    running = new AbortController();
    panel.hidden = false;
    panel.setAttribute("aria-busy", "true");
    const wishes = new FormData(form);
    for (const name of [...wishes.keys()]) {
      if (![...asked, "papers_kept", "csrfmiddlewaretoken"].includes(name)) wishes.delete(name);
    }
    try {
      const answer = await fetch(form.dataset.preview, { method: "POST", body: wishes, signal: running.signal });
      if (answer.ok) panel.innerHTML = await answer.text();
      summarise();
      say();
    } catch (error) {
      if (error.name === "AbortError") return;
    }
    panel.removeAttribute("aria-busy");
  }

  form.addEventListener("input", (event) => {
    if (!asked.includes(event.target.name)) return;
    clearTimeout(timer);
    timer = setTimeout(refresh, event.target.type === "textarea" ? 600 : 150);
  });

  // A form on its way needs no preview any more.
  form.addEventListener("submit", () => {
    clearTimeout(timer);
    if (running) running.abort();
  });

  const zone = document.getElementById("zone");
  if (document.querySelector("input[name=age]") && zone && zone.value === "UTC" && !zone.hasAttribute("aria-invalid")) {
    const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const names = (option) => [option.value, ...(option.dataset.earlier || "").split(" ")];
    const found = [...zone.options].find((option) => names(option).includes(here));
    if (found) zone.value = found.value;
  }

  const leadingZeros = (bytes) => {
    let bits = 0;
    for (const byte of bytes) {
      if (byte) return bits + Math.clz32(byte) - 24;
      bits += 8;
    }
    return bits;
  };

  async function solve(challenge, wanted, told) {
    const encoder = new TextEncoder();
    for (let number = 0; ; number += 1) {
      const hash = await crypto.subtle.digest("SHA-256", encoder.encode(`${challenge}:${number}`));
      if (leadingZeros(new Uint8Array(hash)) >= wanted) return number;
      if (number % 5000 === 0) told(number);
    }
  }

  if (form.dataset.work && window.crypto && crypto.subtle) {
    const status = document.querySelector(".work-status");
    status.textContent = "Or instead of waiting: your browser is doing a sum that shows a person is here.";
    solve(form.dataset.work, Number(form.dataset.bits), () => {}).then((number) => {
      for (const [name, value] of [["work", form.dataset.work], ["sum", String(number)]]) {
        const field = document.createElement("input");
        field.type = "hidden";
        field.name = name;
        field.value = value;
        form.append(field);
      }
      status.textContent = "The sum is done. Press “Send me the confirmation” once more.";
    });
  }
})();

// On the preferences page a button takes along what was typed in the other forms, so that it stands there again.
(() => {
  const forms = document.querySelectorAll("main form");
  if (!document.querySelector("form.signup [name=part]")) return;
  let gathering = false;
  function gather(event) {
    if (gathering) return;
    gathering = true;
    for (const other of [...forms].filter((one) => one !== event.target)) {
      for (const [name, value] of new FormData(other)) {
        if (typeof value === "string" && name !== "csrfmiddlewaretoken") event.formData.append(name, value);
      }
    }
    gathering = false;
  }
  for (const form of forms) form.addEventListener("formdata", gather);
})();
