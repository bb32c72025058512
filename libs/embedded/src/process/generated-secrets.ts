import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { writePrivateFile } from './private-files.js';

/**
 * Passwords made at first start (32 random bytes each) and kept in a 0600 file; names that a newer release adds are made
 * when first asked for. A damaged file is an error, not a reason to make new ones: the server may know the old.
 */
export function generatedSecrets<Name extends string>(
  path: string,
  names: readonly Name[],
  random: (bytes: number) => Buffer = randomBytes,
): Readonly<Record<Name, string>> {
  const known = readSecrets(path);
  const missing = names.filter((name) => known[name] === undefined);
  const all = {
    ...known,
    ...Object.fromEntries(missing.map((name) => [name, random(32).toString('base64url')])),
  };
  if (missing.length > 0) writePrivateFile(path, `${JSON.stringify(all, null, 2)}\n`);
  return Object.fromEntries(names.map((name) => [name, all[name]])) as Record<Name, string>;
}

function readSecrets(path: string): Readonly<Record<string, string>> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
  try {
    const secrets: unknown = JSON.parse(text);
    if (isSecrets(secrets)) return secrets;
  } catch {
    // not JSON: the same answer as JSON of another shape
  }
  throw new Error(
    `credentials file ${path} is damaged; restore it from a backup, or remove it to have new credentials made at the next start`,
  );
}

function isSecrets(value: unknown): value is Record<string, string> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((secret) => typeof secret === 'string' && secret.length >= 16)
  );
}
