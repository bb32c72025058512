import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { readAptSources } from '../bootstrap/apt-sources.mjs';

/**
 * What must not stand in a committed file: where this machine keeps the clone, and the hosts it gets packages from.
 *
 * @param {{ readonly root: string, readonly registry: string, readonly env?: NodeJS.ProcessEnv, readonly aptDir?: string }} machine
 * @returns {readonly { readonly what: string, readonly text: string }[]}
 */
export function machineTexts({ root, registry, env = process.env, aptDir }) {
  const proxies = [env.http_proxy, env.https_proxy, env.HTTP_PROXY, env.HTTPS_PROXY];
  const addresses = [registry, ...proxies, ...readAptSources(aptDir).map(({ uri }) => uri)];
  const hosts = addresses.flatMap((address) => hostOf(address ?? ''));
  const home = homedir();
  return [
    { what: "this clone's path", text: root.replace(/\/+$/, '') },
    ...(home.length > 1 ? [{ what: "this user's home", text: `${home.replace(/\/+$/, '')}/` }] : []),
    ...[...new Set(hosts)].map((host) => ({ what: 'a host this machine gets packages from', text: host })),
  ];
}

/**
 * @param {string} address
 * @returns {string[]}
 */
function hostOf(address) {
  const host = /^[a-z+]+:\/\/(?:[^@/]*@)?\[?([^\]/:]+)/i.exec(address)?.[1];
  return host && host !== 'localhost' && !host.startsWith('127.') ? [host] : [];
}

/**
 * One line per place where a file holds one of the texts.
 *
 * @param {string} root
 * @param {readonly string[]} files
 * @param {readonly { readonly what: string, readonly text: string }[]} texts
 */
export function findMachineTexts(root, files, texts) {
  return files.flatMap((file) => {
    const content = readFileSync(join(root, file), 'utf8');
    return texts.flatMap(({ what, text }) => {
      const at = content.search(standingAlone(text));
      return at < 0 ? [] : [`${file}:${content.slice(0, at).split('\n').length}: holds ${what}`];
    });
  });
}

/**
 * A clone at /app must not be seen in "libs/app/".
 *
 * @param {string} text
 */
function standingAlone(text) {
  const literal = text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`(?<![\\w-])${literal}${text.endsWith('/') ? '' : '(?![\\w-])'}`);
}
