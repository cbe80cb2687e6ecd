// The list of messages: it stays at its end while new ones come, unless the
// reader has scrolled up.

import { bubble, note } from './view.js';

const NEAR = 80;

const list = document.getElementById('messages');
const latest = document.getElementById('latest');
let unread = 0;

const isAtEnd = () =>
  list.scrollHeight - list.scrollTop - list.clientHeight < NEAR;

function scrollToEnd() {
  list.scrollTop = list.scrollHeight;
}

function append(node, isFollowed) {
  const previous = list.lastElementChild;
  const { from } = node.dataset;

  if (from && previous?.dataset.from === from) node.classList.add('follows');
  list.append(node);
  for (const picture of node.querySelectorAll('img')) {
    picture.addEventListener('load', () => isFollowed && scrollToEnd());
  }
  if (isFollowed) scrollToEnd();
  else latest.hidden = false;
}

export function clear() {
  for (const { href } of list.querySelectorAll('.file')) {
    URL.revokeObjectURL(href);
  }
  list.replaceChildren();
}

/** Shows what the room said; what was shown when it was sent goes. */
export function show(message, isOwn) {
  const isFollowed = isOwn || isAtEnd();
  const pending = list.querySelector(`[data-key="${CSS.escape(message.key)}"]`);

  if (pending) {
    URL.revokeObjectURL(pending.querySelector('.file')?.href);
    pending.remove();
  }
  append(bubble(message, isOwn), isFollowed);
  if (document.hidden && !isOwn) tellUnread(unread + 1);
}

/** Shows what was sent and the room has not said yet. */
export function showPending(message) {
  const node = bubble(message, true);

  node.classList.add('pending');
  append(node, true);
  return node;
}

/** A line about the room. */
export function remark(text) {
  append(note(text), isAtEnd());
}

function tellUnread(count) {
  unread = count;
  document.title = unread > 0 ? `(${unread}) Parlour` : 'Parlour';
}

latest.addEventListener('click', scrollToEnd);
list.addEventListener('scroll', () => {
  if (isAtEnd()) latest.hidden = true;
});
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) tellUnread(0);
});
