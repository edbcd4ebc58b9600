/** How the executable runs Node, and so do the benchmarks that measure what it costs. */

/** V8's, for a process that stays small: an edge box has other things to do with its memory, and a second of such a process is mostly idle. */
const youngFlags = [
  // MiB for short-lived objects, twice. V8's own grow to 64 with the first burst, stay resident and make nothing faster.
  '--max-semi-space-size=4',
];

/** The same, but set by the process itself once it is open: at its start V8 would refuse the code cache of all that is built into Node, which is made without them. */
export const laterFlags = [
  // V8 makes what outlived its first collections among the old objects from then on. When a gateway starts that is every sample, later none outlives its
  // turn of the loop: the old heap would grow by all of them.
  '--no-allocation-site-pretenuring',
  // Old objects are collected when there are a fifth more than after the last time, or a little later; V8 itself lets the heap become up to four times as large.
  '--heap-growing-percent=20',
];

export const memoryFlags = [...youngFlags, ...laterFlags];

/** Signal USR1 would open Node's debugger on a port of the loopback, for every user of the machine. */
export const flags = ['--disable-sigusr1', ...youngFlags];
