import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { startBenchNode, type BenchNode } from '../processes.ts'
import { createRandom } from '../routing/random.ts'

/** Whole nodes, each in a process of its own: survivors that are never killed, and mortals. */
export interface SoakNetwork {
  readonly survivors: readonly BenchNode[]
  /** Mortals that died so far. */
  readonly deaths: number
  /** All nodes; of use while nobody is dead. */
  nodes(): BenchNode[]
  /** Mortals die at random and come back in their folder, until `signal` aborts; resolves when all are back. */
  churn(signal: AbortSignal): Promise<void>
  stop(): Promise<void>
}

export interface SoakNetworkOptions {
  survivors: number
  mortals: number
  /** Milliseconds between two deaths, on average. */
  churnMs: number
  seed: number
  /** The model server that every mortal, and the first survivor, share. */
  modelServerPort: number
}

const VITAL_SIGNS = join(import.meta.dirname, 'preload/vital-signs.mjs')
/** A dead mortal stays away for so long at most. */
const MAX_AWAY_MS = 4_000
/** With more of them dead than this, the next death waits. */
const MAX_DEAD_SHARE = 1 / 4
/** Owners' defaults are for people; here a refused request would say nothing. */
const LIMITS = ['--limits.concurrent', '100', '--limits.queue', '100', '--demo-model', 'off']

/** Starts survivors, then mortals; each is bootstrapped from the survivors. */
export async function startSoakNetwork(options: SoakNetworkOptions): Promise<SoakNetwork> {
  const { churnMs, modelServerPort } = options
  const random = createRandom(options.seed)
  const root = await mkdtemp(join(tmpdir(), 'ocf-soak-'))
  const share = ['--service.name', 'llm', '--service.port', String(modelServerPort)]
  const env = { NODE_COMPILE_CACHE: join(root, 'compiled') }
  const survivors: BenchNode[] = []
  const mortals: (BenchNode | undefined)[] = []
  const returns = new Set<Promise<void>>()
  const failures: unknown[] = []
  let deaths = 0

  const meet = (): string[] => {
    const addresses = survivors.flatMap(({ multiaddrs: [first] }) => first ?? [])
    return addresses.length === 0 ? [] : ['--bootstrap.addr', addresses.join(',')]
  }

  const startSurvivor = (index: number): Promise<BenchNode> =>
    startBenchNode([...LIMITS, ...(index === 0 ? share : []), ...meet()], {
      imports: [VITAL_SIGNS],
      execArgv: ['--expose-gc'],
      dataDir: join(root, `survivor-${index}`),
      env,
    })

  const startMortal = async (index: number): Promise<void> => {
    mortals[index] = await startBenchNode([...LIMITS, ...share, ...meet()], {
      dataDir: join(root, `mortal-${index}`),
      env,
    })
  }

  /** `kill -9`, and after a while the same node again. Resolves when it is dead; its return is among `returns`. */
  async function kill(index: number): Promise<void> {
    const dying = mortals[index]
    mortals[index] = undefined
    await dying?.kill()
    deaths += 1
    const back = pause(random() * MAX_AWAY_MS)
      .then(() => startMortal(index))
      .catch((error: unknown) => void failures.push(error))
      .finally(() => returns.delete(back))
    returns.add(back)
  }

  const network: SoakNetwork = {
    survivors,
    get deaths() {
      return deaths
    },
    nodes: () => [...survivors, ...mortals.filter((mortal) => mortal !== undefined)],
    async churn(signal) {
      while (failures.length === 0) {
        await pause(churnMs * (0.5 + random()), undefined, { signal }).catch(() => undefined)
        if (signal.aborted) break
        const alive = mortals.flatMap((mortal, index) => (mortal === undefined ? [] : [index]))
        const next = alive[Math.floor(random() * alive.length)]
        if (next !== undefined && returns.size < mortals.length * MAX_DEAD_SHARE) await kill(next)
      }
      await Promise.all(returns)
      if (failures.length > 0) throw new AggregateError(failures, 'a killed node did not come back')
    },
    async stop() {
      await Promise.all(returns)
      await Promise.all(network.nodes().map((node) => node.stop()))
      await rm(root, { recursive: true, force: true })
    },
  }
  try {
    for (let index = 0; index < options.survivors; index += 1) survivors.push(await startSurvivor(index))
    for (let index = 0; index < options.mortals; index += 1) await startMortal(index)
    return network
  } catch (error) {
    await network.stop()
    throw error
  }
}
