import { readFileSync, statSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { ConfigError } from '../config/config-error.js';

/** A server's certificate chain and its private key, as PEM files. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

export interface TlsContent {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Null when TLS is off. Half a setting is a mistake: serving without encryption would hide it. */
export const tlsFilesOf = (certFile: string | undefined, keyFile: string | undefined): TlsFiles | null => {
  if (certFile === undefined && keyFile === undefined) return null;
  if (certFile === undefined || keyFile === undefined)
    throw new ConfigError([
      `${certFile === undefined ? 'HEADGATE_TLS_CERT_PATH' : 'HEADGATE_TLS_KEY_PATH'}: missing; TLS needs both files.`,
    ]);
  return { certFile, keyFile };
};

/** Reads both and proves that they belong together. Throws a ConfigError that names the file. */
export const readTls = ({ certFile, keyFile }: TlsFiles): TlsContent => {
  const content = { cert: readPem(certFile), key: readPem(keyFile) };
  try {
    createSecureContext(content);
  } catch (error) {
    throw new ConfigError([`${certFile} and ${keyFile} cannot be used: ${(error as Error).message}`]);
  }
  return content;
};

const readPem = (file: string): Buffer => {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new ConfigError([`${file} cannot be read: ${(error as Error).message}`]);
  }
};

/**
 * Calls back with new content once the files have changed and belong together again: certificates are renewed while servers
 * run. Returns what ends it.
 */
export const watchTls = (
  files: TlsFiles,
  onRenewed: (content: TlsContent) => void,
  onProblem: (message: string) => void,
  everyMs = 60_000,
): (() => void) => {
  let seen = stampOf(files);
  const timer = setInterval(() => {
    const stamp = stampOf(files);
    if (stamp === seen) return;
    try {
      onRenewed(readTls(files));
      seen = stamp;
    } catch (error) {
      // Half written perhaps: the old certificate serves on, and the next look tries again.
      onProblem((error as Error).message);
    }
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
};

const stampOf = ({ certFile, keyFile }: TlsFiles): string =>
  [certFile, keyFile]
    .map((file) => {
      const stat = statSync(file, { throwIfNoEntry: false });
      return stat ? `${stat.mtimeMs}:${stat.size}:${stat.ino}` : 'gone';
    })
    .join(' ');
