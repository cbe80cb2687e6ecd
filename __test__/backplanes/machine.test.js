'use strict';

const fs = require('fs');
const os = require('os');
const path = require('path');

const { machineBackplane } = require('../../lib/backplanes');
const { describeSemantics } = require('./support/semantics');
const { Station, reach } = require('./support/station');
const { root, runNode } = require('../support/child');
const { describeEach } = require('../support/implementations');
const { Program } = require('../support/program');
const { turns } = require('../support/waiting');

const isWindows = process.platform === 'win32';

const directories = [];
let socket;

beforeEach(() => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'oxws-machine-'));

  directories.push(directory);
  socket = isWindows
    ? `\\\\.\\pipe\\${path.basename(directory)}`
    : path.join(directory, 'socket');
});

afterAll(() => {
  for (const directory of directories) {
    fs.rmSync(directory, { recursive: true });
  }
});

const connect = (options) => machineBackplane({ path: socket, ...options });

/** One in a process of its own. */
async function startProcess() {
  const program = new Program('__test__/backplanes/support/member.js', {
    args: [socket]
  });

  await program.line(/^subscribed$/);
  return program;
}

describeEach([{ name: 'any driver', driverless: true }], 'a machine', () => {
  describeSemantics(connect);

  test('the next one listens when the one that did has closed', async () => {
    const stations = [1, 2, 3].map(() => new Station(connect()));

    await Promise.all(stations.map((station) => station.subscribe('a')));
    await stations[0].close();
    await reach(stations[1], stations[2], 'a');
    await reach(stations[2], stations[1], 'a');

    const late = new Station(connect());

    await late.subscribe('a');
    await stations[1].close();
    await reach(stations[2], late, 'a');
    await reach(late, stations[2], 'a');
    expect([...stations, late].flatMap(({ errors }) => errors)).toEqual([]);
  });

  test('and when it was killed, which leaves the socket behind', async () => {
    const relay = await startProcess();
    const [one, two] = [new Station(connect()), new Station(connect())];

    await Promise.all([one.subscribe('a'), two.subscribe('a')]);
    one.publish('a', 'text');
    await Promise.all([two.hears('a:text'), relay.line(/^a: text$/)]);
    await relay.stop('SIGKILL');
    await reach(one, two, 'a');
    await reach(two, one, 'a');
  });

  test('processes hear each other', async () => {
    const [one, two] = [await startProcess(), await startProcess()];
    const station = new Station(connect());

    await station.subscribe('a');
    one.child.stdin.write('a text\n');
    await Promise.all([station.hears('a:text'), two.line(/^a: text$/)]);
    station.publish('a', 'answer');
    await Promise.all([one.line(/^a: answer$/), two.line(/^a: answer$/)]);
  });

  const onUnix = isWindows ? test.skip : test;

  onUnix('a relay that stands still holds up nobody', async () => {
    const relay = await startProcess();
    const one = new Station(connect({ maxPending: 100_000 }));
    const two = new Station(connect());

    await Promise.all([one.subscribe('a'), two.subscribe('a')]);
    relay.child.kill('SIGSTOP');

    const bytes = Buffer.alloc(50_000);
    const publish = async () => {
      for (;;) await one.publish('a', bytes);
    };

    await expect(publish()).rejects.toThrow(
      'A message was not published: too much waits before it'
    );
    relay.child.kill('SIGCONT');
    await reach(one, two, 'a');
  });

  onUnix('what waits for a relay that is killed is an error', async () => {
    const relay = await startProcess();
    const one = new Station(connect());

    await one.subscribe('b');
    relay.child.kill('SIGSTOP');
    for (let count = 0; count < 50; count++) {
      one.publish('a', Buffer.alloc(100_000));
    }
    await turns(50);
    await relay.stop('SIGKILL');
    await one.until(() => one.errors.length > 0);
    expect(one.errors).toEqual([
      'Messages were lost with the connection to the relay'
    ]);
  });

  onUnix('who does not read loses messages, and hears how many', async () => {
    const one = new Station(connect());

    await one.subscribe('a');

    const member = await startProcess();

    member.child.kill('SIGSTOP');
    for (let count = 0; count < 60; count++) {
      await one.publish('a', Buffer.alloc(1024 * 1024, 'x'));
      await turns(10);
    }
    member.child.kill('SIGCONT');

    const [, lost] = await member.line(/^Messages were lost: (\d+)$/);

    expect(Number(lost)).toBeGreaterThan(0);
    one.publish('a', 'again');
    await member.line(/^a: again$/);
  });

  test('one who reads hears, too, however little may wait', async () => {
    const relay = new Station(connect({ maxPending: 1000 }));

    await relay.subscribe('b');

    const [one, two] = [new Station(connect()), new Station(connect())];

    await Promise.all([one.subscribe('b'), two.subscribe('a')]);
    for (let count = 0; count < 100; count++) {
      one.publish('a', Buffer.alloc(100));
    }

    const lost = () =>
      two.errors
        .map((text) => /^Messages were lost: (\d+)$/.exec(text)[1])
        .reduce((sum, count) => sum + Number(count), 0);

    await two.until(() => two.received.length + lost() === 100);
    expect(lost()).toBeGreaterThan(0);
  });

  onUnix(
    'closes, whatever becomes of a member that does not read',
    async () => {
      const one = new Station(connect());

      await one.subscribe('b');

      const member = await startProcess();

      member.child.kill('SIGSTOP');
      for (let count = 0; count < 20; count++) {
        one.publish('a', Buffer.alloc(100_000));
      }
      await turns(50);

      const closed = one.close();

      await turns(50);
      await member.stop('SIGKILL');
      await closed;
    }
  );

  onUnix('what is no socket is left alone', async () => {
    fs.writeFileSync(socket, 'text');

    const station = new Station(connect());

    await station.until(() => station.errors.length > 0);
    expect(station.errors).toEqual([expect.stringContaining('EADDRINUSE')]);
    expect(fs.readFileSync(socket, 'utf8')).toBe('text');
  });

  test('a directory that is not there is an error', async () => {
    socket = isWindows
      ? socket
      : path.join(path.dirname(socket), 'missing', 'socket');

    const station = new Station(connect());

    if (isWindows) return;
    await station.until(() => station.errors.length > 0);
    expect(station.errors).toEqual([expect.stringContaining('ENOENT')]);
  });

  test('keeps no process alive', async () => {
    const { code, stdout, stderr } = await runNode([
      '-e',
      `const { machineBackplane } = require(${JSON.stringify(path.join(root, 'lib/backplanes'))});
     const backplane = machineBackplane({ path: ${JSON.stringify(socket)} });
     const timer = setInterval(() => {}, 1000);
     backplane.start(() => {}, console.error);
     backplane.subscribe('a').then(() => {
       console.log('subscribed');
       clearInterval(timer);
     });`
    ]);

    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: 'subscribed\n',
      stderr: ''
    });
  });
});
