// The state of the connection, and when it is tried again.

import { element } from './view.js';

const status = document.getElementById('status');
let timer;

function show(state, ...children) {
  clearInterval(timer);
  status.dataset.state = state;
  status.replaceChildren(...children);
}

function button(label, action) {
  const node = element('button', { type: 'button' }, label);

  node.addEventListener('click', () => {
    show('lost', 'Connecting …');
    action();
  });
  return node;
}

export function showOnline() {
  show('online', 'Online');
}

/** @param {function(): void} takeOver connects this window again */
export function showReplaced(takeOver) {
  show('replaced', 'Open in another window', button('Use this one', takeOver));
}

/**
 * @param {number} delay milliseconds until the next try
 * @param {function(): void} retry tries now
 */
export function showLost(delay, retry) {
  const end = Date.now() + delay;
  const text = document.createTextNode('');
  const tick = () => {
    const seconds = Math.ceil((end - Date.now()) / 1000);

    text.data = seconds > 0 ? `Offline, again in ${seconds} s` : 'Connecting …';
  };

  tick();
  show('lost', text, button('Now', retry));
  timer = setInterval(tick, 250);
}
