'use strict';

const { BASE } = require('./statistics');

/**
 * @typedef {import('./scenarios').Scenario} Scenario
 * @typedef {import('./statistics').Row} Row
 */

/** From here on the other side, not the peer, may be what is measured. */
const SATURATED = 0.95;

const RATE_COLUMNS = [
  'peer',
  '1/s',
  'MB/s',
  '× ws',
  'p50 µs',
  'p99',
  'p99.9',
  'CPU µs each',
  '× ws',
  'JS thread µs each',
  '× ws',
  'RSS MiB',
  'load'
];

/** Only where it depends on the peer. */
const WIRE_COLUMNS = ['bytes in', 'bytes out'];

const MEMORY_COLUMNS = [
  'peer',
  'bytes a connection',
  '× ws',
  'after a message',
  '× ws'
];

/**
 * @param {Scenario} scenario
 * @param {Row[]} rows
 * @returns {string} A table in Markdown, with a heading
 */
function table(scenario, rows) {
  const isMemory = scenario.kind === 'memory';
  const columns = isMemory
    ? MEMORY_COLUMNS
    : [...RATE_COLUMNS, ...(scenario.deflate ? WIRE_COLUMNS : [])];
  const cells = isMemory ? memoryCells : rateCells;
  const lines = rows.map((row) => [
    row.peer,
    ...(row.error === undefined ? cells(row, scenario) : [reason(row.error)])
  ]);
  const head = [columns, ['---', ...columns.slice(1).map(() => '--:')]];

  return [
    `### ${scenario.title}`,
    '',
    `\`${scenario.name}\`, counted: ${scenario.unit}`,
    '',
    ...[...head, ...lines].map((line) => `| ${line.join(' | ')} |`),
    ''
  ].join('\n');
}

/** The line of a message, or of a stack trace, that says what is wrong. */
function reason(text) {
  const lines = text.split('\n');

  return lines.find((line) => /^\w*Error/.test(line)) ?? lines[0];
}

function rateCells({ peer, median, ratios }, { kind, size, deflate }) {
  const { rate, p50, p99, p999, cpu, main, rss, load } = median;
  const { sent, received } = median;
  const ratio = (key) => (peer === BASE ? '' : short(ratios[key]));

  return [
    rate.toFixed(0),
    size === undefined ? '' : figure((rate * size) / 1e6),
    peer === BASE ? '' : long(ratios.rate),
    figure(p50),
    figure(p99),
    figure(p999),
    figure(cpu),
    ratio('cpu'),
    figure(main),
    ratio('main'),
    (rss / 2 ** 20).toFixed(0),
    busyness(load, kind),
    ...(deflate ? [sent.toFixed(0), received.toFixed(0)] : [])
  ];
}

function memoryCells({ peer, median, ratios }) {
  const ratio = (key) => (peer === BASE ? '' : short(ratios[key]));

  return [
    median.untouched.toFixed(0),
    ratio('untouched'),
    median.touched.toFixed(0),
    ratio('touched')
  ];
}

function busyness(load, kind) {
  const text = `${(load * 100).toFixed(0)} %`;
  const side = kind === 'client' ? 'echo server' : 'generator';

  return load >= SATURATED ? `**${text}: the ${side} is the limit**` : text;
}

/** A ratio with its spread, and without. */
function long(ratio) {
  if (ratio === undefined) return '';

  const { low, high } = ratio;

  return `**${short(ratio)}** (${figure(low)}–${figure(high)})`;
}

function short(ratio) {
  return ratio === undefined ? '' : figure(ratio.median);
}

/** Three significant digits. */
function figure(value) {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;

  return value.toFixed(digits);
}

/**
 * @param {Object<string, string>} machine What it was measured on
 * @returns {string[]}
 */
function facts(machine) {
  return Object.entries(machine).map(([key, value]) => `${key} ${value}`);
}

/**
 * @param {Object<string, string>} machine What it was measured on
 * @param {string[]} tables
 * @returns {string} The report in Markdown
 */
function report(machine, tables) {
  return [
    '# Benchmark',
    '',
    `${facts(machine).join(', ')}.`,
    '',
    'Medians of the rounds; ratios are taken in each round, with the lowest and',
    'the highest in brackets. "CPU" is the whole process that is measured, "JS',
    'thread" its first thread, "load" the CPU of the other side. MB/s counts',
    'payload, one way; "bytes" are those of a frame, to the peer and from it.',
    '',
    ...tables
  ].join('\n');
}

module.exports = { facts, report, table };
