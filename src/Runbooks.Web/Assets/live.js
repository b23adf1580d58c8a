// Shows the page anew when something has changed. Everything works without it; reloading does the same.
const seconds = 3;

async function look() {
  const main = document.querySelector('main');
  const busy = main.querySelector('textarea')?.value || main.contains(document.activeElement);
  if (document.hidden || busy) return;
  const answer = await fetch(location.href, { credentials: 'same-origin', cache: 'no-store' });
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
  const next = fresh.querySelector('main');
  if (!answer.ok || !next || next.dataset.version === main.dataset.version) return;
  main.replaceWith(document.adoptNode(next));
  document.title = fresh.title;
}

setInterval(() => look().catch(() => {}), seconds * 1000);
