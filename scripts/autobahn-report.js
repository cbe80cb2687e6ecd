'use strict';

const SECTIONS = {
  1: 'Framing',
  2: 'Pings and pongs',
  3: 'Reserved bits',
  4: 'Opcodes',
  5: 'Fragmentation',
  6: 'UTF-8',
  7: 'Closing',
  9: 'Limits',
  10: 'Automatic fragments',
  12: 'Compression: payloads',
  13: 'Compression: parameters'
};

const VERDICTS = ['OK', 'INFORMATIONAL', 'NON-STRICT', 'FAILED'];

/** The worse of how a case went and of how its connection was closed. */
function verdictOf({ behavior, behaviorClose }) {
  const [rank, closeRank] = [behavior, behaviorClose].map((verdict) =>
    VERDICTS.indexOf(verdict)
  );

  // All other words (UNCLEAN, WRONG CODE, UNIMPLEMENTED …) are failures too.
  if (rank === -1 || closeRank === -1) return 'FAILED';
  return VERDICTS[Math.max(rank, closeRank)];
}

/** Whether the case went as it must: INFORMATIONAL ones leave a choice. */
function hasPassed(report) {
  return ['OK', 'INFORMATIONAL'].includes(verdictOf(report));
}

/** Lines of how many cases of each section went how. */
function tableOf(title, reports) {
  const rows = Object.entries(SECTIONS).map(([number, name]) => {
    const verdicts = reports
      .filter(({ id }) => id.split('.')[0] === number)
      .map(verdictOf);

    return [
      `${number} ${name}`,
      ...VERDICTS.map((each) => verdicts.filter((it) => it === each).length)
    ];
  });
  const table = [
    [title, ...VERDICTS],
    ...rows.filter(([, ...counts]) => counts.some((count) => count > 0)),
    [
      'all',
      ...VERDICTS.map((_, index) =>
        rows.reduce((sum, row) => sum + row[index + 1], 0)
      )
    ]
  ];

  return table.map(([name, ...cells]) =>
    [
      name.padEnd(28),
      ...cells.map((cell, index) =>
        String(cell).padStart(VERDICTS[index].length + 2)
      )
    ].join('')
  );
}

/** A line on a case that did not pass. */
function describe({ id, behavior, behaviorClose, result, resultClose }) {
  return `${id}: ${behavior}, close ${behaviorClose}: ${result} ${resultClose}`;
}

module.exports = { describe, hasPassed, tableOf };
