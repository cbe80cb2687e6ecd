// Who is typing. They do not say when they stop: it is forgotten after a while.

export const INTERVAL = 2000;

const line = document.getElementById('typing');
const people = new Map();

export function note({ id, name }) {
  forget(id);
  people.set(id, { name, timer: setTimeout(forget, 1.5 * INTERVAL, id) });
  show();
}

export function forget(id) {
  clearTimeout(people.get(id)?.timer);
  people.delete(id);
  show();
}

export function clear() {
  for (const id of people.keys()) forget(id);
}

function show() {
  const names = [...people.values()].map(({ name }) => name);

  if (names.length === 0) line.textContent = '';
  else if (names.length === 1) line.textContent = `${names[0]} is typing …`;
  else line.textContent = `${names.join(', ')} are typing …`;
}
