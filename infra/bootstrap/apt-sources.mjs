import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * One place apt may fetch binary packages from.
 *
 * @typedef {object} AptSource
 * @property {string} uri
 * @property {readonly string[]} suites
 * @property {readonly string[]} components
 * @property {string | undefined} signedBy a keyring's path, or the key itself (armoured, several lines)
 * @property {boolean} isTrusted `Trusted: yes`: the machine's owner waived signatures for it
 */

const DEBIAN_SUITES = new Set(
  'oldoldstable oldstable stable testing unstable sid bullseye bookworm trixie forky duke'.split(' '),
);

/**
 * All enabled binary sources of a machine, in apt's own order: sources.list, then sources.list.d by name.
 *
 * @param {string} [etc]
 * @returns {AptSource[]}
 */
export function readAptSources(etc = '/etc/apt') {
  const parts = readOr(() => readdirSync(join(etc, 'sources.list.d')).sort(), []);
  const files = ['sources.list', ...parts.map((name) => join('sources.list.d', name))];
  return files.flatMap((file) => {
    const text = readOr(() => readFileSync(join(etc, file), 'utf8'), '');
    if (file.endsWith('.sources')) return parseDeb822(text);
    return file.endsWith('.list') ? parseOneLine(text) : [];
  });
}

/**
 * The sources that hold Debian itself, likeliest first: component main, a suite of Debian's by name or this machine's
 * own codename, not the security archive (which lacks packages of other suites). Third parties use other suite names
 * or other components.
 *
 * @param {readonly AptSource[]} sources
 * @param {string} [codename]
 */
export function debianSources(sources, codename = '') {
  const isDebian = (/** @type {AptSource} */ source) =>
    source.components.includes('main') &&
    source.suites.some((suite) => DEBIAN_SUITES.has(suite) || suite === codename) &&
    !/-security\/?$/.test(source.uri);
  const rank = (/** @type {AptSource} */ source) => (source.suites.includes(codename) ? 0 : 1);
  const unique = new Map(sources.filter(isDebian).map((source) => [source.uri, source]));
  return [...unique.values()].sort((a, b) => rank(a) - rank(b));
}

/**
 * `*.sources`: stanzas of fields; a line that starts with a blank continues its field; comments may stand anywhere.
 *
 * @param {string} text
 * @returns {AptSource[]}
 */
export function parseDeb822(text) {
  const lines = text.split('\n').filter((line) => !line.startsWith('#'));
  const stanzas = lines.join('\n').split(/\n[ \t]*(?:\n[ \t]*)+/);
  return stanzas.flatMap((stanza) => {
    const fields = deb822Fields(stanza);
    const words = (/** @type {string} */ name) => (fields.get(name) ?? '').split(/\s+/).filter(Boolean);
    if (!words('types').includes('deb') || /^(no|false|0|off)$/i.test(fields.get('enabled') ?? 'yes'))
      return [];
    return words('uris').map((uri) => ({
      uri,
      suites: words('suites'),
      components: words('components'),
      signedBy: fields.get('signed-by'),
      isTrusted: isYes(fields.get('trusted')),
    }));
  });
}

/** @param {string} stanza */
function deb822Fields(stanza) {
  /** @type {Map<string, string>} */
  const fields = new Map();
  let name = '';
  for (const line of stanza.split('\n')) {
    const start = /^([A-Za-z0-9-]+):[ \t]*(.*)$/.exec(line);
    if (start) {
      name = (start[1] ?? '').toLowerCase();
      fields.set(name, (start[2] ?? '').trim());
    } else if (/^[ \t]/.test(line) && name) {
      // in a multi-line value an empty line is written as a lone dot
      const more = line.trim() === '.' ? '' : line.trim();
      fields.set(name, `${fields.get(name)}\n${more}`.replace(/^\n/, ''));
    }
  }
  return fields;
}

/**
 * `*.list`: `deb [option=value …] uri suite component …`, a line each.
 *
 * @param {string} text
 * @returns {AptSource[]}
 */
export function parseOneLine(text) {
  return text.split('\n').flatMap((raw) => {
    const line = raw.replace(/#.*/, '').trim();
    const found = /^deb[ \t]+(?:\[([^\]]*)\][ \t]*)?(\S+)[ \t]+(\S+)(.*)$/.exec(line);
    if (!found) return [];
    const options = new Map(
      (found[1] ?? '')
        .split(/\s+/)
        .filter(Boolean)
        .map((option) => /** @type {[string, string]} */ (option.split(/=(.*)/s).slice(0, 2))),
    );
    return [
      {
        uri: found[2] ?? '',
        suites: [found[3] ?? ''],
        components: (found[4] ?? '').split(/\s+/).filter(Boolean),
        signedBy: options.get('signed-by'),
        isTrusted: isYes(options.get('trusted')),
      },
    ];
  });
}

/** @param {string | undefined} value */
function isYes(value) {
  return /^(yes|true|1|on)$/i.test(value ?? '');
}

/**
 * @template T
 * @param {() => T} read
 * @param {T} fallback
 * @returns {T}
 */
function readOr(read, fallback) {
  try {
    return read();
  } catch {
    return fallback;
  }
}
