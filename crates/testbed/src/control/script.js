// Keeps the page fresh and sends its deeds without leaving it. Without this script the page works by reloading.
const live = document.getElementById('live');
const failure = document.getElementById('failure');
let shown = '';

async function refresh() {
  const answer = await fetch('/live');
  const html = await answer.text();
  if (!answer.ok || html === shown) return;
  const focused = document.activeElement?.closest('form')?.getAttribute('action');
  shown = html;
  live.innerHTML = html;
  live.querySelector(`form[action="${focused}"] button`)?.focus();
}

async function look() {
  try {
    await refresh();
    document.body.classList.remove('over');
  } catch {
    document.body.classList.add('over');
  }
  setTimeout(look, 500);
}

document.addEventListener('submit', async (event) => {
  event.preventDefault();
  const button = event.target.querySelector('button');
  button.disabled = true;
  const answer = await fetch(event.target.action, { method: 'POST', redirect: 'manual' });
  failure.hidden = answer.status < 400;
  failure.textContent = failure.hidden ? '' : await answer.text();
  shown = '';
  await refresh();
});

look();
