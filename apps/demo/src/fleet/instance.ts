import { connectHeadgate, type Headgate } from '@headgate/sdk';
import { priceOrder, priceOrderV2 } from '../orders/price-order.js';
import { readOrder, readOrderV2 } from '../orders/read-order.js';
import type { InstanceTally, WorkerConfig } from './messages.js';

export const READER_FLAG = 'order-reader-v2';
export const PRICING_FLAG = 'order-pricing-v2';
const FLAGS = [READER_FLAG, PRICING_FLAG] as const;

/**
 * The shop's latency objective. Microseconds would compare something else: a hundred instances share a process here, so a
 * path that few of them take has not been compiled to machine code yet, and is truly three times slower until it is.
 */
const SLOW_MS = 50;

/** One running copy of the shop, as its operator counts it: own SDK, connection, verification, local copy and boot. */
export interface Instance {
  readonly id: string;
  /** Answers one order with its total in cents; throws what the code path throws. */
  handle(line: string): number;
  tally(): InstanceTally;
  ready(timeoutMs: number): Promise<boolean>;
  close(): Promise<void>;
}

export const openInstance = (id: string, config: WorkerConfig): Instance => {
  const headgate = connectHeadgate({
    url: config.gatewayUrl,
    telemetryUrl: config.telemetryUrl,
    token: config.telemetryToken,
    project: config.project,
    channel: config.channel,
    root: config.rootPin,
    siteSalt: config.siteSalt,
    instanceId: id,
    version: '1.4.0',
    reportEveryMs: config.reportEveryMs,
    dataDir: `${config.dataDir}/${id}`,
  });
  const requests = headgate.counter('requests');
  const errors = headgate.counter('errors');
  const slowOrders = headgate.counter('slow_orders');
  const orderValue = headgate.gauge('order_cents');
  const book = openBook(headgate);
  return {
    id,
    handle: (line) => {
      const began = performance.now();
      requests.add(1);
      try {
        const order = book.isOn(READER_FLAG) ? readOrderV2(line) : readOrder(line);
        const price = book.isOn(PRICING_FLAG) ? priceOrderV2 : priceOrder;
        const cents = price(order);
        orderValue.set(cents);
        return cents;
      } catch (error) {
        errors.add(1);
        book.failed += 1;
        throw error;
      } finally {
        if (performance.now() - began > SLOW_MS) slowOrders.add(1);
      }
    },
    tally: () => {
      const { head, flags } = headgate.status();
      return {
        id,
        isLive: flags === 'live',
        served: { ...book.served },
        failed: book.failed,
        lastServed: { ...book.lastServed },
        switchedOff: { ...book.switchedOff },
        revision: head ? `${head.epoch}.${head.n}` : '',
      };
    },
    ready: (timeoutMs) => headgate.ready(timeoutMs),
    close: () => headgate.close(),
  };
};

const openBook = (headgate: Headgate) => {
  const served: Record<string, number> = {};
  const lastServed: Record<string, number> = {};
  const switchedOff: Record<string, number> = {};
  const wasOn: Record<string, boolean> = {};
  headgate.on('change', () => {
    for (const flag of FLAGS) {
      const isOn = headgate.boolean(flag, false);
      if (wasOn[flag] && !isOn) switchedOff[flag] = Date.now();
      wasOn[flag] = isOn;
    }
  });
  const isOn = (flag: string): boolean => {
    const on = headgate.boolean(flag, false);
    if (on) {
      served[flag] = (served[flag] ?? 0) + 1;
      lastServed[flag] = Date.now();
    }
    return on;
  };
  return { served, lastServed, switchedOff, failed: 0, isOn };
};
