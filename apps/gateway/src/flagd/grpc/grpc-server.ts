import {
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { type Log, readTls, type TlsFiles, watchTls } from '@headgate/service-kit';
import type { AddressShares } from '../../http/address-shares.js';
import { GrpcCall } from './grpc-call.js';
import { FRAME_HEAD, messageOf } from './grpc-frames.js';
import { FlagdRefused } from './grpc-status.js';
import { RequestBody } from './request-body.js';
import { RequestBudget } from './request-budget.js';

/** Called with the one message of the request. What it throws becomes the status; else it ends the call itself, at any time. */
export type GrpcMethod = (call: GrpcCall, message: Buffer) => void;

export interface GrpcServerOptions {
  readonly host: string;
  /** 0: any. */
  readonly port: number;
  readonly tls: TlsFiles | null;
  /** By path, such as `/flagd.sync.v1.FlagSyncService/SyncFlags`. */
  readonly methods: ReadonlyMap<string, GrpcMethod>;
  readonly log: Log;
  readonly maxConnections: number;
  /** How many of them one address may have. */
  readonly shares: AddressShares;
  /** A connection that has not answered the last ping when the next is due is given up. */
  readonly pingEveryMs: number;
  /** What unfinished requests of all callers may hold together. */
  readonly maxUnfinishedBytes?: number;
}

const MAX_STREAMS_OF_CONNECTION = 100;
/** As much as pages may send. */
const MAX_REQUEST_BYTES = 65_536;
const MAX_UNFINISHED_BYTES = 67_108_864;
const MAX_REQUEST_MS = 10_000;
const DRAIN_MS = 2_000;
/** MiB of one connection's streams, in which the states that all of them share count as if each had its own. */
const SESSION_MEMORY = 1_024;

/**
 * gRPC's side of HTTP/2, and no more: requests of one message, answers of any number. Written here and not taken from grpc-js
 * because that copies every message for every stream, which for a full state and a thousand clients is a gigabyte a change.
 * Clients may ping as often as they like, with or without calls.
 */
export class GrpcServer {
  private readonly sessions = new Set<ServerHttp2Session>();
  /** Their answer to the last ping is still out. */
  private readonly awaited = new WeakSet<ServerHttp2Session>();
  private readonly server: Http2Server | Http2SecureServer;
  private readonly pings: NodeJS.Timeout;
  private readonly forgetTls: () => void;
  private readonly unfinished: RequestBudget;

  constructor(private readonly options: GrpcServerOptions) {
    this.unfinished = new RequestBudget(options.maxUnfinishedBytes ?? MAX_UNFINISHED_BYTES);
    const { tls, log, pingEveryMs } = options;
    const settings = {
      settings: { maxConcurrentStreams: MAX_STREAMS_OF_CONNECTION },
      maxSessionMemory: SESSION_MEMORY,
    };
    this.server = tls ? createSecureServer({ ...settings, ...readTls(tls) }) : createServer(settings);
    this.server.maxConnections = options.maxConnections;
    this.server.prependListener('connection', (socket: Socket) => this.admit(socket));
    this.server.on('session', (session) => this.join(session));
    this.server.on('stream', (stream: ServerHttp2Stream, headers) => this.take(stream, headers));
    // Resets and strangers who do not speak HTTP/2: theirs to mend, and each has lost its connection by now.
    this.server.on('sessionError', (error) =>
      log.debug('a gRPC connection ended', { reason: error.message }),
    );
    this.pings = setInterval(() => this.ping(), pingEveryMs);
    this.forgetTls = tls ? this.renew(tls) : () => {};
  }

  get connections(): number {
    return this.sessions.size;
  }

  /** The port. Rejects when it is taken. */
  listen(): Promise<number> {
    const { host, port } = this.options;
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, host, () => {
        this.server.off('error', reject);
        this.server.on('error', (error) => this.options.log.error('the gRPC port', { error }));
        resolve((this.server.address() as AddressInfo).port);
      });
    });
  }

  /** Takes no more calls. What goes on has a moment to end. */
  async close(): Promise<void> {
    clearInterval(this.pings);
    this.forgetTls();
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    for (const session of this.sessions) session.close();
    const cutOff = setTimeout(() => {
      for (const session of this.sessions) session.destroy();
    }, DRAIN_MS);
    await closed;
    clearTimeout(cutOff);
  }

  private renew(tls: TlsFiles): () => void {
    const { log } = this.options;
    return watchTls(
      tls,
      (renewed) => {
        (this.server as Http2SecureServer).setSecureContext(renewed);
        log.info('a renewed certificate is in use for gRPC', { file: tls.certFile });
      },
      (reason) => log.error('a changed certificate is not used for gRPC; the old one serves on', { reason }),
    );
  }

  /** Before a byte of HTTP/2 or TLS is read. */
  private admit(socket: Socket): void {
    const { remoteAddress: ip = '' } = socket;
    const { shares, log } = this.options;
    if (shares.isFull(ip)) {
      log.debug('an address has too many gRPC connections');
      socket.destroy();
      return;
    }
    socket.once('close', shares.take(ip));
  }

  private join(session: ServerHttp2Session): void {
    this.sessions.add(session);
    session.once('close', () => {
      this.sessions.delete(session);
      this.awaited.delete(session);
    });
  }

  private ping(): void {
    for (const session of this.sessions) {
      if (session.destroyed) continue;
      if (this.awaited.has(session)) session.destroy();
      else if (session.ping(() => this.awaited.delete(session))) this.awaited.add(session);
    }
  }

  private take(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    stream.on('error', (error) => this.options.log.debug('a gRPC call', { reason: error.message }));
    if (headers[':method'] !== 'POST' || !/^application\/grpc($|[+;])/.test(headers['content-type'] ?? '')) {
      stream.respond({ ':status': 415 }, { endStream: true });
      return;
    }
    const call = new GrpcCall(stream, headers);
    const method = this.options.methods.get(headers[':path'] ?? '');
    if (method === undefined) {
      call.end('unimplemented', `there is no ${headers[':path']} here`);
      this.letGo(stream);
      return;
    }
    this.read(stream, call, (body) => this.run(call, () => method(call, messageOf(body))));
  }

  private read(stream: ServerHttp2Stream, call: GrpcCall, onBody: (body: Buffer) => void): void {
    const body = new RequestBody(MAX_REQUEST_BYTES + FRAME_HEAD);
    const tooSlow = setTimeout(() => call.cut(), MAX_REQUEST_MS);
    const refuse = (message: string): void => {
      stream.off('data', onData);
      body.forget();
      call.end('resourceExhausted', message);
      this.letGo(stream);
    };
    const share = this.unfinished.open(() =>
      refuse('too many requests are unfinished; send each in one piece'),
    );
    const finish = (): void => {
      clearTimeout(tooSlow);
      share.end();
    };
    function onData(part: Buffer): void {
      if (body.add(part)) share.hold(body.heldBytes);
      else refuse(`a request may have ${MAX_REQUEST_BYTES} bytes`);
    }
    stream.once('close', finish);
    stream.on('data', onData);
    stream.once('end', () => {
      finish();
      if (call.isOpen) onBody(body.read());
    });
  }

  /** The rest of a request that was answered already is not waited for. */
  private letGo(stream: ServerHttp2Stream): void {
    stream.resume();
    if (stream.writableFinished) stream.close();
    else stream.once('finish', () => stream.close());
  }

  private run(call: GrpcCall, answer: () => void): void {
    try {
      answer();
    } catch (error) {
      if (error instanceof FlagdRefused) {
        call.end(error.code, error.message);
        return;
      }
      this.options.log.error('a gRPC call failed', { error });
      call.end('internal', 'the gateway has a fault; its log says more');
    }
  }
}
