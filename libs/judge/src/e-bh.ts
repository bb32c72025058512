/**
 * e-BH (Wang & Ramdas 2022): the names whose evidence stands out with the false discovery rate at most `alpha`, strongest
 * first. For e-values at one stopping time only, never for running maxima: the rate would not be held.
 */
export function eBenjaminiHochberg(
  metrics: readonly { readonly name: string; readonly lnE: number }[],
  alpha: number,
): readonly string[] {
  const ranked = [...metrics].sort((a, b) => b.lnE - a.lnE || (a.name < b.name ? -1 : 1));
  let found = 0;
  ranked.forEach(({ lnE }, k) => {
    if (lnE >= Math.log(ranked.length / ((k + 1) * alpha))) found = k + 1;
  });
  return ranked.slice(0, found).map(({ name }) => name);
}
