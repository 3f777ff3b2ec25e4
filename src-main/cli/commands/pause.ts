import type { Usage } from '#shared/contract/sharing/limits.js'
import type { PauseState } from '#shared/contract/sharing/pause.js'
import { AppError } from '#shared/errors.js'
import { durationText, momentText, numberText } from '#shared/figures.js'
import { durationInMs, quote, type SettingProblem } from '../../config/index.js'
import { EXIT, type CliIo, type ControlClient } from '../io.js'

/** What stands for a pause without an end. */
const UNTIL_RESUME = 'until-resume'

/** The options only `ocf pause` has. */
export const PAUSE_OPTIONS: [flags: string, help: string][] = [
  [
    '--cut-after [time]',
    'Cuts answers that still run after this time; 0s cuts them now. Default: the setting pause.cut-after.',
  ],
]

/** What is wrong with those. */
export function pauseProblems(own: Readonly<Record<string, unknown>>): SettingProblem[] {
  if (own.cutAfter === undefined || typeof durationInMs(own.cutAfter) === 'number') return []
  const given = typeof own.cutAfter === 'string' ? `${quote(own.cutAfter)} is not` : 'It needs'
  return [{ source: 'flag --cut-after', sentence: `${given} a time like 500ms, 10s or 5m.` }]
}

/** `ocf pause [15m|1h|until-resume]`: no other peer uses this machine meanwhile. */
export async function runPause(
  needs: { io: CliIo; client: ControlClient },
  options: { time: string | undefined; own: Readonly<Record<string, unknown>> },
): Promise<number> {
  const cutAfterMs = durationInMs(options.own.cutAfter)
  const state = await needs.client.call('pause.set', {
    forMs: readTime(options.time),
    ...(typeof cutAfterMs === 'number' ? { cutAfterMs } : {}),
  })
  needs.io.stdout.write(pauseText(state))
  return EXIT.ok
}

/** `ocf resume`: ends a pause made by hand. */
export async function runResume(needs: { io: CliIo; client: ControlClient }): Promise<number> {
  const state = await needs.client.call('pause.resume', {})
  needs.io.stdout.write(sharingText(state, await needs.client.call('limits.get', {})))
  return EXIT.ok
}

function readTime(text: string | undefined): number | null {
  if (text === undefined || text === UNTIL_RESUME) return null
  const ms = durationInMs(text)
  if (typeof ms === 'number' && ms >= 1000) return ms
  throw new AppError('invalid_settings', `"${text}" is not a duration (15m, 1h) or ${UNTIL_RESUME}.`)
}

/** Whether others may use this machine, in one or two sentences: neither paused nor without a slot for them. */
export function sharingText(state: PauseState, { slots }: Usage): string {
  if (state.paused || slots.total > 0) return pauseText(state)
  return (
    'Peers get no slot on this machine, because limits.concurrent is 0: all their requests are refused.\n' +
    '`ocf limits concurrent=` takes this out of the settings file.\n'
  )
}

function pauseText(state: PauseState): string {
  if (!state.paused) return 'Sharing is on: other peers may use this machine.\n'
  const nowMs = Date.now()
  const why = state.reasons.map(({ sentence, untilMs }) =>
    untilMs === null ? sentence : `${sentence}, until ${momentText(untilMs, nowMs)}`,
  )
  const running = state.running === 0 ? '' : ` ${numberText(state.running)} still running, ${ending(state, nowMs)}.`
  return `Sharing is paused: ${why.join('; ')}.${running}\n`
}

const ending = ({ cutAtMs }: PauseState, nowMs: number): string =>
  cutAtMs === null ? 'which will finish' : `cut ${cutAtMs <= nowMs ? 'now' : `in ${durationText(cutAtMs - nowMs)}`}`
