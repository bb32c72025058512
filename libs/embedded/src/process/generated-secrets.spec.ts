import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generatedSecrets } from './generated-secrets.js';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hg-secrets-'));
  path = join(folder, 'credentials.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('secrets are made once, 32 random bytes each, for the owner only', () => {
  const first = generatedSecrets(path, ['a', 'b']);
  expect(Buffer.from(first.a, 'base64url')).toHaveLength(32);
  expect(first.a).not.toBe(first.b);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(generatedSecrets(path, ['a', 'b'])).toEqual(first);
});

test('a name that a newer release adds gets a secret and leaves the others alone', () => {
  const before = generatedSecrets(path, ['a']);
  const after = generatedSecrets(path, ['a', 'b']);
  expect(after.a).toBe(before.a);
  expect(Buffer.from(after.b, 'base64url')).toHaveLength(32);
});

test.each(['', '{', '[]', '{"a":1}', '{"a":""}'])(
  'a damaged file (%j) is an error and stays as it is',
  (text) => {
    writeFileSync(path, text);
    expect(() => generatedSecrets(path, ['a'])).toThrow(
      /credentials\.json is damaged; restore it .* or remove it/,
    );
    expect(readFileSync(path, 'utf8')).toBe(text);
  },
);

test('randomness is handed in', () => {
  expect(generatedSecrets(path, ['a'], (bytes) => Buffer.alloc(bytes, 7)).a).toBe(
    Buffer.alloc(32, 7).toString('base64url'),
  );
});
