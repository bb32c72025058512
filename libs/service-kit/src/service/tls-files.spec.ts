import { writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { type SelfSigned, selfSigned } from '../../../../test/support/self-signed.js';
import { Log } from '../log/log.js';
import { runService } from './run-service.js';
import { readTls, tlsFilesOf, watchTls } from './tls-files.js';

let files: SelfSigned;
beforeEach(async () => {
  files = await selfSigned();
});
afterEach(() => files.remove());

const log = new Log({ service: 'spec', level: 'error', now: () => 0, write: () => {} });

const statusOf = (url: string, ca?: string): Promise<number> =>
  new Promise((resolve, reject) => {
    request(`${url}/healthz`, { agent: false, ...(ca ? { ca } : {}) }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    })
      .on('error', reject)
      .end();
  });

describe('TLS of a service', () => {
  it('serves HTTPS to who trusts the certificate, and to nobody else', async () => {
    const service = await runService({ name: 'spec', modules: [], log, tls: files });
    try {
      expect(service.url).toMatch(/^https:/);
      expect(await statusOf(service.url, files.cert)).toBe(200);
      await expect(statusOf(service.url)).rejects.toThrow(/self-signed|certificate/);
      await expect(fetch(service.url.replace('https:', 'http:'))).rejects.toThrow();
    } finally {
      await service.close();
    }
  });

  it('refuses half a setting, a missing file and a key of another certificate, and says which', async () => {
    expect(tlsFilesOf(undefined, undefined)).toBeNull();
    expect(() => tlsFilesOf('cert.pem', undefined)).toThrow(/HEADGATE_TLS_KEY_PATH/);
    expect(() => readTls({ ...files, keyFile: '/nowhere/key.pem' })).toThrow(/\/nowhere\/key\.pem/);
    const other = await selfSigned();
    try {
      expect(() => readTls({ certFile: files.certFile, keyFile: other.keyFile })).toThrow(/cannot be used/);
    } finally {
      other.remove();
    }
  });

  it('takes up a renewed certificate, and keeps the old one while the files do not fit together', async () => {
    const renewed: string[] = [];
    const problems: string[] = [];
    const waitFor = async (isTrue: () => boolean): Promise<void> => {
      while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    const end = watchTls(
      files,
      ({ cert }) => renewed.push(cert.toString()),
      (message) => problems.push(message),
      10,
    );
    try {
      writeFileSync(files.certFile, 'half');
      await waitFor(() => problems.length > 0);
      expect(renewed).toEqual([]);
      const cert = await files.renew();
      await waitFor(() => renewed.length > 0);
      expect(renewed.at(-1)).toBe(cert);
    } finally {
      end();
    }
  });
});
