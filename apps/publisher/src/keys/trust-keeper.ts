import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type JsonValue, type TrustBundle, trustBundle } from '@headgate/contracts';
import {
  type ChannelDelegation,
  createTrust,
  generateSigningKey,
  loadSigningKey,
  pinOf,
  resignTargets,
  rotateRoot,
  type SigningKey,
  type VerifiedTrust,
  verifyTrust,
} from '@headgate/trust';
import { claimPrivateFile, privateFolder, readPrivateFile } from './private-file.js';

const DAY_MS = 86_400_000;
const RESTORE = 'restore the keys folder from its backup';
const OFFLINE_KEYS: readonly string[] = ['root.pem', 'targets.pem'];
/** What is left of root's year and of the targets' 90 days when they are signed anew. */
const RENEW_ROOT_MS = 180 * DAY_MS;
const RENEW_TARGETS_MS = 45 * DAY_MS;
/** More commits than a channel can ever have: 600 years at the 50 a second that it may make. */
const LOST_COMMITS = 1_000_000_000_000;

export interface TrustKeeperOptions {
  /** `<dataDir>/keys`; made 0700, its files 0600. */
  readonly folder: string;
  readonly now: () => number;
  /** Encrypts new private keys and opens existing ones; without it they are protected by their mode only. */
  readonly passphrase?: string;
}

/**
 * The installation's keys and TUF metadata on disk: `root.pem`, `targets.pem`, one `flags.<project>.<channel>.pem` per channel,
 * `roots/<n>.json`, `targets/<n>.json`, `published/<project>.<channel>` (see `notePublished`), and `root.pin` for readers. Every
 * file is written once, so two publishers on one folder
 * agree: who comes second takes what the first wrote, and no version of targets ever has two contents.
 */
export class TrustKeeper {
  readonly #folder: string;
  readonly #root: SigningKey;
  readonly #targets: SigningKey;
  readonly #channelKeys = new Map<string, SigningKey>();
  readonly #published = new Set<string>();
  #verified: VerifiedTrust;

