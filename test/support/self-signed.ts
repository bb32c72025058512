import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';

export interface SelfSigned {
  readonly certFile: string;
  readonly keyFile: string;
  /** PEM: what a client has to trust. */
  readonly cert: string;
  /** Puts another certificate and key into the same files. */
  renew(): Promise<string>;
  remove(): void;
}

/** A certificate for 127.0.0.1 that nobody else trusts, in files of its own. */
export const selfSigned = async (): Promise<SelfSigned> => {
  const folder = mkdtempSync(join(tmpdir(), 'hg-tls-'));
  const certFile = join(folder, 'cert.pem');
  const keyFile = join(folder, 'key.pem');
  const write = async (): Promise<string> => {
    const made = await generate([{ name: 'commonName', value: '127.0.0.1' }], {
      keyType: 'ec',
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
    });
    writeFileSync(keyFile, made.private, { mode: 0o600 });
    writeFileSync(certFile, made.cert);
    return made.cert;
  };
  const cert = await write();
  return {
    certFile,
    keyFile,
    cert,
    renew: write,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
};
