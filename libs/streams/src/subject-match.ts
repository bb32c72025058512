/** Whether a subject falls under a NATS filter: `*` is one token, a final `>` is one or more. */
export const subjectMatches = (filter: string, subject: string): boolean => {
  const want = filter.split('.');
  const have = subject.split('.');
  for (let i = 0; i < want.length; i++) {
    if (want[i] === '>') return have.length > i;
    if (i >= have.length) return false;
    if (want[i] !== '*' && want[i] !== have[i]) return false;
  }
  return want.length === have.length;
};
