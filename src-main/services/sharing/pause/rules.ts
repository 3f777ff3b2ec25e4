import type { PauseCause, PauseReason, PauseRuleView } from '#shared/contract/sharing/pause.js'
import { isWithin, nextChange, parseSchedule } from '#shared/schedule.js'
import type { Settings } from '../../../config/index.js'
import type { Fact, GpuFacts, MachineFacts } from '../../machine/index.js'

/** The rules as the settings in force have them. */
export interface PauseRules {
  userActive: boolean
  userIdleMs: number
  onBattery: boolean
  /** Percent; 0 is off. */
  gpuBusy: number
  programs: readonly string[]
  /** Text of the schedule; empty is off. */
  schedule: string
}

/** Reads the rules out of the settings in force. */
export function readRules(settings: Readonly<Settings>): PauseRules {
  return {
    userActive: settings['pause.user-active'],
    userIdleMs: settings['pause.user-idle'],
    onBattery: settings['pause.on-battery'],
    gpuBusy: settings['pause.gpu-busy'],
    programs: settings['pause.programs'],
    schedule: settings['pause.schedule'],
  }
}

/** What the rules go by, read at one moment; undefined where no rule asks. */
export interface PauseFacts {
  nowMs: number
  /** Requests are at work here, or were just now, the owner's own included: then a busy GPU is our doing. */
  gpuIsOurs: boolean
  userIdleMs?: Fact<number>
  onBattery?: Fact<boolean>
  gpus?: Fact<readonly GpuFacts[]>
  programs?: Fact<ReadonlySet<string>>
}

/** Reads only what an enabled rule needs, and whether the person can be seen at all: that costs nothing. */
export async function readFacts(
  facts: MachineFacts,
  rules: PauseRules,
  at: Pick<PauseFacts, 'nowMs' | 'gpuIsOurs'>,
): Promise<PauseFacts> {
  const [userIdleMs, onBattery, gpus, programs] = await Promise.all([
    facts.userIdleMs(),
    rules.onBattery ? facts.onBattery() : undefined,
    rules.gpuBusy > 0 ? facts.gpus() : undefined,
    rules.programs.length > 0 ? facts.programs() : undefined,
  ])
  return { ...at, userIdleMs, onBattery, gpus, programs }
}

/** What a rule says about the facts. `untilMs`: when it ends, where that is known. */
interface Verdict {
  holds: boolean | null
  sentence: string
  untilMs?: number
}

type RuleCause = Exclude<PauseCause, 'manual'>

/** Each rule, whether it holds, and why. `before`: the causes that held at the last check. */
export function judgeRules(
  rules: PauseRules,
  facts: PauseFacts,
  before: ReadonlySet<PauseCause>,
): { views: PauseRuleView[]; reasons: PauseReason[] } {
  const judged: { cause: RuleCause; setting: string; enabled: boolean; canTell?: boolean; verdict: Verdict }[] = [
    {
      ...{ cause: 'user-active', setting: 'pause.user-active', enabled: rules.userActive },
      canTell: facts.userIdleMs?.known !== false,
      verdict: verdictOn(facts.userIdleMs, (idleMs) => userVerdict(idleMs, rules.userIdleMs)),
    },
    {
      ...{ cause: 'on-battery', setting: 'pause.on-battery', enabled: rules.onBattery },
      verdict: verdictOn(facts.onBattery, (is) => ({
        holds: is,
        sentence: is ? 'this computer runs on battery' : 'this computer is plugged in',
      })),
    },
    {
      ...{ cause: 'gpu-busy', setting: 'pause.gpu-busy', enabled: rules.gpuBusy > 0 },
      verdict: verdictOn(facts.gpus, (gpus) => gpuVerdict(gpus, rules.gpuBusy, facts, before.has('gpu-busy'))),
    },
    {
      ...{ cause: 'program', setting: 'pause.programs', enabled: rules.programs.length > 0 },
      verdict: verdictOn(facts.programs, (programs) => programVerdict(programs, rules.programs)),
    },
    {
      ...{ cause: 'schedule', setting: 'pause.schedule', enabled: rules.schedule !== '' },
      verdict: scheduleVerdict(rules.schedule, facts.nowMs),
    },
  ]
  return {
    views: judged.map(({ verdict: { holds, sentence }, canTell = true, ...rule }) =>
      rule.enabled ? { ...rule, canTell, holds, sentence } : { ...rule, canTell, holds: null, sentence: 'Off' },
    ),
    reasons: judged
      .filter(({ enabled, verdict }) => enabled && verdict.holds === true)
      .map(({ cause, verdict: { sentence, untilMs } }) => ({ cause, sentence, untilMs: untilMs ?? null })),
  }
}

function verdictOn<T>(fact: Fact<T> | undefined, judge: (value: T) => Verdict): Verdict {
  if (fact === undefined) return { holds: null, sentence: 'not checked yet' }
  return fact.known ? judge(fact.value) : { holds: null, sentence: `can’t tell on this machine: ${fact.why}` }
}

function userVerdict(idleMs: number, limitMs: number): Verdict {
  const minutes = Math.floor(idleMs / 60_000)
  return idleMs < limitMs
    ? { holds: true, sentence: 'you are using this computer' }
    : { holds: false, sentence: `you have been away for ${minutes} min` }
}

/** While requests run here, a busy GPU says nothing about others: what was seen before them still counts. */
function gpuVerdict(gpus: readonly GpuFacts[], percent: number, facts: PauseFacts, held: boolean): Verdict {
  const measured = gpus.filter(({ busyPercent }) => busyPercent !== null)
  if (measured.length === 0)
    return { holds: null, sentence: 'can’t tell on this machine: the GPU does not report its load' }
  const busiest = measured.reduce((a, b) => ((b.busyPercent ?? 0) > (a.busyPercent ?? 0) ? b : a))
  const isBusy = (busiest.busyPercent ?? 0) >= percent
  const level = `${busiest.name} is at ${busiest.busyPercent ?? 0} %`
  if (isBusy && facts.gpuIsOurs && !held) return { holds: false, sentence: `${level}, with requests of this node` }
  return isBusy
    ? { holds: true, sentence: `another program uses the GPU (${level})` }
    : { holds: false, sentence: `no other program uses the GPU (${level})` }
}

function programVerdict(programs: ReadonlySet<string>, listed: readonly string[]): Verdict {
  const found = listed.find((name) => {
    const wanted = name.trim().toLowerCase()
    // The kernel keeps 15 characters of a process's name.
    return (
      programs.has(wanted) || programs.has(`${wanted}.exe`) || (wanted.length > 15 && programs.has(wanted.slice(0, 15)))
    )
  })
  return found === undefined
    ? { holds: false, sentence: 'none of the listed programs runs' }
    : { holds: true, sentence: `${found} is running` }
}

function scheduleVerdict(text: string, nowMs: number): Verdict {
  const schedule = parseSchedule(text)
  if (schedule === undefined) return { holds: null, sentence: 'there is no schedule' }
  const now = new Date(nowMs)
  const untilMs = nextChange(schedule, now)?.getTime()
  return isWithin(schedule, now)
    ? { holds: false, sentence: 'this is a time for sharing', untilMs }
    : { holds: true, sentence: 'this is not a time for sharing', untilMs }
}
