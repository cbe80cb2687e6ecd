// Rooms and people; on small screens they are behind a button.

import { avatar, element } from './view.js';

const app = document.getElementById('app');

/** @param {function(string): void} onEnter gets the name of a room */
export function onEnter(enter) {
  document.getElementById('rooms').addEventListener('click', ({ target }) => {
    const button = target.closest('button');

    if (button) enter(button.dataset.room);
  });
  document.getElementById('new-room').addEventListener('submit', (event) => {
    const [input] = event.target;
    const name = input.value.trim();

    event.preventDefault();
    input.value = '';
    if (name !== '') enter(name);
  });
}

export function showRooms(rooms, current) {
  document.getElementById('rooms').replaceChildren(
    ...rooms.map(({ name, size }) => {
      const button = element(
        'button',
        { type: 'button' },
        element('span', {}, name),
        element('small', {}, size || '')
      );

      button.dataset.room = name;
      if (name === current) button.setAttribute('aria-current', 'true');
      return element('li', {}, button);
    })
  );
}

export function showPeople(people, own) {
  const count = people.length;

  document
    .getElementById('people')
    .replaceChildren(
      ...people.map((person) =>
        element(
          'li',
          {},
          avatar(person),
          element('span', {}, person.name),
          person.id === own ? element('small', {}, 'you') : ''
        )
      )
    );
  document.getElementById('count').textContent =
    count === 1 ? 'Only you are here' : `${count} people here`;
}

export function close() {
  app.classList.remove('drawn');
}

document
  .getElementById('menu')
  .addEventListener('click', () => app.classList.toggle('drawn'));
document.getElementById('scrim').addEventListener('click', close);
addEventListener('keydown', ({ key }) => {
  if (key === 'Escape') close();
});
