/** What a run of the simulator is about. */
export interface Scenario {
  name: string
  /** Nodes that are on at a time, about. */
  nodes: number
  seed: number
  /** Virtual time before anything is counted, and while it is, in ms. */
  warmUpMs: number
  measureMs: number
  /** False: nobody comes or goes. */
  churn: boolean
  /**
   * Half a round trip, in ms, where all are on one machine and each offers fifteen models, as in `--only=table`: for the
   * comparison with real nodes. Undefined: they are in the internet.
   */
  oneMachineMs: number | undefined
  /** Share of nodes that are hostile. */
  hostile: number
  /** Share of nodes that offer one and the same model; 0: as people do. */
  oneModelBy: number
  /** Half of the nodes offer one model each that nobody else has. */
  oneEach: boolean
  /** How many models there are; by the number of nodes unless given. */
  models?: number
  /** Newcomers that come at once in the middle of what is counted. */
  crowd: number
  /** A third of the network can't reach the rest for half an hour. */
  split: boolean
  /** As the program was before it knew partial tables: everybody is told everything. */
  former: boolean
  /** Nodes whose tables are simulated row by row; of the others only what they send and get. */
  observers: number
  /** Requests for each class of models that are followed to their answer. */
  requests: number
}

const MINUTE_MS = 60_000

/** A quiet network of that size. */
export function quietScenario(nodes: number, seed: number): Scenario {
  // Tables fill within a lease of two hours; of the largest networks a good half of that has to do, which leaves them
  // smaller than they would be.
  const warmUpMin = nodes > 20_000 ? 70 : nodes > 2_000 ? 100 : 180
  return {
    ...{ name: `${String(nodes)} nodes`, nodes, seed },
    warmUpMs: warmUpMin * MINUTE_MS,
    measureMs: (nodes > 20_000 ? 10 : nodes > 2_000 ? 15 : 30) * MINUTE_MS,
    ...{
      churn: true,
      oneMachineMs: undefined,
      hostile: 0,
      oneModelBy: 0,
      oneEach: false,
      crowd: 0,
      split: false,
      former: false,
    },
    observers: Math.min(nodes, nodes > 2_000 ? 60 : 50),
    requests: 500,
  }
}
