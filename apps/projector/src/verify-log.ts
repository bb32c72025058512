import type { LogPosition } from '@headgate/contracts';
import type { EventStore } from '@headgate/event-store';
import { archivedProjects, type Database, readArchive } from '@headgate/read-model';
import { checkEvent } from '@headgate/trust';
import { parseWritten, writtenText } from './written-event.js';

export interface LogVerified {
  readonly ok: boolean;
  /** In JetStream. */
  readonly events: number;
  readonly archived: number;
  /** Events the archive does not have yet; not a fault. */
  readonly notArchivedYet: number;
  /** The first twenty, each with its place; empty when both copies are whole and the same. */
  readonly faults: readonly string[];
}

const MAX_FAULTS = 20;

/** Counts all, keeps the first: a stream that lost its head would otherwise fill the answer. */
class Faults {
  count = 0;
  readonly first: string[] = [];
  add(fault: string): void {
    this.count += 1;
    if (this.first.length < MAX_FAULTS) this.first.push(fault);
  }
}

/** Walks every project's chain in JetStream and in the archive, hash by hash, and compares the two. */
export const verifyLog = async (store: Pick<EventStore, 'read'>, db: Database): Promise<LogVerified> => {
  const faults = new Faults();
  const stream = await walkStream(store, faults);
  let archived = 0;
  let notArchivedYet = 0;
  const projects = new Set([...stream.hashes.keys(), ...(await archivedProjects(db))]);
  for (const project of [...projects].sort()) {
    const own = stream.hashes.get(project) ?? [];
    const count = await walkArchive(db, project, own, faults);
    archived += count;
    notArchivedYet += Math.max(0, own.length - count);
    if (count > own.length)
      faults.add(
        `project "${project}": the archive goes on to position ${count}, the log ends at ${own.length}; run \`headgate log restore\``,
      );
  }
  return { ok: faults.count === 0, events: stream.events, archived, notArchivedYet, faults: faults.first };
};

const walkStream = async (store: Pick<EventStore, 'read'>, faults: Faults) => {
  const hashes = new Map<string, string[]>();
  const heads = new Map<string, LogPosition>();
  let events = 0;
  try {
    for await (const { event, streamSequence, written } of store.read()) {
      // As it was written: the event handed out has what its schema added.
      const wrong = checkEvent(parseWritten(writtenText(written)), heads.get(event.project) ?? null);
      if (wrong)
        faults.add(
          `log, stream sequence ${streamSequence}, project "${event.project}", position ${event.position}: ${wrong}`,
        );
      heads.set(event.project, { epoch: event.epoch, position: event.position, hash: event.hash });
      const own = hashes.get(event.project) ?? [];
      own.push(event.hash);
      hashes.set(event.project, own);
      events += 1;
    }
  } catch (cause) {
    faults.add(`log: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
  return { hashes, events };
};

const walkArchive = async (
  db: Database,
  project: string,
  own: readonly string[],
  faults: Faults,
): Promise<number> => {
  let head: LogPosition | null = null;
  let count = 0;
  for await (const { position, text } of readArchive(db, project)) {
    count += 1;
    const at = `archive, project "${project}", position ${position}`;
    const event = parse(text);
    if (!event) {
      faults.add(`${at}: not an event`);
      continue;
    }
    const wrong = checkEvent(event, head);
    if (wrong) faults.add(`${at}: ${wrong}`);
    head = { epoch: event.epoch, position: event.position, hash: event.hash };
    const inLog = own[position - 1];
    if (inLog !== undefined && inLog !== event.hash)
      faults.add(`${at}: hash ${event.hash.slice(0, 12)}…, in the log ${inLog.slice(0, 12)}…`);
  }
  return count;
};

const parse = (text: string) => {
  try {
    return parseWritten(text);
  } catch {
    return null;
  }
};