  constructor(private readonly options: TrustKeeperOptions) {
    this.#folder = privateFolder(options.folder);
    privateFolder(join(this.#folder, 'roots'));
    privateFolder(join(this.#folder, 'targets'));
    privateFolder(join(this.#folder, 'published'));
    this.#root = this.#key('root.pem');
    this.#targets = this.#key('targets.pem');
    this.#begin();
    this.#verified = this.#load();
    this.#keepPin();
  }

  get bundle(): TrustBundle {
    return this.#verified.bundle;
  }

  get pin(): string {
    return pinOf(this.bundle);
  }

  /** Takes in what another publisher on the same folder has written. */
  reload(): void {
    this.#verified = this.#load();
  }

  get expiresAt(): number {
    return this.#verified.expiresAt;
  }

  delegation(project: string, channel: string): ChannelDelegation | undefined {
    return this.#verified.delegations.get(`flags/${project}/${channel}`);
  }

  channelKey(project: string, channel: string): SigningKey {
    const name = `flags.${project}.${channel}.pem`;
    const key = this.#channelKeys.get(name) ?? this.#key(name);
    this.#channelKeys.set(name, key);
    return key;
  }

  /**
   * Signs targets anew unless they already name this channel's key in this epoch or a later one. A key that was lost is replaced
   * by a new one, which needs a new epoch.
   */
  delegate(place: Omit<ChannelDelegation, 'keyId' | 'publicKey'>): ChannelDelegation {
    const { keyId, publicKey } = this.channelKey(place.project, place.channel);
    for (;;) {
      const found = this.delegation(place.project, place.channel);
      const isSameKey = found === undefined || found.keyId === keyId;
      if (found !== undefined && isSameKey && found.epoch >= place.epoch) return found;
      const epoch = isSameKey ? place.epoch : Math.max(place.epoch, found.epoch + 1);
      const others = [...this.#verified.delegations.values()].filter((other) => other !== found);
      this.#signTargets([...others, { ...place, epoch, keyId, publicKey }]);
    }
  }

  /** Whether readers may hold a state of the channel, whatever the stream says. */
  isPublished(project: string, channel: string): boolean {
    return existsSync(join(this.#folder, 'published', `${project}.${channel}`));
  }

  /** To be called before a state of the channel is published, and not before its stream holds its trust. */
  notePublished(project: string, channel: string): void {
    const name = `${project}.${channel}`;
    if (this.#published.has(name)) return;
    claimPrivateFile(join(this.#folder, 'published'), name, 'readers may hold a state of this channel\n');
    this.#published.add(name);
  }

  /**
   * For a channel whose stream was lost: goes on in the same epoch above every number that may have been used. Not a new epoch:
   * readers keep the kills of an earlier one until a document of the new one lifts them, and the log's documents stay in theirs.
   */
  skipLostCommits(project: string, channel: string): ChannelDelegation {
    const lost = this.delegation(project, channel);
    if (lost === undefined) throw new Error(`${project}/${channel} is delegated to nobody`);
    for (;;) {
      const found = this.delegation(project, channel) ?? lost;
      // Another publisher on this folder may have done it.
      if (found.commitFloor > lost.commitFloor) return found;
      const others = [...this.#verified.delegations.values()].filter((other) => other !== found);
      this.#signTargets([...others, { ...found, commitFloor: found.commitFloor + LOST_COMMITS }]);
    }
  }

  /** Signs root and targets anew while there is still plenty of their time left. */
  renew(): void {
    const now = this.options.now();
    const { rootExpiresAt, targetsExpiresAt } = this.#verified;
    if (rootExpiresAt - now < RENEW_ROOT_MS) {
      const keys = { rootKeys: [this.#root], targetsKeys: [this.#targets] };
      const roles = { ...keys, rootThreshold: 1, targetsThreshold: 1, signers: [this.#root], now };
      const next = rotateRoot(this.bundle, roles);
      this.#write('roots', next.roots.length, next.roots.at(-1));
      this.#verified = this.#load();
    }
    if (targetsExpiresAt - now < RENEW_TARGETS_MS)
      this.#signTargets([...this.#verified.delegations.values()]);
  }

  /**
   * What the stream has, taken in when this folder is behind it (restored from a backup). Throws when the stream was signed under
   * another root: then these are not its keys, and nothing may be written over it.
   */
  adopt(stored: Uint8Array): VerifiedTrust {
    const bundle = trustBundle.parse(JSON.parse(Buffer.from(stored).toString('utf8')));
    const theirs = verifyTrust(bundle, this.pin);
    for (const [i, root] of bundle.roots.entries()) this.#write('roots', i + 1, root);
    if (theirs.targetsVersion > this.#verified.targetsVersion)
      this.#write('targets', theirs.targetsVersion, bundle.targets);
    this.#verified = this.#load();
    return theirs;
  }

  /** Readers out there hold the pin of the first start: another one must not be signed under as if nothing had happened. */
  #keepPin(): void {
    const path = join(this.#folder, 'root.pin');
    if (claimPrivateFile(this.#folder, 'root.pin', `${this.pin}\n`)) return;
    if (readPrivateFile(path)?.trim() === this.pin) return;
    throw new Error(
      `${path} does not name ${join(this.#folder, 'roots', '1.json')}: one of them is damaged or was replaced; ${RESTORE}`,
    );
  }

  #begin(): void {
    const keys = { rootKeys: [this.#root], targetsKeys: [this.#targets] };
    const draft = createTrust({ ...keys, channels: [], now: this.options.now() });
    // The pin is written last: where it is, a first root was, and another in its place would be another installation.
    if (this.#newest('roots') === 0 && readPrivateFile(join(this.#folder, 'root.pin')) !== null)
      throw new Error(`${join(this.#folder, 'roots', '1.json')} is missing; ${RESTORE}`);
    // A start cut short between the two leaves a root without targets.
    if (this.#newest('roots') === 0) this.#write('roots', 1, draft.roots[0]);
    if (this.#newest('targets') === 0) this.#write('targets', 1, draft.targets);
  }

  #signTargets(channels: readonly ChannelDelegation[]): void {
    const draft = { channels, targetsKeys: [this.#targets], now: this.options.now() };
    this.#write('targets', this.#verified.targetsVersion + 1, resignTargets(this.bundle, draft).targets);
    this.#verified = this.#load();
  }

  #load(): VerifiedTrust {
    const versions = Array.from({ length: this.#newest('roots') }, (_, i) => i + 1);
    const roots = versions.map((version) => this.#read('roots', version));
    const targets = this.#read('targets', this.#newest('targets'));
    try {
      const bundle = trustBundle.parse({ schema: 'headgate.trust.v1', roots, targets });
      return verifyTrust(bundle, pinOf(bundle));
    } catch (cause) {
      const folders = `${join(this.#folder, 'roots')} and ${join(this.#folder, 'targets')}`;
      throw new Error(`the metadata in ${folders} do not verify (${reasonOf(cause)}); ${RESTORE}`, { cause });
    }
  }

  #newest(kind: 'roots' | 'targets'): number {
    const names = readdirSync(join(this.#folder, kind));
    return Math.max(0, ...names.map((name) => Number(/^([1-9][0-9]*)\.json$/.exec(name)?.[1] ?? 0)));
  }

  #read(kind: 'roots' | 'targets', version: number): JsonValue {
    const path = join(this.#folder, kind, `${version}.json`);
    const text = readPrivateFile(path);
    if (text === null) throw new Error(`${path} is missing; ${RESTORE}`);
    try {
      return JSON.parse(text) as JsonValue;
    } catch (cause) {
      throw new Error(`${path} is damaged: it is not JSON; ${RESTORE}`, { cause });
    }
  }

  #write(kind: 'roots' | 'targets', version: number, metadata: unknown): void {
    claimPrivateFile(join(this.#folder, kind), `${version}.json`, JSON.stringify(metadata));
  }

  #key(name: string): SigningKey {
    const { passphrase } = this.options;
    const path = join(this.#folder, name);
    const found = readPrivateFile(path);
    if (found !== null) {
      try {
        return loadSigningKey(found, found.includes('ENCRYPTED') ? passphrase : undefined);
      } catch (cause) {
        throw new Error(`${path}: ${reasonOf(cause)}; ${RESTORE}`, { cause });
      }
    }
    // A new key in place of one that root names would sign what nobody accepts. Channel keys can be replaced (`delegate`).
    if (OFFLINE_KEYS.includes(name) && this.#newest('roots') > 0)
      throw new Error(`${path} is missing; ${RESTORE}`);
    claimPrivateFile(this.#folder, name, generateSigningKey(passphrase).pem);
    return this.#key(name);
  }
}

const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
