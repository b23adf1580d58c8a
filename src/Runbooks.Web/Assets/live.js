// Keeps a page as its server has it: asks for it, swaps the parts that changed, and says how old it is.
// Everything works without it; reloading does the same.
const every = 3000;
const main = document.querySelector('main[data-now]');
const age = document.getElementById('age');
const shown = new Map();
let asked = false;
let heard = Date.now();
let skew = 0; // the server's clock minus ours
let trouble = null; // why nothing new is shown

const clock = date => date.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false });

function distance(ms) {
  const s = Math.floor(Math.abs(ms) / 1000);
  const words = s < 5 ? null : s < 60 ? `${s} s` : s < 3600 ? `${Math.floor(s / 60)} min`
    : s < 172800 ? `${Math.floor(s / 3600)} h ${Math.floor(s / 60) % 60} min` : `${Math.floor(s / 86400)} days`;
  return !words ? 'now' : ms > 0 ? `in ${words}` : `${words} ago`;
}

// How far away each moment is, and what the reader's own clock says where it is another one.
function tellTimes() {
  for (const ago of document.querySelectorAll('.ago')) {
    const at = new Date(ago.previousElementSibling?.getAttribute('datetime'));
    if (isNaN(at)) continue;
    const here = at.getTimezoneOffset() ? `${clock(at)} here, ` : '';
    const words = `(${here}${distance(at - Date.now() - skew)})`;
    if (ago.textContent !== words) ago.textContent = words;
  }
}

// Only the first part is read out, when it changes; the second one counts.
function tellAge() {
  const [state, since] = age.children;
  const words = trouble ?? 'Live.';
  if (state.textContent !== words) state.textContent = words;
  since.textContent = trouble ? ` This is as of ${clock(new Date(heard))}, ${distance(heard - Date.now())}.` : ` Updated ${distance(heard - Date.now())}.`;
  age.classList.toggle('lost', !!trouble);
}

// What differs only in how long ago something was is not a change.
const plain = part => part.outerHTML.replace(/(class="[^"]*ago[^"]*">)[^<]*/g, '$1');

// A button belongs to its form: the same button of another question is not the one that the reader stands on.
function finder(element) {
  if (element.id) return `#${CSS.escape(element.id)}`;
  const details = element.matches('summary') && element.parentElement.id;
  if (details) return `#${CSS.escape(details)} > summary`;
  const name = ['href', 'value'].find(name => element.getAttribute(name));
  const form = element.form?.id;
  const inside = form && !element.hasAttribute('form') ? `#${CSS.escape(form)} ` : '';
  return name ? `${inside}${element.localName}[${name}="${CSS.escape(element.getAttribute(name))}"]` : null;
}

// A box that is ticked decides something: what comes or changes while the page is open is ticked by its reader or by nobody.
function carryTicks(to) {
  for (const is of to.querySelectorAll('input[type=checkbox]')) {
    const was = document.getElementById(is.id);
    is.checked = !!was?.checked && (is.checked || was.checked !== was.defaultChecked);
  }
}

// What the reader has opened, written and stands on goes along into the new part.
function carry(from, to) {
  for (const was of from.querySelectorAll('details[id], input[id]:not([type=checkbox]), textarea[id], select[id]')) {
    const is = to.querySelector(`#${CSS.escape(was.id)}`);
    if (!is) continue;
    if (was.localName === 'details') is.open = was.open;
    else if (was.value !== was.defaultValue) is.value = was.value;
  }
  const focus = document.activeElement;
  const where = from.contains(focus) ? finder(focus) : null;
  if (!where) return () => {};
  const { selectionStart, selectionEnd } = focus;
  return () => {
    const is = to.querySelector(where);
    is?.focus({ preventScroll: true });
    if (selectionStart != null) is?.setSelectionRange(selectionStart, selectionEnd);
  };
}

// A form that comes while the page is open may slide under a thumb that was on its way to another one: its buttons wait.
const pause = 2000;
const asking = new Map(); // what a form asks and since when it is on the page
const forms = () => [...main.querySelectorAll('form[method=post]')].map(form => [form, form.elements.gate?.value ?? `${form.getAttribute('action')}#${form.id}`]);

function settle() {
  for (const [form, what] of forms()) {
    if (!asking.has(what)) asking.set(what, Date.now());
    const early = Date.now() - asking.get(what) < pause;
    for (const field of form.elements) if (field.localName === 'button') field.disabled = early;
    if (early) setTimeout(settle, pause);
  }
}

// What became of the reader's own last press is said once; the fresh page does not know of it.
const keeps = (part, ids) => part?.dataset.keep !== undefined && !ids.has(part.id);

// A part without an id goes by its number among those.
const named = parent => [...parent.children].map((part, i) => { part.id ||= `part-${i}`; return part; });

function swap(fresh) {
  const parts = named(fresh);
  const old = new Map(named(main).map(part => [part.id, part]));
  const ids = new Set(parts.map(part => part.id));
  let place = main.firstElementChild;
  for (const next of parts) {
    while (keeps(place, ids)) place = place.nextElementSibling;
    let part = old.get(next.id);
    if (!part || shown.get(next.id) !== plain(next)) {
      shown.set(next.id, plain(next));
      carryTicks(next);
      const put = document.adoptNode(next);
      if (part) {
        const refocus = carry(part, put);
        if (place === part) place = put;
        part.replaceWith(put);
        refocus();
      }
      part = put;
    }
    if (part === place) place = place.nextElementSibling;
    else main.insertBefore(part, place);
    old.delete(part.id);
  }
  for (const part of old.values()) if (!keeps(part, ids)) part.remove();
}

async function look() {
  if (asked || document.hidden) return;
  asked = true;
  let next = null;
  try {
    const answer = await fetch(new URL(main.dataset.live || '', location.href), { credentials: 'same-origin', cache: 'no-store', redirect: 'manual', signal: AbortSignal.timeout(10000) });
    const fresh = answer.ok && new DOMParser().parseFromString(await answer.text(), 'text/html');
    next = fresh && fresh.querySelector('main[data-now]');
    if (next) {
      [trouble, heard] = [null, Date.now()];
      document.title = fresh.title;
    } else {
      trouble = answer.type === 'opaqueredirect' || answer.status === 401 ? 'Signed out: reload to sign in.'
        : answer.status === 404 ? 'This page is gone.'
        : answer.ok || answer.status === 403 ? 'This page has changed: reload.' : 'The server cannot answer at the moment.';
    }
  } catch {
    trouble = 'Connection lost; trying again.';
  }
  asked = false;
  if (next) {
    skew = new Date(next.dataset.now) - heard;
    swap(next);
    settle();
  }
  tellAge();
  tellTimes();
}

// The name that somebody has typed once stands in the next form too.
function rememberName() {
  try {
    document.addEventListener('submit', event => {
      const by = event.target.elements.by;
      if (by?.value) localStorage.setItem('by', by.value);
    });
    const known = localStorage.getItem('by');
    if (known) for (const by of document.querySelectorAll('input[name=by]')) by.value ||= known;
  } catch { /* a browser that keeps nothing asks each time */ }
}

if (main) {
  skew = new Date(main.dataset.now) - heard;
  for (const part of named(main)) shown.set(part.id, plain(part));
  for (const [, what] of forms()) asking.set(what, 0);
  tellAge();
  tellTimes();
  setInterval(look, every);
  setInterval(() => { tellAge(); tellTimes(); }, 1000);
  document.addEventListener('visibilitychange', look);
}
rememberName();
