import type { DoctorState } from '#shared/contract/node/doctor.js'
import { AppError } from '#shared/errors.js'
import type { Doctor } from '../../doctor/index.js'
import type { Handlers } from '../dispatch.js'
import type { FeedSource } from '../feeds.js'

/** What the doctor topic asks. */
export interface DoctorNeeds {
  /** Absent where there is no network to examine. */
  doctor?: Doctor
}

/** `doctor.run` and `doctor.peer`. Examinations are shared: a call during a run gets that run's report. */
export function createDoctorHandlers({ doctor }: DoctorNeeds): Pick<Handlers, 'doctor.run' | 'doctor.peer'> {
  const present = (): Doctor => presentOf(doctor)
  const running = new Map<string, ReturnType<Doctor['run']>>()
  const once = (key: string, examine: () => ReturnType<Doctor['run']>): ReturnType<Doctor['run']> => {
    const known = running.get(key)
    if (known !== undefined) return known
    const report = examine().finally(() => running.delete(key))
    running.set(key, report)
    return report
  }
  return {
    'doctor.run': () => once('', () => present().run()),
    'doctor.peer': ({ peerId }) => once(peerId, () => present().peer(peerId)),
  }
}

/** The `doctor` feed. */
export function createDoctorFeed({ doctor }: DoctorNeeds): FeedSource<DoctorState> {
  return {
    snapshot: () => presentOf(doctor).live.state(),
    subscribe: (listener) => presentOf(doctor).live.subscribe(listener),
  }
}

function presentOf(doctor: Doctor | undefined): Doctor {
  if (doctor === undefined) throw new AppError('node_not_running', 'The network of this node is not started.')
  return doctor
}
