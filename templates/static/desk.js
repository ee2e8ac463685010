// The desk without a mouse. Every key presses a button that is on the page, so nothing here is needed to work.
"use strict";

const papers = () => Array.from(document.querySelectorAll(".sift"));
const typing = (element) => element.matches("input, textarea, select, [contenteditable]");

function here() {
  const focused = document.activeElement && document.activeElement.closest(".sift");
  return focused || document.querySelector(".sift:target");
}

function go(step) {
  const all = papers();
  if (!all.length) return;
  const at = all.indexOf(here());
  const next = all[Math.min(all.length - 1, Math.max(0, at + step))];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

function press(key) {
  const within = key === "u" ? document : here();
  const target = within && within.querySelector(`[data-key="${key}"]`);
  if (!target) return false;
  if (target.matches("input")) target.focus();
  else target.click();
  return true;
}

// Why a key has nothing to press: said aloud, so that no key is silently dead.
function explain(key) {
  const fixed = document.querySelector(".triage").dataset.fixed;
  const none = {
    u: "There is nothing of yours to undo here.",
    m: "No paper here looks like this one: there is nothing to merge.",
  };
  return fixed || (key === "u" || here() ? none[key] : "Choose a paper first, with j or k.");
}

function say(text) {
  const line = document.getElementById("keys-say");
  if (line) line.textContent = text;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && typing(event.target)) {
    const paper = event.target.closest(".sift");
    if (paper) paper.focus();
    return;
  }
  if (typing(event.target) || !document.querySelector(".triage")) return;
  if (event.key === "j" || event.key === "k") {
    go(event.key === "j" ? 1 : -1);
    event.preventDefault();
  } else if ("phnmu".includes(event.key) && event.key.length === 1) {
    say(press(event.key) ? "" : explain(event.key) || "");
    event.preventDefault();
  }
});

// After an act the page comes back at the same paper: put the keys there again.
const target = document.querySelector(".sift:target");
if (target) target.focus();

for (const box of document.querySelectorAll("[data-preview]")) {
  const shown = document.getElementById(box.dataset.preview);
  box.addEventListener("input", () => { shown.textContent = box.value || "No note."; });
}
