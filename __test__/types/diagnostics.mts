// What diagnostics_channel tells of oxws.

import { AsyncLocalStorage } from 'async_hooks';
import { subscribe, tracingChannel } from 'diagnostics_channel';

import type WebSocket from 'oxws';
import type { DiagnosticsEvents } from 'oxws/extra';

/** Subscribes with the type that the name has. */
function listen<Name extends keyof DiagnosticsEvents>(
  name: Name,
  listener: (event: DiagnosticsEvents[Name]) => void
): void {
  subscribe(name, (event) => listener(event as DiagnosticsEvents[Name]));
}

listen('oxws:websocket:created', ({ websocket }) => websocket.terminate());
listen('oxws:websocket:open', ({ protocol, extensions }) => {
  const texts: string[] = [protocol, extensions];

  console.log(texts);
});
listen('oxws:websocket:message', ({ data, isBinary }) => {
  const received: WebSocket.RawData = data;
  const flag: boolean = isBinary;

  console.log(received, flag);
});
listen('oxws:websocket:sent', ({ websocket, data, binary }) => {
  console.log(websocket.url, typeof data === 'string' && data.length, binary);
  // @ts-expect-error: a number is text by then.
  if (typeof data === 'number') console.log(data.toFixed());
});
listen('oxws:websocket:ping', ({ payload }) => payload.readUInt8());
listen('oxws:websocket:pong', ({ payload }) => payload.readUInt8());
listen('oxws:websocket:error', ({ error }) => console.log(error.message));
listen('oxws:websocket:close', ({ code, reason }) => {
  console.log(code.toFixed(), reason.toString());
});
listen('oxws:server:connection', ({ server, websocket, request }) => {
  console.log(server.clients.has(websocket), request.url);
});
listen('oxws:server:refused', ({ server, request, code, message }) => {
  console.log(server.address(), request.url, code.toFixed(), message?.length);
});
// @ts-expect-error: nobody connects there.
listen('oxws:server:refused', ({ websocket }) => websocket);
// @ts-expect-error: there is no such channel.
listen('oxws:websocket:opened', () => {});

const channel = tracingChannel<unknown, DiagnosticsEvents['oxws:message']>(
  'oxws:message'
);

channel.start.bindStore(new AsyncLocalStorage(), ({ data }) => data);
channel.error.subscribe((event) => {
  console.log((event as DiagnosticsEvents['oxws:message']).error);
});
