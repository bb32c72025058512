import { REPORT_LIMITS } from '@headgate/contracts';
import { FLAG_KEY, isCount, isRecord, isText, matches, unknownField } from './check-value.js';

export function checkExposures(value: unknown, at = 'exposures'): string | null {
  if (value === undefined) return null;
  if (!Array.isArray(value)) return `${at}: must be a list`;
  if (value.length > REPORT_LIMITS.maxExposuresPerReport)
    return `${at}: must be at most ${REPORT_LIMITS.maxExposuresPerReport}`;
  for (let i = 0; i < value.length; i++) {
    const exposure: unknown = value[i];
    if (!isRecord(exposure)) return `${at}[${i}]: must be an object`;
    for (const field in exposure)
      if (field !== 'flag' && field !== 'variant' && field !== 'count')
        return unknownField(`${at}[${i}].`, field);
    const { flag, variant, count } = exposure;
    if (!matches(flag, FLAG_KEY)) return `${at}[${i}].flag: must be a flag key`;
    if (variant !== undefined && !isText(variant, 1, 100))
      return `${at}[${i}].variant: must be a variant's name of 1 to 100 characters`;
    if (!isCount(count) || count < 1) return `${at}[${i}].count: must be an integer from 1`;
  }
  return null;
}

export function checkUnknownFlags(value: unknown): string | null {
  if (value === undefined) return null;
  if (!Array.isArray(value)) return 'unknownFlags: must be a list';
  if (value.length > REPORT_LIMITS.maxUnknownFlagsPerReport)
    return `unknownFlags: must be at most ${REPORT_LIMITS.maxUnknownFlagsPerReport}`;
  for (let i = 0; i < value.length; i++)
    if (!matches(value[i], FLAG_KEY)) return `unknownFlags[${i}]: must be a flag key`;
  return null;
}
