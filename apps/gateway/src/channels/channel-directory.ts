import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { slug, trustSubject } from '@headgate/contracts';
import { HealthRegistry, Log, Metrics } from '@headgate/service-kit';
import { type Streams, StreamsError, type Subscription } from '@headgate/streams';
import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { GATEWAY_OPTIONS, type GatewayOptions } from '../gateway-options.js';
import { ChannelRefusals, type RefusedChannel } from './channel-refusals.js';
import type { ChannelSource } from './channel-source.js';
import { type ChannelWatch, ServedChannel } from './served-channel.js';

const DEFAULT_MAX_CHANNELS = 1_000;
const LOOK_AGAIN_MS = 1_000;
/** The source that the installation itself publishes to. */
const OWN_ROOT = 'own';
/** Every channel carries its trust: following these subjects names all channels, and new ones as they come. */
const EVERY_TRUST = trustSubject('*', '*');

/** All channels of all sources: found on disk at once, and in the streams as soon as they can be reached. */
@Injectable()
export class ChannelDirectory implements OnModuleInit, OnApplicationShutdown {
  private readonly channels = new Map<string, ServedChannel>();
  private readonly discovered = new Set<string>();
  private readonly subscriptions = new Set<Subscription>();
  private readonly loops: Promise<void>[] = [];
  private readonly watch: ChannelWatch;
  private readonly maxChannels: number;
  private streams: Streams | null = null;
  private isClosed = false;
  private wake: () => void = () => {};

  constructor(
    @Inject(GATEWAY_OPTIONS) private readonly options: GatewayOptions,
    @Inject(Log) private readonly log: Log,
    @Inject(Metrics) metrics: Metrics,
    @Inject(HealthRegistry) health: HealthRegistry,
  ) {
    const refusals = options.refusals ?? new ChannelRefusals();
    health.ready('gateway', () => {
      const own = refusals.of(OWN_ROOT);
      const others = options.sources.flatMap(({ root }) => (root === OWN_ROOT ? [] : refusals.of(root)));
      const detail = [...own, ...others].join('; ');
      // An upstream must not be able to take traffic away from a gateway whose own channels are well.
      const said = detail === '' ? {} : { detail };
      return own.length === 0 ? { ok: true, ...said } : { ok: false, isStuck: true, ...said };
    });
    this.maxChannels = options.maxChannels ?? DEFAULT_MAX_CHANNELS;
    const refused = metrics.counter({
      name: 'headgate_gateway_refused_total',
      help: 'Messages of a channel that were not verified and not passed on',
      labelNames: ['root', 'code'],
    });
    metrics.gauge({
      name: 'headgate_gateway_channels',
      help: 'Channels with a verified state',
      read: () => this.serving().length,
    });
    metrics.gauge({
      name: 'headgate_gateway_stale_channels',
      help: 'Served channels whose newest beat is missing or past its expiry',
      read: () => this.serving().filter((channel) => channel.isStale).length,
    });
    const leftOut = metrics.counter({
      name: 'headgate_gateway_left_out_flags_total',
      help: 'Flags that flagd clients were not given, because they could not take them',
      labelNames: ['root'],
    });
    this.watch = {
      onVerified: (channel) => refusals.clear(named(channel)),
      onRefused: (channel, message) => {
        const { code, subject, sequence } = message;
        refusals.note({ ...named(channel), refused: message });
        refused.inc({ root: channel.address.source.root, code });
        log.error('refused a message of a channel; the last good state stays', {
          ...named(channel),
          code,
          reason: message.message,
          subject,
          sequence,
        });
      },
      onInterrupted: (channel, error) =>
        log.warn('a channel is not followed at the moment', { ...named(channel), reason: error.message }),
      onLeftOut: (channel, key, problem) => {
        leftOut.inc({ root: channel.address.source.root });
        log.error('a flag is left out of what flagd clients get', {
          ...named(channel),
          flag: key,
          reason: problem,
        });
      },
      onProblem: (channel, message) => log.warn('a channel', { ...named(channel), reason: message }),
    };
  }

