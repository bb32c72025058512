import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  EVENT_SCHEMAS,
  type EventEnvelope,
  type EventType,
  eventEnvelope,
  type LogPosition,
} from '@headgate/contracts';
import { sealEvent, sha256Hex } from '@headgate/trust';
import { goldenChannel } from './golden-channel.js';
import { goldenDocuments } from './golden-definitions.js';
import { GOLDEN_FACTS } from './golden-events.js';

/**
 * Records what has no record yet and never touches what has: files written by an older release are the point. Run in the
 * repository's root after `tsc -b test`: node test/dist/history/record-history.js
 */
const folder = join(process.cwd(), 'test', 'history');

recordEvents(join(folder, 'events'));
recordWire(join(folder, 'wire'));

function recordEvents(into: string): void {
  mkdirSync(into, { recursive: true });
  const recorded = readdirSync(into)
    .map((name) => eventEnvelope.parse(JSON.parse(readFileSync(join(into, name), 'utf8'))))
    .sort((a, b) => a.position - b.position);
  const heads = new Map<string, LogPosition>(recorded.map((event) => [event.project, event]));
  const known = new Set(recorded.map((event) => event.type));
  for (const [i, type] of (Object.keys(EVENT_SCHEMAS) as EventType[]).entries()) {
    if (known.has(type)) continue;
    const event = seal(type, i, heads);
    heads.set(event.project, event);
    write(join(into, `${type}.json`), JSON.stringify(event, null, 2));
  }
}

function seal(type: EventType, i: number, heads: ReadonlyMap<string, LogPosition>): EventEnvelope {
  const { project, kind, aggregateId, data } = GOLDEN_FACTS[type];
  const uuid = (n: number): string => `01890000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;
  const draft = {
    id: uuid(1_000 + i),
    commandId: uuid(2_000 + i),
    commandDigest: sha256Hex(`command ${type}`),
    type,
    project,
    kind,
    aggregateId,
    at: 1_790_000_000_000 + i,
    actor: 'history',
    causationId: uuid(2_000 + i),
    correlationId: 'history',
    salt: sha256Hex(`salt ${type}`).slice(0, 32),
    data,
  };
  return sealEvent(draft, heads.get(project) ?? null, 1);
}

function recordWire(into: string): void {
  mkdirSync(into, { recursive: true });
  const { trust, commits, beat, snapshot, state, document } = goldenChannel();
  for (const [name, value] of Object.entries({ trust, commits, beat, state, document }))
    write(join(into, `${name}.v1.json`), JSON.stringify(value, null, 2));
  write(join(into, 'compiled.v1.json'), JSON.stringify(goldenDocuments(), null, 2));
  for (const [i, chunk] of snapshot.entries()) write(join(into, `snapshot.v1.${i}.gz`), chunk);
}

function write(path: string, content: string | Uint8Array): void {
  if (existsSync(path)) return;
  writeFileSync(path, content);
  process.stdout.write(`recorded ${path}\n`);
}
