// What a message and a person look like. All text goes in as text, never as
// markup.

const TIME = new Intl.DateTimeFormat([], {
  hour: '2-digit',
  minute: '2-digit'
});
const UNITS = ['B', 'KB', 'MB'];

/** `element('p', { className: 'a' }, 'text', another)` */
export function element(name, properties = {}, ...children) {
  const node = Object.assign(document.createElement(name), properties);

  node.append(...children);
  return node;
}

/** A disc with the first letters of a name, in the colour of its id. */
export function avatar({ id, name }) {
  const initials = name
    .split(/\s+/)
    .slice(0, 2)
    .map((word) => [...word][0])
    .join('')
    .toUpperCase();
  const disc = element('span', { className: 'avatar', title: name }, initials);

  disc.ariaHidden = 'true';
  disc.style.setProperty('--hue', hueOf(id));
  return disc;
}

/** The name of somebody, in the same colour. */
function author({ id, name }) {
  const node = element('strong', { className: 'author' }, name);

  node.style.setProperty('--hue', hueOf(id));
  return node;
}

export function hueOf(id) {
  return parseInt(id.slice(0, 8), 16) % 360;
}

/**
 * @param {object} message `{ key, from, at, text }` or `{ …, file }`
 * @param {boolean} isOwn
 */
export function bubble(message, isOwn) {
  const { from, at, file } = message;
  const body = element('div', { className: 'bubble' });
  const time = element(
    'time',
    { dateTime: new Date(at).toISOString() },
    TIME.format(at)
  );

  if (!isOwn) body.append(author(from));
  body.append(file ? filePreview(file) : paragraph(message.text), time);

  const item = element('li', { className: isOwn ? 'own' : 'other' });

  item.dataset.key = message.key;
  item.dataset.from = from.id;
  if (!isOwn) item.append(avatar(from));
  item.append(body);
  return item;
}

/** Text whose addresses can be followed. */
function paragraph(text) {
  const node = element('p', { className: 'text' });

  for (const [index, part] of text.split(/(https?:\/\/[^\s]+)/).entries()) {
    node.append(
      index % 2 === 0
        ? part
        : element('a', { href: part, target: '_blank', rel: 'noopener' }, part)
    );
  }
  return node;
}

function filePreview({ name, blob }) {
  const href = URL.createObjectURL(blob);
  const link = element('a', { href, download: name, className: 'file' });

  if (/^image\/(png|jpeg|gif|webp|avif)$/.test(blob.type)) {
    link.classList.add('picture');
    link.append(element('img', { src: href, alt: name }));
  }
  link.append(
    element(
      'span',
      { className: 'file-name' },
      name,
      element('small', {}, sizeOf(blob.size))
    )
  );
  return link;
}

export function sizeOf(bytes) {
  let unit = 0;

  while (bytes >= 1000 && unit < UNITS.length - 1) {
    bytes /= 1000;
    unit++;
  }
  return `${bytes < 10 && unit > 0 ? bytes.toFixed(1) : Math.round(bytes)} ${UNITS[unit]}`;
}

/** A line between messages, about the room itself. */
export function note(text) {
  return element('li', { className: 'note' }, text);
}
