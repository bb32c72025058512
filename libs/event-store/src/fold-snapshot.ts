import { open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type LogPosition, logPosition } from '@headgate/contracts';
import { type ProjectState, parseProject, serializeProject } from '@headgate/domain';
import { sha256Hex } from '@headgate/trust';

/** A fold as it was at one message of LOG. Only a shortcut: whatever does not match the log is thrown away. */
export interface FoldSnapshot {
  readonly project: string;
  readonly streamCreated: string;
  readonly streamSequence: number;
  readonly head: LogPosition;
  readonly state: ProjectState;
}

const FORMAT = 'headgate.fold.v1';

/** One line that says what it is, one line of state. Either the whole new file is there after a crash, or the old one. */
export const writeFoldSnapshot = async (directory: string, snapshot: FoldSnapshot): Promise<void> => {
  const { state, ...about } = snapshot;
  const body = JSON.stringify(serializeProject(state));
  const header = JSON.stringify({ format: FORMAT, ...about, digest: sha256Hex(body) });
  const path = snapshotPath(directory, snapshot.project);
  const draft = `${path}.${process.pid}.draft`;
  try {
    const file = await open(draft, 'w', 0o600);
    try {
      await file.writeFile(`${header}\n${body}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
    await syncDirectory(dirname(path));
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
};

/** Null when there is none, or none that can be used; `warn` hears why. Never throws for what is in the file. */
export const readFoldSnapshot = async (
  directory: string,
  project: string,
  warn: (message: string) => void,
): Promise<FoldSnapshot | null> => {
  const path = snapshotPath(directory, project);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      warn(
        `fold snapshot ${path} cannot be read (${(error as Error).message}): folding the log from its start`,
      );
    return null;
  }
  const snapshot = parse(text, project);
  if (snapshot === null)
    warn(`fold snapshot ${path} is damaged or of another release: folding the log from its start`);
  return snapshot;
};

const parse = (text: string, project: string): FoldSnapshot | null => {
  const end = text.indexOf('\n');
  const body = text.slice(end + 1, -1);
  try {
    const header = JSON.parse(text.slice(0, end)) as Record<string, unknown>;
    const head = logPosition.parse(header.head);
    const { streamCreated, streamSequence } = header;
    if (header.format !== FORMAT || header.project !== project || header.digest !== sha256Hex(body))
      return null;
    if (typeof streamCreated !== 'string' || typeof streamSequence !== 'number') return null;
    const state = parseProject(body);
    return state === null || state.head?.hash !== head.hash
      ? null
      : { project, streamCreated, streamSequence, head, state };
  } catch {
    return null;
  }
};

const snapshotPath = (directory: string, project: string): string => join(directory, `${project}.fold`);

const syncDirectory = async (path: string): Promise<void> => {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
};
