// The page: what is typed goes to the room, what the room says is shown.

import { compose, focus } from './composer.js';
import { Connection, REPLACED } from './connection.js';
import * as drawer from './drawer.js';
import { pack, unpack } from './envelope.js';
import * as messages from './messages.js';
import { Outbox } from './outbox.js';
import { showLost, showOnline, showReplaced } from './status.js';
import * as typing from './typing.js';
import { element, sizeOf } from './view.js';

const MAX_FILE = 16 * 1024 * 1024;
const POLICY_VIOLATION = 1008;

const $ = (id) => document.getElementById(id);

/** By it the server knows this window again; nobody else gets to see it. */
const secret = (sessionStorage.secret ??= randomHex());

let name = localStorage.name ?? '';
let room = roomOfAddress();
let connection;
let outbox;
/** What others know us by. */
let own = '';
/** The number of the last message of the room that was seen. */
let lastSeen = 0;
/** Who is in the room, by id; null before it is told. */
let people = null;
let lastTyping = 0;

/** As randomUUID(), which pages without TLS do not have. */
function randomHex() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0')
  ).join('');
}

function roomOfAddress() {
  try {
    return decodeURIComponent(location.hash.slice(1)).slice(0, 32) || 'lobby';
  } catch {
    return 'lobby';
  }
}

// Coming in

$('name').value = name;
$('first-room').value = room;
$(name === '' ? 'name' : 'first-room').focus();
$('welcome').addEventListener('submit', (event) => {
  event.preventDefault();
  name = $('name').value.trim();
  if (name === '') return;
  localStorage.name = name;
  $('welcome').hidden = true;
  $('app').hidden = false;
  connect();
  enter($('first-room').value.trim() || 'lobby');
  // On a phone the keyboard would hide the room.
  if (!matchMedia('(max-width: 720px)').matches) focus();
});

function connect() {
  const url = new URL('chat', location.href.replace(/^http/, 'ws'));

  url.hash = '';
  connection = new Connection(url);
  outbox = new Outbox(connection);
  connection.addEventListener('open', join);
  connection.addEventListener('message', ({ data }) => {
    if (typeof data === 'string') receive(JSON.parse(data));
    else receiveFile(data);
  });
  connection.addEventListener('lost', ({ detail: { code, delay } }) => {
    const retry = () => connection.retry();

    if (code === POLICY_VIOLATION) outbox.clear();
    if (code === REPLACED) showReplaced(retry);
    else showLost(delay, retry);
  });
  compose({ onText: sendText, onFile: sendFile, onTyping: tellTyping });
  drawer.onEnter(enter);
  addEventListener('hashchange', () => {
    if (roomOfAddress() !== room) enter(roomOfAddress());
  });
}

/** Goes to a room, whose messages are then all there is to see. */
function enter(next) {
  room = next;
  lastSeen = 0;
  people = null;
  history.replaceState(null, '', `#${encodeURIComponent(room)}`);
  messages.clear();
  typing.clear();
  drawer.close();
  $('room').textContent = room;
  $('count').textContent = '';
  if (connection.isOpen) join();
}

/** Tells who we are and what we have seen; the rest of the room follows. */
function join() {
  connection.send(
    JSON.stringify({ type: 'join', secret, name, room, since: lastSeen })
  );
}

// What the server says

function receive(message) {
  switch (message.type) {
    case 'joined':
      own = message.you;
      showOnline();
      outbox.resend(room);
      break;
    case 'rooms':
      drawer.showRooms(message.rooms, room);
      break;
    case 'people':
      tellChanges(message.people);
      drawer.showPeople(message.people, own);
      break;
    case 'typing':
      typing.note(message);
      break;
    case 'text':
      show(message);
      break;
  }
}

function receiveFile(data) {
  const { header, bytes } = unpack(data);
  const blob = new Blob([bytes], { type: header.mime });

  show({ ...header, file: { name: header.name, blob } });
}

function show(message) {
  const isOwn = outbox.confirm(message.key) || message.from.id === own;

  lastSeen = message.id;
  typing.forget(message.from.id);
  messages.show(message, isOwn);
}

/** Says who came and who went. */
function tellChanges(list) {
  const before = people;

  people = new Map(list.map((person) => [person.id, person]));
  if (before === null) return;
  for (const { id, name } of people.values()) {
    if (!before.has(id) && id !== own) messages.remark(`${name} came in`);
  }
  for (const { id, name } of before.values()) {
    if (!people.has(id) && id !== own) messages.remark(`${name} left`);
  }
}

// What we say

/** Shows a message at once, and sends it as soon as that is possible. */
function post(key, content, wire) {
  outbox.add(key, room, wire);
  return messages.showPending({
    ...content,
    key,
    from: { id: own, name },
    at: Date.now()
  });
}

function sendText(text) {
  const key = randomHex();

  lastTyping = 0;
  post(key, { text }, JSON.stringify({ type: 'text', key, text }));
}

function sendFile(file) {
  if (file.size > MAX_FILE) {
    messages.remark(`${file.name} is larger than ${sizeOf(MAX_FILE)}`);
    return;
  }

  const key = randomHex();
  const { name, type: mime } = file;
  const content = { file: { name, blob: file } };

  showProgress(post(key, content, pack({ key, name, mime }, file)), file.size);
}

/** What the browser has not sent yet tells how far a file is. */
function showProgress(node, size) {
  const bar = element('progress', { max: 1, value: 0 });
  const timer = setInterval(() => {
    if (!node.isConnected) clearInterval(timer);
    else if (connection.isOpen) {
      bar.value = 1 - Math.min(1, connection.bufferedAmount / size);
    }
  }, 100);

  node.querySelector('.bubble').append(bar);
}

function tellTyping() {
  if (Date.now() - lastTyping < typing.INTERVAL || !connection.isOpen) return;
  lastTyping = Date.now();
  connection.send(JSON.stringify({ type: 'typing' }));
}
