import { isIPv6 } from 'node:net';

/** What counts as one address: an IPv6 client has a whole /64 to call from. */
export const addressBlock = (ip: string): string => {
  const [mapped] = /\d+\.\d+\.\d+\.\d+$/.exec(ip) ?? [];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(ip)) return ip;
  const [head = '', tail] = ip.split('%')[0]!.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const gap = tail === undefined ? 0 : 8 - left.length - right.length;
  return [...left, ...Array<string>(gap).fill('0'), ...right].slice(0, 4).join(':');
};
