import { z } from 'zod'
import { defineCall, NoInputSchema } from './define.js'

/** One thing the doctor looked at. */
export const CheckSchema = z.object({
  /** Stable, for scripts and for the interface: `reachable`, `address:/ip4/…`. */
  id: z.string(),
  state: z.enum(['ok', 'warn', 'bad', 'unknown']),
  /** What was found. */
  fact: z.string(),
  /** What that means for the person. */
  meaning: z.string(),
  /** What to do about it; empty where nothing is to be done. */
  fix: z.string(),
})
export type Check = z.output<typeof CheckSchema>

/** What the doctor found; it can be copied to others: it names no prompt, key or token. */
export const DoctorReportSchema = z.object({
  /** Unix milliseconds. */
  atMs: z.number(),
  /** Whose report this is: this node, or the peer that was asked for. */
  peerId: z.string(),
  checks: z.array(CheckSchema),
})
export type DoctorReport = z.output<typeof DoctorReportSchema>

export const doctorCalls = {
  'doctor.run': defineCall(
    'Looks at everything that decides whether this node and its peers can meet; takes some seconds.',
    {
      input: NoInputSchema,
      output: DoctorReportSchema,
    },
  ),
  'doctor.peer': defineCall('Tries every known way to one peer and tells where it breaks; takes up to half a minute.', {
    input: z.strictObject({ peerId: z.string().min(1).max(128) }),
    output: DoctorReportSchema,
  }),
}