  onModuleInit(): void {
    for (const source of this.options.sources) {
      for (const { project, channel } of this.onDisk(source)) this.open(source, project, channel);
    }
    const follow = async (): Promise<void> => {
      this.streams = await this.options.streams;
      if (this.isClosed) return;
      for (const channel of this.channels.values()) void channel.follow(this.streams);
      for (const source of this.options.sources) this.loops.push(this.discover(this.streams, source));
    };
    void follow().catch((error: unknown) => this.log.error('the streams cannot be opened', { error }));
  }

  async onApplicationShutdown(): Promise<void> {
    this.isClosed = true;
    this.wake();
    await Promise.all([...this.subscriptions].map((subscription) => subscription.close()));
    await Promise.all(this.loops);
    await Promise.all([...this.channels.values()].map((channel) => channel.close()));
  }

  /** The channel of the first source that has a verified state of it. */
  find(project: string, channel: string): ServedChannel | null {
    for (const { root } of this.options.sources) {
      const found = this.channels.get(keyOf(root, project, channel));
      if (found?.isServing) return found;
    }
    return null;
  }

  serving(): readonly ServedChannel[] {
    return [...this.channels.values()].filter((channel) => channel.isServing);
  }

  /** Whether every source was looked through: before that, a channel that is not found may still exist. */
  get isComplete(): boolean {
    return this.discovered.size === this.options.sources.length;
  }

  endStreams(): void {
    for (const channel of this.channels.values()) channel.broadcast.close();
  }

  private async discover(streams: Streams, source: ChannelSource): Promise<void> {
    while (!this.isClosed) {
      try {
        await this.discoverOnce(streams, source);
      } catch (error) {
        if (!(error instanceof StreamsError)) throw error;
        this.log.warn('a source cannot be read at the moment', { root: source.root, reason: error.message });
      }
      if (!this.isClosed) await this.pause();
    }
  }

  private async discoverOnce(streams: Streams, source: ChannelSource): Promise<void> {
    const subscription = streams.follow(source.stream, { filter: EVERY_TRUST, from: 'last-per-subject' });
    this.subscriptions.add(subscription);
    const looked: Promise<void>[] = [];
    subscription.caughtUp.then(
      async () => {
        await Promise.all(looked);
        this.discovered.add(source.root);
      },
      () => {},
    );
    try {
      for await (const { subject } of subscription) {
        const [, , project, channel] = subject.split('.');
        const opened = this.open(source, project ?? '', channel ?? '');
        if (opened) looked.push(opened);
      }
    } finally {
      this.subscriptions.delete(subscription);
    }
  }

  /** Resolves when the channel was read to its end; null when it is open already, or not to be opened. */
  private open(source: ChannelSource, project: string, channel: string): Promise<void> | null {
    const key = keyOf(source.root, project, channel);
    // A mirror could carry anything: only names that may stand in an address and on disk, and not without end.
    if (this.isClosed || this.channels.has(key)) return null;
    if (!slug.safeParse(project).success || !slug.safeParse(channel).success) return null;
    if (this.channels.size >= this.maxChannels) {
      this.log.error('too many channels; this one is not served', { root: source.root, project, channel });
      return null;
    }
    const served = new ServedChannel({ source, project, channel }, this.options, this.watch);
    this.channels.set(key, served);
    return this.streams ? served.follow(this.streams) : null;
  }

  private onDisk({ root }: ChannelSource): { project: string; channel: string }[] {
    const { dataDir } = this.options;
    if (dataDir === null) return [];
    try {
      return readdirSync(join(dataDir, root)).flatMap((file) => {
        const [, project, channel] = /^([^.]+)\.([^.]+)\.state\.json$/.exec(file) ?? [];
        return project && channel ? [{ project, channel }] : [];
      });
    } catch {
      // Nothing was kept yet.
      return [];
    }
  }

  private pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, LOOK_AGAIN_MS);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

const keyOf = (root: string, project: string, channel: string): string => `${root}/${project}/${channel}`;

const named = ({
  address: { source, project, channel },
}: ServedChannel): Omit<RefusedChannel, 'refused'> => ({
  root: source.root,
  project,
  channel,
});
