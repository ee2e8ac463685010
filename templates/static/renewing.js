// Today renews its numbers by itself while it is looked at. Without this script the link "Renew" does.
"use strict";

const EVERY = 20000;
const live = document.getElementById("live");
let last = Date.now();
let going = false;

const said = (root) => Array.from(root.querySelectorAll("[data-says]"), (one) => one.textContent);

// Only what is new among the things that need somebody is said aloud.
function tell(before, after) {
  const fresh = after.filter((one) => !before.includes(one));
  const line = document.getElementById("told");
  if (fresh.length) line.textContent = `What needs you: ${fresh.join(" ")}`;
  else if (before.length && !after.length) line.textContent = "Nothing needs you any more.";
}

// Where the keys were, by the link's own address: numbers and neighbours may have changed.
function focusIn(block) {
  const at = document.activeElement;
  if (!block.contains(at) || !at.matches("a[href]")) return null;
  const same = Array.from(block.querySelectorAll("a[href]")).filter((one) => one.href === at.href);
  return { href: at.href, place: same.indexOf(at) };
}

function focusAgain(block, kept) {
  if (!kept) return;
  const links = Array.from(block.querySelectorAll("a[href]"));
  const same = links.filter((one) => one.href === kept.href);
  const target = same[Math.min(kept.place, same.length - 1)] || document.getElementById("main");
  target.focus({ preventScroll: true });
}

function swap(block, fresh) {
  if (block.innerHTML === fresh.innerHTML) return;
  const kept = focusIn(block);
  const open = Array.from(block.querySelectorAll("details"), (one) => one.open);
  const before = said(block);
  block.replaceChildren(...fresh.childNodes);
  block.querySelectorAll("details").forEach((one, place) => { one.open = open[place] || one.open; });
  focusAgain(block, kept);
  if (block.hasAttribute("data-told")) tell(before, said(block));
}

function stale(words) {
  let line = document.getElementById("stale");
  if (!line) {
    line = document.createElement("p");
    line.id = "stale";
    line.className = "notice warn";
    line.setAttribute("role", "status");
    live.prepend(line);
  }
  if (line.textContent !== words) line.textContent = words;
}

async function renew() {
  if (going || document.hidden) return;
  going = true;
  try {
    const answer = await fetch(live.dataset.from, { credentials: "same-origin", redirect: "manual" });
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const fresh of page.querySelectorAll("[data-live]")) {
      const block = document.getElementById(fresh.id);
      if (block) swap(block, fresh);
    }
    document.getElementById("stale")?.remove();
  } catch {
    stale("These numbers are no longer renewed: the desk does not answer, or you are signed out. Renew the page.");
  }
  last = Date.now();
  going = false;
}

if (live) {
  setInterval(renew, EVERY);
  document.addEventListener("visibilitychange", () => { if (Date.now() - last > EVERY) renew(); });
}
