import type { FlagDefinition, SegmentDefinition } from '@headgate/contracts';
import { type Channel, checkFlagFile } from './check-flag-file.js';
import type { FlagFile } from './flag-file.js';
import type { NotCarried } from './report.js';

/**
 * The part of a file that the server would take, and why the rest is left out. Whatever hangs on something that is left out
 * is left out too.
 */
export const soundPart = (
  file: FlagFile,
  channel?: Channel,
): { readonly file: FlagFile; readonly notCarried: readonly NotCarried[] } => {
  const notCarried: NotCarried[] = [];
  const flags = new Map<string, FlagDefinition>(Object.entries(file.flags));
  const segments = new Map<string, SegmentDefinition>(Object.entries(file.segments ?? {}));
  for (;;) {
    const sound: FlagFile = {
      ...file,
      ...(file.segments === undefined ? {} : { segments: Object.fromEntries(segments) }),
      flags: Object.fromEntries(flags),
    };
    const problems = checkFlagFile(sound, undefined, channel);
    if (problems.length === 0) return { file: sound, notCarried };
    const before = flags.size + segments.size;
    const names = { flags: [...flags.keys()], segments: [...segments.keys()] };
    for (const { path, message, mend } of problems) {
      const [kind, name] = ownerOf(path, names);
      (kind === 'segments' ? segments : flags).delete(name);
      notCarried.push({ flag: name, place: path, line: 1, why: message, mend });
    }
    // A problem of nobody's cannot be left out.
    if (flags.size + segments.size === before) return { file: sound, notCarried };
  }
};

/** Names have dots too: the longest that is there. */
const ownerOf = (
  path: string,
  names: { readonly flags: readonly string[]; readonly segments: readonly string[] },
): [kind: 'flags' | 'segments', name: string] => {
  const kind = path.startsWith('segments.') ? 'segments' : 'flags';
  const rest = path.slice(kind.length + 1);
  const [longest = rest] = names[kind]
    .filter((name) => rest === name || rest.startsWith(`${name}.`) || rest.startsWith(`${name}[`))
    .sort((a, b) => b.length - a.length);
  return [kind, longest];
};
