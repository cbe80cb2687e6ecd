// What @types/ws declares fits where ours is expected, and the other way round
// where programs hand objects to libraries that are typed with @types/ws.

import oxws from 'oxws';
import ws from 'ws';

type Assignable<From, To> = [From] extends [To] ? true : false;
type Equal<A, B> = Assignable<A, B> & Assignable<B, A>;

const objects: [
  Assignable<oxws, ws>,
  Assignable<oxws.WebSocket, ws.WebSocket>,
  Assignable<oxws.Server, ws.Server>,
  Assignable<oxws.WebSocketServer, ws.WebSocketServer>,
  Assignable<typeof oxws, typeof ws.WebSocket>,
  Assignable<typeof oxws.Server, typeof ws.Server>
] = [true, true, true, true, true, true];

const options: [
  Equal<ws.ClientOptions, oxws.ClientOptions>,
  Equal<ws.PerMessageDeflateOptions, oxws.PerMessageDeflateOptions>,
  Assignable<Omit<ws.ServerOptions, 'WebSocket'>, oxws.ServerOptions>,
  Assignable<ws.FinishRequestCallback, oxws.FinishRequestCallback>,
  Assignable<ws.VerifyClientCallbackAsync, oxws.VerifyClientCallbackAsync>,
  Assignable<ws.VerifyClientCallbackSync, oxws.VerifyClientCallbackSync>
] = [true, true, true, true, true, true];

const values: [
  Equal<oxws.RawData, ws.RawData>,
  Equal<oxws.Data, ws.Data>,
  Equal<oxws.CertMeta, ws.CertMeta>,
  Equal<oxws.AddressInfo, ws.AddressInfo>,
  Equal<keyof oxws.WebSocketEventMap, keyof ws.WebSocketEventMap>
] = [true, true, true, true, true];

export { objects, options, values };
