import { isUtf8 } from 'node:buffer';
import { type InstanceReport, REPORT_LIMITS } from '@headgate/contracts';
import { InvalidInput, TooLarge } from '@headgate/service-kit';
import { checkReport } from './check-report.js';

/** One report with the JSON text that goes into TELEMETRY. */
export interface ReceivedReport {
  readonly project: string;
  readonly text: string;
  readonly bytes: number;
}

/** A pack is no larger than 512 KiB; a single report that comes near it is no report. */
const MAX_REPORT_BYTES = 262_144;

/** The reports of one request body: a report, or `{reports: […]}`. All of them are right, or this throws and none is taken. */
export function readReports(body: Buffer): readonly ReceivedReport[] {
  if (!isUtf8(body)) throw invalid('body: must be UTF-8');
  const text = body.toString('utf8');
  const value = parse(text);
  if (isBatch(value)) return readBatch(value);
  const wrong = checkReport(value);
  if (wrong !== null) throw invalid(wrong);
  // The very text that was checked: every later reader parses it to the same value (the same parser, the same bytes; of a
  // name given twice both take the last), so writing it out again would only cost time.
  return [received(value as InstanceReport, text, body.length)];
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid('body: is not JSON');
  }
}

/** A body with anything named `reports` is meant as a batch: its mistakes are told as a batch's. */
const isBatch = (value: unknown): value is { reports: unknown } =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, 'reports');

function readBatch(batch: { reports: unknown }): readonly ReceivedReport[] {
  const { reports } = batch;
  for (const field in batch)
    if (field !== 'reports') throw invalid(`${JSON.stringify(field.slice(0, 60))}: nobody knows this field`);
  const most = REPORT_LIMITS.maxReportsPerBatch;
  if (!Array.isArray(reports) || reports.length < 1 || reports.length > most)
    throw invalid(`reports: must be a list of 1 to ${most} reports`);
  const wrong: string[] = [];
  for (let i = 0; i < reports.length && wrong.length < MOST_DETAILS; i++) {
    const fault = checkReport(reports[i]);
    if (fault !== null) wrong.push(`reports[${i}]: ${fault}`);
  }
  if (wrong.length > 0) throw new InvalidInput(wrong[0]!, wrong);
  return reports.map((report: InstanceReport) => {
    const text = JSON.stringify(report);
    return received(report, text, Buffer.byteLength(text));
  });
}

const MOST_DETAILS = 10;

function received({ project }: InstanceReport, text: string, bytes: number): ReceivedReport {
  if (bytes > MAX_REPORT_BYTES) throw new TooLarge(`One report is larger than ${MAX_REPORT_BYTES} bytes.`);
  return { project, text, bytes };
}

const invalid = (line: string): InvalidInput => new InvalidInput(line, [line]);
