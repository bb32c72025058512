import { chmodSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openChannelReader } from '@headgate/trust';
import { TrustKeeper } from './trust-keeper.js';

const NOW = 1_790_000_000_000;
const DAY = 86_400_000;
const PLACE = { project: 'shop', channel: 'stable', epoch: 1, commitFloor: 0 } as const;

describe('a trust keeper', () => {
  let root: string;
  let folder: string;
  let now: number;
  const open = (more: { folder?: string; passphrase?: string } = {}) =>
    new TrustKeeper({ folder, now: () => now, ...more });

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'hg-keys-'));
    folder = join(root, 'keys');
    now = NOW;
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it('makes its keys once and has the same pin at every start', () => {
    const first = open();
    first.delegate(PLACE);
    const second = open();
    expect(second.pin).toBe(first.pin);
    expect(readFileSync(join(folder, 'root.pin'), 'utf8').trim()).toBe(first.pin);
    expect(second.bundle).toEqual(first.bundle);
    expect(second.delegate(PLACE)).toEqual(first.delegation('shop', 'stable'));
    expect(readdirSync(join(folder, 'targets')).sort()).toEqual(['1.json', '2.json']);
  });

  it('goes on from a start that was cut short after any file', () => {
    open().delegate(PLACE);
    const files = ['root.pem', 'targets.pem', 'roots/1.json', 'targets/1.json'];
    for (let kept = 0; kept < files.length; kept++) {
      const cut = join(root, `cut-${kept}`);
      cpSync(folder, cut, { recursive: true });
      for (const name of [...files.slice(kept), 'root.pin', 'targets/2.json']) rmSync(join(cut, name));
      const keeper = open({ folder: cut });
      expect(keeper.delegate(PLACE).epoch).toBe(1);
      expect(open({ folder: cut }).pin).toBe(keeper.pin);
    }
  });

  it('encrypts private keys under a passphrase, and opens them with no other', () => {
    const { pin } = open({ passphrase: 'correct horse' });
    expect(readFileSync(join(folder, 'root.pem'), 'utf8')).toContain('BEGIN ENCRYPTED PRIVATE KEY');
    expect(open({ passphrase: 'correct horse' }).pin).toBe(pin);
    expect(() => open({ passphrase: 'battery staple' })).toThrow('wrong passphrase');
    expect(() => open()).toThrow('passphrase');
  });

  it('refuses a key that others may read, one that is damaged, and one of another kind', () => {
    open();
    const path = join(folder, 'root.pem');
    chmodSync(path, 0o644);
    expect(() => open()).toThrow(`chmod 600 ${path}`);
    chmodSync(path, 0o600);
    writeFileSync(path, 'nonsense');
    expect(() => open()).toThrow('cannot be read');
  });

  it.each([
    ['roots/1.json', 'nonsense'],
    ['roots/1.json', '{}'],
    ['roots/1.json', null],
    ['targets/2.json', 'null'],
    ['root.pem', null],
    ['targets.pem', null],
    ['targets.pem', 'nonsense'],
    ['root.pin', 'sha256:0\n'],
  ])('names %s when it holds %p, and goes on once it is back', (name, content) => {
    const first = open();
    first.delegate(PLACE);
    const path = join(folder, name);
    const whole = readFileSync(path);
    if (content === null) rmSync(path);
    else writeFileSync(path, content);
    const left = readdirSync(folder, { recursive: true }).length;
    now += DAY;
    const named = name.includes('/') ? join(folder, name.split('/')[0] ?? '') : path;
    expect(() => open()).toThrow(named);
    expect(() => open()).toThrow('restore the keys folder from its backup');
    expect(readdirSync(folder, { recursive: true })).toHaveLength(left);
    writeFileSync(path, whole, { mode: 0o600 });
    expect(open().bundle).toEqual(first.bundle);
  });

  it('agrees with another keeper that signs at the same time: no version has two contents', () => {
    const [one, two] = [open(), open()];
    one.delegate(PLACE);
    two.delegate({ ...PLACE, channel: 'candidate' });
    two.reload();
    one.reload();
    expect(one.bundle).toEqual(two.bundle);
    expect(one.delegation('shop', 'stable')).toBeDefined();
    expect(one.delegation('shop', 'candidate')).toBeDefined();
    expect(one.channelKey('shop', 'candidate').keyId).toBe(two.channelKey('shop', 'candidate').keyId);
  });

  it('gives a channel a new epoch, above its floor, and never an older one', () => {
    const keeper = open();
    keeper.delegate(PLACE);
    expect(keeper.delegate({ ...PLACE, epoch: 2, commitFloor: 41 })).toMatchObject({
      epoch: 2,
      commitFloor: 41,
    });
    expect(keeper.delegate(PLACE)).toMatchObject({ epoch: 2, commitFloor: 41 });
  });

  it('replaces a lost channel key in a new epoch', () => {
    const before = open().delegate(PLACE);
    rmSync(join(folder, 'flags.shop.stable.pem'));
    const after = open().delegate({ ...PLACE, commitFloor: 7 });
    expect(after.keyId).not.toBe(before.keyId);
    expect(after).toMatchObject({ epoch: 2, commitFloor: 7 });
  });

  it('renews root and targets in time, and readers follow', () => {
    const keeper = open();
    keeper.delegate(PLACE);
    const reader = openChannelReader({ ...PLACE, pin: keeper.pin, now: () => now });
    expect(reader.acceptTrust(keeper.bundle).ok).toBe(true);
    const { expiresAt } = keeper;
    keeper.renew();
    expect(keeper.expiresAt).toBe(expiresAt);
    now += 46 * DAY;
    keeper.renew();
    expect(keeper.expiresAt).toBeGreaterThan(expiresAt);
    now += 140 * DAY;
    keeper.renew();
    expect(keeper.bundle.roots).toHaveLength(2);
    expect(reader.acceptTrust(keeper.bundle).ok).toBe(true);
    expect(open().pin).toBe(keeper.pin);
  });

  it('takes in what the stream has when its folder came from an older backup', () => {
    const keeper = open();
    keeper.delegate(PLACE);
    const backup = join(root, 'backup');
    cpSync(folder, backup, { recursive: true });
    keeper.delegate({ ...PLACE, channel: 'candidate' });
    const stored = Buffer.from(JSON.stringify(keeper.bundle));
    const restored = open({ folder: backup });
    restored.adopt(stored);
    expect(restored.bundle).toEqual(keeper.bundle);
    expect(() => open({ folder: join(root, 'other') }).adopt(stored)).toThrow('the pin says');
    expect(() => restored.adopt(Buffer.from('{}'))).toThrow();
  });
});
