// The desk without a mouse. Every key presses a button that is on the page, so nothing here is needed to work.
"use strict";

const FIRST = "first"; // the fragment that asks for the first paper of a page
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
  const further = document.querySelector("nav a[rel=next]");
  if (step > 0 && at === all.length - 1 && further) {
    location.assign(further.href + "#" + FIRST);
    return;
  }
  const next = all[Math.min(all.length - 1, Math.max(0, at + step))];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

// An undo concerns another paper, perhaps: it is told where one stood.
function stand(button) {
  const at = button.form && button.form.elements.at;
  const paper = here();
  if (at && paper) at.value = paper.id.slice(1);
}

function press(key) {
  const within = key === "u" ? document : here();
  const target = within && within.querySelector(`[data-key="${key}"]`);
  if (!target) return false;
  if (target.matches("input")) target.focus();
  else if (target.matches("details")) target.open = !target.open;
  else {
    stand(target);
    target.click();
  }
  return true;
}

// Why a key has nothing to press: said aloud, so that no key is silently dead.
function explain(key) {
  const fixed = key !== "o" && document.querySelector(".triage").dataset.fixed;
  const none = {
    u: "There is nothing of yours to undo here.",
    m: "No paper here looks like this one: there is nothing to merge.",
    o: "There is no abstract of this paper.",
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
  } else if ("phnmuo".includes(event.key) && event.key.length === 1) {
    say(press(event.key) ? "" : explain(event.key) || "");
    event.preventDefault();
  }
});

const keys = document.getElementById("keys");
if (keys) keys.hidden = false;

// After an act the page comes back at a paper: put the keys there again.
const target = document.querySelector(".sift:target");
if (target) target.focus();
else if (location.hash === "#" + FIRST) go(1);

// A note half written outlives the acts on papers: in this tab, until it is kept. Leaving the tab asks first.
const DRAFTS = "notes";
const drafts = JSON.parse(sessionStorage.getItem(DRAFTS) || "{}");
const note = document.querySelector("textarea[data-kept]");
let isSent = false;

function isKept(input) {
  if (input === note) return input.value.trim() === input.dataset.kept.replace(/\r\n/g, "\n");
  return input.value.trim().split(/\s+/).join(" ") === input.defaultValue;
}

function draft(input) {
  if (isKept(input)) delete drafts[input.form.action];
  else drafts[input.form.action] = input.value;
  sessionStorage.setItem(DRAFTS, JSON.stringify(drafts));
  input.form.querySelector(".unkept").hidden = isKept(input);
}

for (const input of document.querySelectorAll(".note-form input[name=note], textarea[data-kept]")) {
  input.value = drafts[input.form.action] ?? input.value;
  draft(input);
  input.addEventListener("input", () => draft(input));
}

if (note) {
  document.addEventListener("submit", () => { isSent = true; });
  window.addEventListener("beforeunload", (event) => {
    if (!isSent && !isKept(note)) event.preventDefault();
  });
}

for (const box of document.querySelectorAll("[data-preview]")) {
  const shown = document.getElementById(box.dataset.preview);
  const show = () => { shown.textContent = box.value || "No note."; };
  show();
  box.addEventListener("input", show);
}
