import { fromBinary, fromJson, type JsonObject, toBinary, toJson } from '@bufbuild/protobuf';
import { STREAMS } from '@headgate/contracts';
import { Log, type RunningService, runService } from '@headgate/service-kit';
import { declareInstallation, openMemoryStreams, type Streams } from '@headgate/streams';
import { grpcBody, openRawGrpc, type RawCall, type RawGrpc } from '../../../../test/support/raw-grpc.js';
import { SignedChannel } from '../../../../test/support/signed-channel.js';
import { until } from '../../../../test/support/until.js';
import { GatewayModule, type GatewayOptions } from '../index.js';
import { EVALUATION_V2, SYNC } from './proto/flagd-messages.js';

export const SYNC_FLAGS = '/flagd.sync.v1.FlagSyncService/SyncFlags';
export const FETCH_ALL = '/flagd.sync.v1.FlagSyncService/FetchAllFlags';
export const STATUS = {
  ok: 0,
  unknown: 2,
  invalid: 3,
  deadline: 4,
  notFound: 5,
  exhausted: 8,
  unimplemented: 12,
} as const;
export const UNAVAILABLE = 14;

type Changes = Partial<Omit<GatewayOptions, 'grpc'>> & { readonly grpc?: Partial<GatewayOptions['grpc']> };

/** A gateway of one channel, shop/stable with flag-1 off and flag-2 on, and what calls it; made new for each test. */
export class FlagdGateway {
  readonly channel = new SignedChannel();
  readonly lines: string[] = [];
  port = 0;
  private readonly opened: { close(): void }[] = [];
  private service: RunningService | null = null;

  private constructor(readonly streams: Streams) {}

  static async make(): Promise<FlagdGateway> {
    const streams = openMemoryStreams({ now: Date.now });
    await declareInstallation(streams, { now: Date.now() });
    const made = new FlagdGateway(streams);
    const { channel } = made;
    channel.commit(channel.document(1), channel.document(2, { defaultVariant: 'on' }));
    await channel.publishAll(streams);
    return made;
  }

  get url(): string {
    return this.service?.url ?? '';
  }

  async start({ grpc, ...options }: Changes = {}, isServed = true): Promise<void> {
    const log = new Log({
      service: 'gateway',
      level: 'warn',
      now: Date.now,
      write: (line) => this.lines.push(line),
    });
    const module = GatewayModule.register({
      streams: this.streams,
      sources: [{ root: 'own', stream: STREAMS.flags, pin: this.channel.pin }],
      dataDir: null,
      now: Date.now,
      random: () => 0,
      newId: () => 'id',
      ...options,
      grpc: {
        host: '127.0.0.1',
        port: 0,
        tls: null,
        ...grpc,
        onListening: (port) => {
          this.port = port;
        },
      },
    });
    this.service = await runService({ name: 'gateway', log, modules: [module] });
    if (isServed) await until('the channel', async () => (await fetch(`${this.url}/flags/shop/stable/`)).ok);
  }

  async stop(): Promise<void> {
    await this.service?.close();
    this.service = null;
  }

  async remove(): Promise<void> {
    for (const part of this.opened) part.close();
    await this.stop();
    await this.streams.close();
  }

  open(): RawGrpc {
    return this.adopt(openRawGrpc(`http://127.0.0.1:${this.port}`));
  }

  /** Closes it with the gateway. */
  adopt<T extends { close(): void }>(part: T): T {
    this.opened.push(part);
    return part;
  }

  publish(...documents: Parameters<SignedChannel['commit']>): Promise<void> {
    return this.channel.publishCommit(this.streams, this.channel.commit(...documents));
  }
}

export const syncBody = (selector = ''): Buffer =>
  grpcBody(toBinary(SYNC.SyncFlagsRequest, fromJson(SYNC.SyncFlagsRequest, { selector })));
export const stateIn = (
  message: Buffer | undefined,
): { flags: Record<string, JsonObject>; metadata: JsonObject } => {
  if (message === undefined) throw new Error('no message');
  const { flagConfiguration } = toJson(
    SYNC.SyncFlagsResponse,
    fromBinary(SYNC.SyncFlagsResponse, message),
  ) as JsonObject;
  return JSON.parse(String(flagConfiguration));
};
/** A message without any flags. */
export const EMPTY = Buffer.concat([Buffer.from([0x0a, 12]), Buffer.from('{"flags":{}}')]);
export const sync = (client: RawGrpc, selector = '', headers: Record<string, string> = {}): RawCall =>
  client.call(SYNC_FLAGS, syncBody(selector), headers);

/** Types of the events that an EventStream brought. */
export const typesOf = ({ messages }: RawCall): string[] =>
  messages.map((message) => {
    const response = EVALUATION_V2.EventStreamResponse;
    return String((toJson(response, fromBinary(response, message)) as JsonObject).type);
  });
