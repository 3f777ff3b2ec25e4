import { BlockList, isIP } from 'node:net'
import type { SettingProblem } from './problem.js'
import { knownNetwork } from './settings/known-networks.js'
import { SETTINGS, SETTING_NAMES, type Origins, type SettingName, type Settings } from './settings.js'

const TCP_PORTS = SETTING_NAMES.filter(
  (name): name is TcpPort => SETTINGS[name].kind === 'port' && SETTINGS[name].transport === 'tcp',
)

type TcpPort = {
  [Name in SettingName]: (typeof SETTINGS)[Name] extends { kind: 'port'; transport: 'tcp' } ? Name : never
}[SettingName]

/** What is wrong between settings that are each fine; settings in `faulty` are left out, they have been told. */
export function crossCheck(
  settings: Settings,
  origins: Origins,
  faulty: ReadonlySet<SettingName | undefined>,
): SettingProblem[] {
  const problem = problemFrom(origins, faulty)
  return [...conflicts(settings, origins, faulty), ...missingPartner(settings, problem)]
}

/** The part of {@link crossCheck} that no further setting can mend: values that exclude each other. */
export function conflicts(
  settings: Settings,
  origins: Origins,
  faulty: ReadonlySet<SettingName | undefined> = new Set(),
): SettingProblem[] {
  const problem = problemFrom(origins, faulty)
  return [
    ...samePorts(settings, problem),
    ...remoteTarget(settings, problem),
    ...ownPortAsTarget(settings, problem),
    ...axiomUrl(settings, problem),
    ...networkOfNoUse(settings, problem),
  ]
}

type Problem = (names: SettingName[], sentence: string) => SettingProblem[]

function problemFrom(origins: Origins, faulty: ReadonlySet<SettingName | undefined>): Problem {
  return (names, sentence) =>
    names.some((name) => faulty.has(name))
      ? []
      : [{ source: givenSources(names, origins), setting: names[0], sentence }]
}

function missingPartner(settings: Settings, problem: Problem): SettingProblem[] {
  const hasName = settings['service.name'] !== ''
  const hasPort = settings['service.port'] !== undefined
  if (hasName === hasPort) return []
  return hasName
    ? problem(['service.name', 'service.port'], 'service.name needs service.port: the port of the local server.')
    : problem(['service.port', 'service.name'], 'service.port needs service.name: `llm` for a model server.')
}

function remoteTarget(settings: Settings, problem: Problem): SettingProblem[] {
  const host = settings['service.host']
  if (isLoopbackHost(host) || settings['service.allow-remote-target']) return []
  return problem(
    ['service.host', 'service.allow-remote-target'],
    `${host} is another machine. Give service.allow-remote-target as well if peers are really to reach it.`,
  )
}

/** A node that shares its own gateway would forward to itself for ever. */
function ownPortAsTarget(settings: Settings, problem: Problem): SettingProblem[] {
  const port = settings['service.port']
  if (port === undefined || !isLoopbackHost(settings['service.host'])) return []
  return TCP_PORTS.filter((name) => settings[name] === port).flatMap((name) =>
    problem(['service.port', name], `${port} is this node's own ${name}. Give the port of the local server.`),
  )
}

/** A network that nobody can reach with this swarm key. */
function networkOfNoUse(settings: Settings, problem: Problem): SettingProblem[] {
  const network = knownNetwork(settings.network)
  if (network === undefined || settings['swarm-key'] === '') return []
  return problem(
    ['network', 'swarm-key'],
    `${network.title} is public and swarm-key is for a private network: a node is in one or the other.`,
  )
}

function samePorts(settings: Settings, problem: Problem): SettingProblem[] {
  return TCP_PORTS.flatMap((first, index) =>
    TCP_PORTS.slice(index + 1)
      .filter((second) => settings[first] !== 0 && settings[first] === settings[second])
      .flatMap((second) =>
        problem([first, second], `${first} and ${second} are both ${settings[first]}. Give each its own port.`),
      ),
  )
}

/** The token goes there: in clear text no further than this machine. */
function axiomUrl(settings: Settings, problem: Problem): SettingProblem[] {
  const text = settings['axiom.url']
  if (text === '') return []
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopbackHost(unbracketed(url.hostname)))) return []
  return problem(['axiom.url'], `${JSON.stringify(text)} is no https address (http only on this machine).`)
}

const unbracketed = (host: string): string => host.replaceAll(/^\[|\]$/g, '')

function givenSources(names: SettingName[], origins: Origins): string {
  const given = names.filter((name) => origins[name].kind !== 'default').map((name) => origins[name].label)
  return given.length === 0 ? 'settings' : given.join(' and ')
}

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/** True for `localhost`, 127.0.0.0/8 and ::1 (also as an IPv4-mapped address). */
export function isLoopbackHost(host: string): boolean {
  const family = isIP(host)
  if (family !== 0) return loopback.check(host, family === 4 ? 'ipv4' : 'ipv6')
  return /^(.+\.)?localhost\.?$/i.test(host)
}
