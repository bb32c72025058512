/**
 * ln of a product of many positive factors for one logarithm per overflow instead of one per factor:
 * `times` multiplies, `ln` reads. One object per bet size, reused over a whole run of bets.
 */
export class LnProduct {
  private mantissa = 1;
  private carried = 0;

  times(factor: number): void {
    this.mantissa *= factor;
    if (this.mantissa > 1e200 || this.mantissa < 1e-200) {
      this.carried += Math.log(this.mantissa);
      this.mantissa = 1;
    }
  }

  get ln(): number {
    return this.carried + Math.log(this.mantissa);
  }
}
