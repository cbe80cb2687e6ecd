'use strict';

/** `npm run bench:instructions`: see README.md. */
const { execFileSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');

const FIGURES = path.join(__dirname, 'instructions.json');

/** From here on a difference is one. */
const TOLERANCE = 0.02;

/** The function of `benches/instructions.rs` that does a piece of work. */
const COUNTED = 'instructions::counted';

try {
  main(process.argv.slice(2));
} catch (err) {
  console.error(err.code === 'ENOENT' ? `no ${err.path}` : err.message);
  process.exitCode = 1;
}

function main(args) {
  if (args.some((arg) => arg !== '--update')) {
    throw new TypeError('Usage: npm run bench:instructions [-- --update]');
  }

  const madeWith = tools();
  const pieces = count(build());

  if (args.includes('--update')) {
    write({ madeWith, pieces });
    console.log(table(pieces, {}));
    console.log(`Written: ${path.relative(process.cwd(), FIGURES)}`);
    return;
  }

  const committed = JSON.parse(fs.readFileSync(FIGURES, 'utf8'));

  console.log(table(pieces, committed.pieces));
  judge(madeWith, pieces, committed);
}

/** What decides how many instructions there are, besides the code. */
function tools() {
  const version = (file, ...args) =>
    execFileSync(file, args, { encoding: 'utf8' }).trim();
  const hasAvx2 = /\bavx2\b/.test(fs.readFileSync('/proc/cpuinfo', 'latin1'));

  return {
    rustc: /^release: (.*)$/m.exec(version('rustc', '-vV'))[1],
    target: /^host: (.*)$/m.exec(version('rustc', '-vV'))[1],
    valgrind: version('valgrind', '--version').replace('valgrind-', ''),
    glibc: process.report.getReport().header.glibcVersionRuntime ?? 'none',
    // Copying, UTF-8 and zlib have a way of their own with it.
    AVX2: hasAvx2 ? 'yes' : 'no'
  };
}

/** @returns {string} The path of the program that is counted */
function build() {
  const output = execFileSync(
    'cargo',
    [
      'bench',
      '--locked',
      '--bench',
      'instructions',
      '--no-run',
      '--message-format',
      'json-render-diagnostics'
    ],
    {
      cwd: path.join(__dirname, '..'),
      encoding: 'utf8',
      maxBuffer: Infinity,
      stdio: ['ignore', 'pipe', 'inherit']
    }
  );

  return output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .find(
      ({ target, executable }) => target?.name === 'instructions' && executable
    ).executable;
}

/**
 * One run of the program, which names its pieces in the order in which callgrind
 * writes a file for each.
 *
 * @param {string} program
 * @returns {Object<string, number>} Instructions for a message of each piece
 */
function count(program) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'oxws-bench-'));
  const out = path.join(directory, 'out');

  try {
    const names = execFileSync(
      'valgrind',
      [
        '--quiet',
        '--tool=callgrind',
        '--collect-atstart=no',
        `--toggle-collect=${COUNTED}`,
        `--dump-after=${COUNTED}`,
        `--callgrind-out-file=${out}`,
        program
      ],
      // What is in the environment moves the stack.
      { encoding: 'utf8', env: { PATH: process.env.PATH } }
    );
    const pieces = names
      .trim()
      .split('\n')
      .map((line, index) => {
        const [name, messages] = line.split('\t');

        return [name, total(`${out}.${index + 1}`) / Number(messages)];
      });

    return Object.fromEntries(pieces);
  } finally {
    fs.rmSync(directory, { recursive: true });
  }
}

function total(file) {
  const instructions = Number(
    /^totals: (\d+)$/m.exec(fs.readFileSync(file, 'latin1'))[1]
  );

  if (instructions > 0) return instructions;

  throw new Error(`Nothing was counted in ${COUNTED}`);
}

/** Says what is slower and faster, and fails if that tells something. */
function judge(madeWith, pieces, committed) {
  const changed = Object.keys(madeWith).filter(
    (tool) => madeWith[tool] !== committed.madeWith[tool]
  );
  const beyond = (sign) =>
    Object.keys(pieces).filter(
      (name) => sign * change(pieces[name], committed.pieces[name]) > TOLERANCE
    );
  const slower = beyond(1);
  const faster = beyond(-1);
  const same = (a, b) => Object.keys(a).every((name) => name in b);

  if (slower.length > 0) console.log(`Slower: ${slower.join('; ')}`);
  if (faster.length > 0) console.log(`Faster: ${faster.join('; ')}`);

  if (changed.length > 0) {
    const versions = changed.map(
      (tool) => `${tool} ${committed.madeWith[tool]}, here ${madeWith[tool]}`
    );

    console.log(
      `This proves nothing: the committed figures are of ${versions.join('; ')}.`
    );
    return;
  }

  if (
    !same(pieces, committed.pieces) ||
    !same(committed.pieces, pieces) ||
    faster.length > 0
  ) {
    console.log('The committed figures are out of date: -- --update');
  }

  if (slower.length > 0) process.exitCode = 1;
}

/** @returns {number} NaN without a figure to compare with */
function change(now, before) {
  return now / before - 1;
}

function table(pieces, committed) {
  const rows = Object.entries(pieces).map(([name, now]) => {
    const before = committed[name];

    return [
      name,
      now.toFixed(1),
      before === undefined ? '' : before.toFixed(1),
      before === undefined ? '' : percent(change(now, before))
    ];
  });
  const all = [['', 'instructions', 'committed', 'change'], ...rows];
  const widths = all[0].map((_, column) =>
    Math.max(...all.map((row) => row[column].length))
  );

  return all
    .map(([name, ...figures]) =>
      [
        name.padEnd(widths[0]),
        ...figures.map((text, index) => text.padStart(widths[index + 1]))
      ].join('  ')
    )
    .join('\n');
}

function percent(share) {
  return `${share > 0 ? '+' : ''}${(share * 100).toFixed(1)} %`;
}

function write(figures) {
  fs.writeFileSync(FIGURES, `${JSON.stringify(figures, null, 2)}\n`);
}
