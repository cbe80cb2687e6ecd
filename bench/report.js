'use strict';

const { BASE } = require('./statistics');

/**
 * @typedef {import('./scenarios').Scenario} Scenario
 * @typedef {import('./statistics').Row} Row
 */

/** From here on the generator, not the peer, may be what is measured. */
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
  const columns = isMemory ? MEMORY_COLUMNS : RATE_COLUMNS;
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

function rateCells({ peer, median, ratios }, { size }) {
  const { rate, p50, p99, p999, cpu, main, rss, load } = median;
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
    percent(load)
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

function percent(load) {
  const text = `${(load * 100).toFixed(0)} %`;

  return load >= SATURATED ? `**${text}: the generator is the limit**` : text;
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
 * @param {string[]} tables
 * @returns {string} The report in Markdown
 */
function report(machine, tables) {
  const facts = Object.entries(machine).map(
    ([key, value]) => `${key} ${value}`
  );

  return [
    '# Benchmark',
    '',
    `${facts.join(', ')}.`,
    '',
    'Medians of the rounds; ratios are taken in each round, with the lowest and',
    'the highest in brackets. "CPU" is the whole process that is measured, "JS',
    'thread" its first thread, "load" the CPU of the other side. MB/s counts',
    'payload, one way.',
    '',
    ...tables
  ].join('\n');
}

module.exports = { report, table };
