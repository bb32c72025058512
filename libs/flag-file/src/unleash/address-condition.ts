import type { JsonValue } from '@headgate/contracts';
import { anyOf, type Condition } from '../logic.js';

/**
 * IPv4 addresses and CIDR ranges as a flagd condition: listed, and by their beginnings. An IPv6 address is listed as it is
 * spelled; its ranges have too many spellings for that. What is no address matches nobody in Unleash either.
 */
export const addressCondition = (attribute: JsonValue, ranges: readonly string[]): Condition => {
  const exact: string[] = [];
  const beginnings: string[] = [];
  const spelled = ranges.filter((range) => IPV6.test(range) && !range.includes('/'));
  for (const range of ranges) {
    if (IPV6.test(range) && range.includes('/'))
      return {
        why: `the address range "${range}" cannot be said in flagd's operators`,
        mend: 'Name IPv4 addresses or ranges, or send an attribute that says whether the address is in it.',
      };
    const read = readRange(range);
    exact.push(...(read?.exact ?? []));
    beginnings.push(...(read?.beginnings ?? []));
  }
  exact.push(...spelled);
  const when = anyOf([
    ...(exact.length > 0 ? [{ in: [attribute, exact] } as JsonValue] : []),
    ...beginnings.map((beginning): JsonValue => ({ starts_with: [attribute, beginning] })),
  ]);
  if (spelled.length === 0) return { when };
  const why = `${spelled.join(', ')} is compared as it is spelled`;
  return { when, remark: { why, mend: 'Send addresses in that spelling.' } };
};

const IPV6 = /^(?=.*:.*:)[0-9a-f:.]+(?:\/\d{1,3})?$/i;

const readRange = (
  range: string,
): { readonly exact: readonly string[]; readonly beginnings: readonly string[] } | undefined => {
  const [, address = '', bits = '32'] = /^(\d{1,3}(?:\.\d{1,3}){3})(?:\/(\d{1,2}))?$/.exec(range) ?? [];
  const octets = address.split('.').map(Number);
  const length = Number(bits);
  if (address === '' || octets.some((octet) => octet > 255) || length > 32 || length === 0) return undefined;
  const whole = Math.floor((length - 1) / 8);
  const block = 2 ** (8 * (whole + 1) - length);
  const first = Math.floor((octets[whole] ?? 0) / block) * block;
  const starts = Array.from({ length: block }, (_, i) => [...octets.slice(0, whole), first + i].join('.'));
  return whole === 3
    ? { exact: starts, beginnings: [] }
    : { exact: [], beginnings: starts.map((start) => `${start}.`) };
};
