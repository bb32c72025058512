/** One order line of a shop: `customer;sku;quantity;unit price;note`. A customer with a `;` in the name stands in quotes. */
export interface Order {
  readonly customer: string;
  readonly sku: string;
  readonly quantity: number;
  readonly unitPrice: string;
  readonly note: string;
}

const FIELDS = 5;

class UnreadableOrder extends Error {
  override readonly name = 'UnreadableOrder';
}

export const toOrder = (fields: readonly string[]): Order => {
  const [customer, sku, quantity, unitPrice, note] = fields;
  if (fields.length !== FIELDS || !customer || !sku || !quantity || !unitPrice || note === undefined)
    throw new UnreadableOrder(`${fields.length} fields where ${FIELDS} are due`);
  const count = Number.parseInt(quantity, 10);
  if (!(count > 0)) throw new UnreadableOrder(`quantity "${quantity}"`);
  return { customer, sku, quantity: count, unitPrice, note };
};
