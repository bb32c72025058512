import type { Order } from './order.js';

class UnreadablePrice extends Error {
  override readonly name = 'UnreadablePrice';
}

/** Total in cents. The pricing that is in use: knows `12.50`, `1,299.00` and the continental `1.299,00`. */
export const priceOrder = (order: Order): number => {
  const digits = order.unitPrice.replace(/[^0-9.,]/g, '');
  const mark = Math.max(digits.lastIndexOf('.'), digits.lastIndexOf(','));
  const hasCents = mark >= 0 && digits.length - mark === 3;
  const whole = (hasCents ? digits.slice(0, mark) : digits).replace(/[.,]/g, '');
  return (
    finite(Number(whole) * 100 + (hasCents ? Number(digits.slice(mark + 1)) : 0), order) * order.quantity
  );
};

/** Its rewrite, shorter and quicker. Nobody remembered the continental customers. */
export const priceOrderV2 = (order: Order): number =>
  finite(Math.round(Number(order.unitPrice.replaceAll(' ', '')) * 100), order) * order.quantity;

const finite = (cents: number, order: Order): number => {
  if (!Number.isFinite(cents)) throw new UnreadablePrice(`unit price "${order.unitPrice}"`);
  return cents;
};
