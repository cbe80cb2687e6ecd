'use strict';

/**
 * Draws how many times faster than ws the peers are. As a program: reads the
 * JSON of a benchmark, writes SVG to stdout.
 */
const fs = require('fs');

const { facts } = require('./report');
const { BASE } = require('./statistics');

const WIDTH = 800;
const LABEL = 320;
const BAR = 14;
const GAP = 12;
const FONT = 12;

/** Readable on light and on dark. */
const TEXT = '#808080';
const COLOURS = [
  '#d9480f',
  '#1c7ed6',
  '#2b8a3e',
  '#9c36b5',
  '#e8a200',
  '#0b7285'
];

/** Not worth a bar: the base itself, and the least any server needs. */
const HIDDEN = new Set([BASE, `${BASE}-again`, 'floor']);

/**
 * @param {Object} results What `run.js` writes
 * @returns {string} SVG
 */
function chart({ machine, scenarios, rows }) {
  const shown = rows.filter(
    ({ peer, ratios }) => !HIDDEN.has(peer) && ratios?.rate !== undefined
  );
  const peers = [...new Set(shown.map(({ peer }) => peer))];
  const groups = scenarios
    .map(({ name, title }) => ({
      title,
      bars: shown.filter(({ scenario }) => scenario === name)
    }))
    .filter(({ bars }) => bars.length > 0);
  const longest = Math.max(2, ...shown.map(({ ratios }) => ratios.rate.median));
  const scale = (WIDTH - LABEL - 60) / longest;
  const parts = [];
  let y = GAP;

  peers.forEach((peer, index) => {
    const x = LABEL + index * Math.min(110, (WIDTH - LABEL) / peers.length);

    parts.push(rectangle(x, y, BAR, BAR, COLOURS[index % COLOURS.length]));
    parts.push(text(x + BAR + 5, y + BAR - 3, peer));
  });
  y += BAR + GAP;

  const top = y;

  for (const { title, bars } of groups) {
    const middle = y + (bars.length * BAR) / 2 + FONT / 3;

    parts.push(text(LABEL - 8, middle, title, 'end'));

    for (const { peer, ratios } of bars) {
      const { median } = ratios.rate;
      const colour = COLOURS[peers.indexOf(peer) % COLOURS.length];

      parts.push(rectangle(LABEL, y, median * scale, BAR - 2, colour));
      parts.push(
        text(LABEL + median * scale + 5, y + BAR - 4, `${median.toFixed(1)}×`)
      );
      y += BAR;
    }

    y += GAP;
  }

  const x = round(LABEL + scale);

  parts.push(
    `<line x1="${x}" y1="${top - 4}" x2="${x}" y2="${y}" stroke="${TEXT}" ` +
      'stroke-dasharray="3 3"/>'
  );
  parts.push(text(x, y + FONT, `${BASE} = 1`, 'middle'));
  y += 2 * FONT;

  for (const line of wrapped(facts(machine))) {
    y += FONT + 3;
    parts.push(text(GAP, y, line));
  }

  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" ` +
      `height="${y + GAP}" font-family="sans-serif" font-size="${FONT}" ` +
      `fill="${TEXT}">`,
    ...parts,
    '</svg>',
    ''
  ].join('\n');
}

/** Lines that are as wide as the chart. */
function wrapped(phrases) {
  const lines = [''];

  for (const phrase of phrases) {
    const longer = lines.at(-1) + (lines.at(-1) && ', ') + phrase;

    if (longer.length * FONT * 0.55 < WIDTH) lines[lines.length - 1] = longer;
    else lines.push(phrase);
  }

  return lines;
}

function rectangle(x, y, width, height, colour) {
  return (
    `<rect x="${round(x)}" y="${y}" width="${round(width)}" ` +
    `height="${height}" fill="${colour}"/>`
  );
}

function text(x, y, content, anchor = 'start') {
  const escaped = content.replace(/&/g, '&amp;').replace(/</g, '&lt;');

  return (
    `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}">` +
    `${escaped}</text>`
  );
}

function round(value) {
  return Math.round(value * 10) / 10;
}

if (require.main === module) {
  const results = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));

  process.stdout.write(chart(results));
}

module.exports = { chart };
