import type { SettingRow, ValueOfRow } from './setting-row.js'

const KIB = 1024
const MIB = 1024 * KIB
const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/**
 * The one table of settings: flags, environment names, file keys, `--help`, the README's table and the settings page
 * are all read from it. Defaults stand here and nowhere else.
 */
export const SETTINGS = {
  mode: {
    group: 'node',
    kind: 'choice',
    choices: ['standalone', 'local', 'node'],
    default: 'node',
    help: 'Whom to meet: `node` joins the network, `local` meets nodes of this machine, `standalone` meets nobody by itself.',
    cost: '',
    restart: true,
  },
  'data-dir': {
    group: 'node',
    kind: 'path',
    default: '',
    defaultNote: "the system's data folder",
    help: 'Folder with everything this node keeps: its identity, the node table, its control file. A config.yaml in it is read.',
    cost: 'One node per folder.',
    restart: true,
    placeholder: 'folder',
  },
  config: {
    group: 'node',
    kind: 'path',
    default: '',
    defaultNote: "config.yaml in the system's configuration folder",
    help: 'The settings file to read (YAML or JSON).',
    cost: '',
    restart: true,
    placeholder: 'file',
    inFile: false,
  },
  'api-port': {
    group: 'node',
    kind: 'port',
    transport: 'tcp',
    default: 8093,
    help: 'Loopback port of the dashboard and of the control interface.',
    cost: '0 takes any free port.',
    restart: true,
  },
  seed: {
    group: 'node',
    kind: 'text',
    default: '',
    help: 'Derives the identity from this text instead of a kept key: for demos and tests.',
    cost: 'Whoever knows the seed can be this node.',
    restart: true,
    secret: true,
  },
  cleanslate: {
    group: 'node',
    kind: 'boolean',
    default: false,
    help: 'Forgets the kept node table and known peers at start.',
    cost: 'The identity stays.',
    restart: true,
  },
  'ready-json': {
    group: 'node',
    kind: 'boolean',
    default: false,
    help: 'Prints one line of JSON on standard output once the node can be used: ports, addresses, peer id.',
    cost: '',
    restart: true,
  },
  host: {
    group: 'gateway',
    kind: 'host',
    default: '127.0.0.1',
    help: 'Address the gateway listens on.',
    cost: 'Anything but loopback lets other machines use the gateway as if they were this one.',
    restart: true,
  },
  port: {
    group: 'gateway',
    kind: 'port',
    transport: 'tcp',
    default: 8092,
    help: 'Port of the gateway; apps use http://localhost:<port>/v1.',
    cost: '0 takes any free port.',
    restart: true,
  },
  'cors-origins': {
    group: 'gateway',
    kind: 'list',
    item: 'origin',
    split: 'comma',
    default: ['*'],
    help: 'Web pages that may use the gateway from a browser; `*` is any page you open.',
    cost: 'A page that may use it can spend the compute you have access to.',
    restart: true,
    placeholder: 'origin',
  },
  'gateway.max-body': {
    group: 'gateway',
    kind: 'size',
    default: 64 * MIB,
    minBytes: KIB,
    maxBytes: 1024 * MIB,
    help: 'Largest JSON request body; larger ones are answered with 413.',
    cost: 'Memory: one body for each request at work.',
    restart: true,
  },
  'gateway.connect-timeout': {
    group: 'gateway',
    kind: 'duration',
    default: 5 * SECOND,
    minMs: 10,
    maxMs: 5 * MINUTE,
    help: 'How long opening a stream to a provider may take before the next one is tried.',
    cost: '',
    restart: true,
  },
  'gateway.idle-timeout': {
    group: 'gateway',
    kind: 'duration',
    default: 5 * MINUTE,
    minMs: 10,
    maxMs: 24 * HOUR,
    help: 'How long an answer may stay silent before it is given up.',
    cost: 'Shorter cuts slow models off during a long prompt.',
    restart: true,
  },
  tcpport: {
    group: 'network',
    kind: 'port',
    transport: 'tcp',
    default: 43905,
    help: 'TCP port other nodes reach this one on.',
    cost: '0 takes any free port.',
    restart: true,
  },
  wsport: {
    group: 'network',
    kind: 'port',
    transport: 'tcp',
    default: 43906,
    help: 'WebSocket port other nodes reach this one on.',
    cost: '0 takes any free port.',
    restart: true,
  },
  udpport: {
    group: 'network',
    kind: 'port',
    transport: 'udp',
    default: 59820,
    help: 'UDP port (QUIC) other nodes reach this one on.',
    cost: '0 takes any free port.',
    restart: true,
  },
  'p2p-host': {
    group: 'network',
    kind: 'list',
    item: 'ip-address',
    split: 'comma',
    default: ['0.0.0.0', '::'],
    help: 'Addresses of this machine that other nodes may reach this one on.',
    cost: '127.0.0.1 keeps it inside this machine.',
    restart: true,
    placeholder: 'ip',
  },
  'public-addr': {
    group: 'network',
    kind: 'public-address',
    default: '',
    help: 'Address the internet reaches this node on: IPv4, IPv6 or host name, with a port if it differs.',
    cost: 'It is published, and the node may relay for others.',
    restart: true,
    placeholder: 'address',
  },
  'bootstrap.sources': {
    group: 'network',
    kind: 'list',
    item: 'text',
    split: 'raw',
    default: [],
    help: 'Where to find first peers: URLs of other nodes (…/v1/dnt/bootstraps), dnsaddr://host or multiaddrs; read before the other bootstrap settings.',
    cost: '',
    restart: true,
    placeholder: 'source',
  },
  'bootstrap.source': {
    group: 'network',
    kind: 'list',
    item: 'text',
    split: 'raw',
    default: [],
    help: 'One more source of first peers; same forms.',
    cost: '',
    restart: true,
    placeholder: 'source',
  },
  'bootstrap.static': {
    group: 'network',
    kind: 'list',
    item: 'text',
    split: 'raw',
    default: [],
    help: 'First peers that are always there; same forms.',
    cost: '',
    restart: true,
    placeholder: 'source',
  },
  'bootstrap.addrs': {
    group: 'network',
    kind: 'list',
    item: 'text',
    split: 'raw',
    default: [],
    help: 'Multiaddrs of first peers: a JSON array or a list split on comma, semicolon or white space.',
    cost: '',
    restart: true,
    placeholder: 'multiaddrs',
  },
  'bootstrap.addr': {
    group: 'network',
    kind: 'list',
    item: 'text',
    split: 'raw',
    default: [],
    help: 'Multiaddr of a first peer; may be given several times.',
    cost: '',
    restart: true,
    placeholder: 'multiaddr',
  },
  'table.lease': {
    group: 'network',
    kind: 'duration',
    default: 600 * SECOND,
    minMs: SECOND,
    maxMs: 24 * HOUR,
    help: 'How long the network remembers this node after its last sign of life; it renews in time.',
    cost: 'Shorter forgets the dead sooner and costs traffic.',
    restart: true,
  },
  'service.name': {
    group: 'sharing',
    kind: 'service-name',
    default: '',
    help: 'Name under which the local server is shared; `llm` is a model server, whose models are read from it.',
    cost: 'Needs service.port.',
    restart: true,
    placeholder: 'name',
  },
  'service.port': {
    group: 'sharing',
    kind: 'optional-port',
    default: undefined,
    help: 'Port of the local server.',
    cost: 'Needs service.name.',
    restart: true,
  },
  'service.host': {
    group: 'sharing',
    kind: 'host',
    default: '127.0.0.1',
    help: 'Host of the local server.',
    cost: 'Anything but loopback needs service.allow-remote-target.',
    restart: true,
  },
  'service.allow-remote-target': {
    group: 'sharing',
    kind: 'boolean',
    default: false,
    help: 'Allows service.host to be another machine.',
    cost: 'Peers then reach into your network, on the shared paths.',
    restart: true,
  },
  'service.health-path': {
    group: 'sharing',
    kind: 'url-path',
    default: '/health',
    help: 'Path that answers 200 while the server is well.',
    cost: '',
    restart: true,
    placeholder: 'path',
  },
  'service.health-retries': {
    group: 'sharing',
    kind: 'count',
    default: 6000,
    min: 1,
    max: 1_000_000,
    help: 'How often a server that is still starting is asked before it is given up.',
    cost: '',
    restart: true,
  },
  'service.health-interval': {
    group: 'sharing',
    kind: 'duration',
    default: 10 * SECOND,
    minMs: 10,
    maxMs: HOUR,
    help: 'Time between two health checks.',
    cost: 'Three failed checks withdraw the service.',
    restart: true,
  },
  'service.identity-group': {
    group: 'sharing',
    kind: 'list',
    item: 'identity-group',
    split: 'comma',
    default: [],
    help: 'What requests the service answers: key=value, key=* or all; for `llm` these come besides its models.',
    cost: '',
    restart: true,
    placeholder: 'key=value',
  },
  'service.shared-path': {
    group: 'sharing',
    kind: 'list',
    item: 'shared-path',
    split: 'comma',
    default: [],
    help: 'One more path peers may call, as `/path` or `METHOD /path`; a trailing * makes it a prefix.',
    cost: 'Peers can call it as they like.',
    restart: true,
    placeholder: 'path',
  },
  subprocess: {
    group: 'sharing',
    kind: 'text',
    default: '',
    help: 'Command that starts the local server; it is supervised and stopped with the node.',
    cost: '',
    restart: true,
    placeholder: 'command',
  },
  'log-level': {
    group: 'logging',
    kind: 'choice',
    choices: ['trace', 'debug', 'info', 'warn', 'error', 'silent'],
    default: 'info',
    help: 'The least important lines to log.',
    cost: 'Prompts, answers and keys are never logged at any level.',
    restart: false,
  },
  'log-format': {
    group: 'logging',
    kind: 'choice',
    choices: ['text', 'json'],
    default: 'text',
    help: 'Lines for people or JSON lines for programs, on standard error.',
    cost: '',
    restart: true,
  },
  'demo-model': {
    group: 'demo',
    kind: 'choice',
    choices: ['auto', 'on', 'off'],
    default: 'auto',
    help: 'The built-in pretend model, for this machine only: `auto` offers it while no real model is known.',
    cost: '',
    restart: true,
  },
  'demo-model.tokens-per-second': {
    group: 'demo',
    kind: 'count',
    default: 40,
    min: 1,
    max: 10_000,
    help: 'How fast the demo model answers.',
    cost: '',
    restart: true,
  },
} as const satisfies Record<string, SettingRow>

/** The name of a setting: its flag without the dashes, its file key. */
export type SettingName = keyof typeof SETTINGS

/** Every setting with the value in effect, by its exact name. Durations in milliseconds, sizes in bytes. */
export type Settings = { [Name in SettingName]: ValueOfRow<(typeof SETTINGS)[Name]> }

/** All names, in the order of the table. */
export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[]

/** The row of a setting, without what only its own literal type knows. */
export function settingRow(name: SettingName): SettingRow {
  return SETTINGS[name]
}

/** True for a name of the table. */
export function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(SETTINGS, name)
}

/** `gateway.max-body` → `--gateway.max-body`. */
export function flagName(name: SettingName): string {
  return `--${name}`
}

/** `gateway.max-body` → `OCF_GATEWAY_MAX_BODY`. */
export function envName(name: SettingName): string {
  return `OCF_${name.toUpperCase().replaceAll(/[.-]/g, '_')}`
}
