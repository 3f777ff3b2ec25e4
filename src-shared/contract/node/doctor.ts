import { z } from 'zod'
import { defineCall, defineStateFeed, NoInputSchema } from '../define.js'

/** One thing the doctor looked at. */
const CheckSchema = z.object({
  /** Stable, for scripts and for the interface: `reachable`, `address:/ip4/…`. */
  id: z.string(),
  state: z.enum(['ok', 'warn', 'bad', 'unknown']),
  /** What was found. */
  fact: z.string(),
  /** What that means for the person. */
  meaning: z.string(),
  /** What to do about it; empty where nothing is to be done. */
  fix: z.string(),
  /** The fact in a few words, for the status pill; only of what keeps this node from doing its work. */
  brief: z.string().optional(),
})
/** One check of the doctor: what was found, what it means and what to do. */
export type Check = z.output<typeof CheckSchema>

/** What the doctor found; it can be copied to others: it names no prompt, key or token. */
const DoctorReportSchema = z.object({
  /** Unix milliseconds. */
  atMs: z.number(),
  /** Whose report this is: this node, or the peer that was asked for. */
  peerId: z.string(),
  checks: z.array(CheckSchema),
})
/** All checks of one examination; the time in Unix milliseconds. */
export type DoctorReport = z.output<typeof DoctorReportSchema>

/** What the doctor knows without asking anybody. */
const DoctorStateSchema = z.object({
  checks: z.array(CheckSchema),
  /** Peers are being asked to dial this node: addresses they were asked about, of how many; null while nobody is asked. */
  asking: z.object({ done: z.number().int(), total: z.number().int() }).nullable(),
  /** Unix milliseconds of the last answer of a peer that dialled this node; null before the first. */
  askedAtMs: z.number().nullable(),
})
/** The checks as they are now, and how far a test from outside is. */
export type DoctorState = z.output<typeof DoctorStateSchema>

/** Calls that examine this node or the path to one peer; they may take up to half a minute. */
export const doctorCalls = {
  'doctor.run': defineCall(
    'Asks peers to dial this node, for at most 15 s, and tells everything that decides whether they can meet.',
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

/** The feed of the checks that need no other peer. */
export const doctorFeeds = {
  doctor: defineStateFeed(
    'The checks of doctor.run that need no asking of peers, as the facts change, at most every two seconds.',
    DoctorStateSchema,
  ),
}
