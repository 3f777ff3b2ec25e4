/**
 * Milliseconds of the machine's monotonic clock, the same in all processes of one machine: what one stamps, another
 * can subtract. `performance.timeOrigin` would not do over minutes: it stands on a wall clock that may be slewed.
 */
export function machineMs(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000
}
