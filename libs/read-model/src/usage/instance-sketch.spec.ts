import { createHash } from 'node:crypto';
import { addInstance, emptySketch, estimateInstances, mergeSketch } from './instance-sketch.js';

const instance = (n: number): string => createHash('sha256').update(`instance ${n}`).digest('hex');
const sketchOf = (from: number, to: number) => {
  const sketch = emptySketch();
  for (let n = from; n < to; n++) addInstance(sketch, instance(n));
  return sketch;
};

describe('a sketch of instances', () => {
  it.each([0, 1, 2, 5, 20])('counts %d instances exactly', (many) => {
    expect(estimateInstances(sketchOf(0, many))).toBe(many);
  });

  it.each([100, 1_000, 2_500, 10_000, 100_000])('counts %d instances within 10 %%', (many) => {
    const estimate = estimateInstances(sketchOf(0, many));
    expect(Math.abs(estimate - many) / many).toBeLessThan(0.1);
  });

  it('counts an instance once, however often it is added and wherever', () => {
    const sketch = sketchOf(0, 400);
    const before = Uint8Array.from(sketch);
    mergeSketch(sketch, sketchOf(100, 300));
    for (let n = 0; n < 400; n++) addInstance(sketch, instance(n));
    expect(sketch).toEqual(before);
    mergeSketch(sketch, sketchOf(400, 500));
    expect(sketch).toEqual(sketchOf(0, 500));
    expect(sketch).not.toEqual(before);
  });
});
