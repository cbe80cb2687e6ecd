'use strict';

// Checks what the layers of src/ may name: the sans-IO ones neither a runtime,
// a socket nor Node, memory the same, the engine not Node.

const fs = require('fs');
const path = require('path');

const SANS_IO = /\b(tokio|socket2|napi\w*|std::net|unsafe)\b/;
const FORBIDDEN = {
  'src/protocol': SANS_IO,
  'src/handshake': SANS_IO,
  'src/memory': /\b(tokio|socket2|napi\w*)\b/,
  'src/engine': /\bnapi\w*/
};

const root = path.join(__dirname, '..');

for (const [layer, forbidden] of Object.entries(FORBIDDEN)) {
  const names = fs.readdirSync(path.join(root, layer), { recursive: true });

  for (const name of names.filter((each) => each.endsWith('.rs'))) {
    const file = path.join(layer, name);
    const lines = fs.readFileSync(path.join(root, file), 'utf8').split('\n');

    lines.forEach((line, index) => {
      const found = forbidden.exec(line.replace(/\/\/.*/, ''));

      if (!found) return;
      console.error(`${file}:${index + 1}: ${layer} must not name ${found[0]}`);
      process.exitCode = 1;
    });
  }
}
