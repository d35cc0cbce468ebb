// Keeps the start page up to date. Asks the server for what changed, and swaps the cells that differ.
"use strict";

const RUNNING_MS = 2000, RESTING_MS = 10000, UNREAD_MS = 50, LONGEST_MS = 60000;
const FORM = { month: "short", day: "numeric", hour: "numeric", minute: "2-digit" };
const SHORT = new Intl.DateTimeFormat(undefined, FORM); // making one takes longer than using it
const LONG = new Intl.DateTimeFormat(undefined, { ...FORM, year: "numeric" });
const main = document.getElementById("studies");
const body = document.getElementById("rows");
const filter = document.getElementById("filter");
let parts = "", timer = 0, misses = 0, first = true;

function localTimes(within) {
  for (const time of within.querySelectorAll("time[datetime]")) {
    const when = new Date(time.dateTime);
    const thisYear = when.getFullYear() === new Date().getFullYear();
    time.textContent = (thisYear ? SHORT : LONG).format(when);
    time.title = when.toString();
  }
}

function parsed(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  localTimes(holder.content);
  return holder.content;
}

// Where the focus is within an element, to be put back there after its content was swapped.
function focusWithin(element) {
  const active = document.activeElement;
  if (!element.contains(active) || active === element) return () => {};
  const all = (e) => [...e.querySelectorAll("a, summary, pre")];
  const place = all(element).indexOf(active), label = active.getAttribute("aria-label");
  return () => {
    const now = all(element);
    const same = now.find((one) => label && one.getAttribute("aria-label") === label) || now[place];
    if (same) same.focus({ preventScroll: true });
  };
}

function openedDetails(element) {
  const open = [...element.querySelectorAll("details")].map((one) => one.open);
  return () => element.querySelectorAll("details").forEach((one, i) => { one.open = !!open[i]; });
}

function swapped(element, young) {
  const refocus = focusWithin(element), reopen = openedDetails(element);
  element.replaceChildren(...young.childNodes);
  reopen();
  refocus();
}

// The HTML of a cell without what a reader has opened.
function plain(cell) {
  return cell.innerHTML.replaceAll(' open=""', "");
}

function update(row, young) {
  [...young.children].forEach((cell, i) => {
    const old = row.children[i];
    if (plain(old) === plain(cell)) return;
    swapped(old, cell);
    old.classList.remove("changed");
    void old.offsetWidth; // the animation begins anew
    old.classList.add("changed");
  });
  row.dataset.state = young.dataset.state;
}

function reorder(order) {
  const rows = new Map([...body.children].map((row) => [row.dataset.key, row]));
  const wanted = new Set(order);
  for (const [key, row] of rows) if (!wanted.has(key)) row.remove();
  let place = body.firstElementChild, incomplete = false;
  for (const key of order) {
    const row = rows.get(key);
    if (!row) { incomplete = true; continue; } // an older run is the newest again
    if (row === place) { place = place.nextElementSibling; continue; }
    const refocus = focusWithin(row);
    body.insertBefore(row, place);
    refocus();
  }
  return !incomplete;
}

function tell(lines) {
  if (lines.length) document.getElementById("told").textContent = lines.slice(0, 5).join(". ") + ".";
}

function show(news) {
  const lines = [];
  let complete = true;
  if (news.order) {
    const rows = new Map([...body.children].map((row) => [row.dataset.key, row]));
    for (const [key, html] of Object.entries(news.rows)) {
      const young = parsed(html).querySelector("tr"), row = rows.get(key);
      if (!row) {
        body.append(young);
        lines.push(`${key} is new, ${young.dataset.state}`);
        continue;
      }
      const before = row.dataset.state, after = young.dataset.state;
      if (before !== after && before !== "reading") lines.push(`${key} is ${after}`);
      update(row, young);
    }
    complete = reorder(news.order);
    document.getElementById("none").hidden = news.order.length > 0;
  }
  if (news.parts_html !== undefined) {
    // The first answer is what the page came with: swapping it would lose nothing and gain nothing.
    if (!first) swapped(document.getElementById("parts"), parsed(news.parts_html));
    parts = news.parts;
  }
  first = false;
  const headline = document.getElementById("headline");
  if (headline.textContent !== news.headline) headline.textContent = news.headline;
  main.dataset.boot = news.boot;
  main.dataset.revision = complete ? news.revision : -1;
  sift();
  tell(lines);
  return news.unread ? UNREAD_MS : news.running ? RUNNING_MS : RESTING_MS;
}

function sift() {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const row of body.children) {
    const text = `${row.dataset.key} ${row.dataset.state}`.toLowerCase();
    const fits = words.every((word) => text.includes(word));
    row.classList.toggle("filtered", !fits);
    shown += fits;
  }
  const said = words.length ? `${shown} of ${body.children.length} shown` : "";
  const place = document.getElementById("filtered");
  if (place.textContent !== said) place.textContent = said;
  filter.closest(".filter").hidden = body.children.length < 2 && !words.length;
}

async function ask() {
  clearTimeout(timer);
  if (document.hidden) return; // asked again when it is seen
  const query = new URLSearchParams({
    since: main.dataset.revision, boot: main.dataset.boot, parts,
  });
  if (main.dataset.study) query.set("study", main.dataset.study);
  let wait;
  try {
    const answer = await fetch(`${main.dataset.news}?${query}`, { credentials: "same-origin" });
    if (!answer.ok) throw new Error(answer.statusText);
    wait = show(await answer.json());
    misses = 0;
  } catch (error) {
    misses += 1;
    wait = Math.min(LONGEST_MS, RUNNING_MS * 2 ** misses);
  }
  document.getElementById("lost").hidden = misses < 2;
  clearTimeout(timer);
  timer = setTimeout(ask, wait);
}

localTimes(document);
filter.addEventListener("input", sift);
document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
sift();
timer = setTimeout(ask, Number(main.dataset.unread) ? UNREAD_MS : RUNNING_MS);
