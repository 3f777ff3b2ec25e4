import type { SettingRow } from '../setting-row.js'

const KIB = 1024
const MIB = 1024 * 1024
const SECOND = 1000
const MINUTE = 60_000
const HOUR = 3_600_000

/** The address that apps use. */
export const GATEWAY_SETTINGS = {
  host: {
    group: 'gateway',
    kind: 'host',
    default: 'localhost',
    help: 'Address the gateway listens on; `localhost` is 127.0.0.1 and ::1.',
    cost: 'Anything but loopback lets other machines in, each with an API key (`ocf keys add`).',
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
  'api-key': {
    group: 'gateway',
    kind: 'choice',
    choices: ['auto', 'required', 'none'],
    default: 'auto',
    help: 'Whether apps must show an API key; `auto` asks for one wherever `host` is more than loopback.',
    cost: '`none` lets every machine that reaches the port use the gateway as if it were this one.',
    restart: false,
  },
  'cors-origins': {
    group: 'gateway',
    kind: 'list',
    item: 'origin',
    split: 'comma',
    default: ['*'],
    help: 'Web pages that may use the models from a browser; `*` allows any page you open.',
    cost: 'An allowed page can spend the compute you have access to.',
    restart: false,
    placeholder: 'origin',
  },
  'allowed-hosts': {
    group: 'gateway',
    kind: 'list',
    item: 'host-pattern',
    split: 'comma',
    default: [],
    help: 'Host names the gateway accepts besides localhost and IP addresses, such as that of your reverse proxy.',
    cost: 'Anyone who controls the DNS of such a name can let a web page use the gateway as if it were one of your programs.',
    restart: false,
    placeholder: 'name',
  },
  'gateway.max-body': {
    group: 'gateway',
    kind: 'size',
    default: 64 * MIB,
    min: KIB,
    max: 1024 * MIB,
    help: 'Largest JSON request body; larger ones are answered with 413.',
    cost: 'Each running request keeps one body in memory.',
    restart: false,
  },
  'gateway.body-memory': {
    group: 'gateway',
    kind: 'size',
    default: 256 * MIB,
    min: MIB,
    max: 64 * 1024 * MIB,
    help: 'Memory for the bodies of all requests together; beyond it, web pages and peers are refused first (429).',
    cost: 'Always at least one body of the largest size.',
    restart: false,
  },
  'gateway.connect-timeout': {
    group: 'gateway',
    kind: 'duration',
    default: 5 * SECOND,
    min: 10,
    max: 5 * MINUTE,
    help: 'How long opening a stream to a provider may take before the next one is tried.',
    cost: '',
    restart: false,
  },
  'gateway.idle-timeout': {
    group: 'gateway',
    kind: 'duration',
    default: 5 * MINUTE,
    min: 10,
    max: 24 * HOUR,
    help: 'How long an answer may pause before the request fails.',
    cost: 'A short time cuts slow models off while they read a long prompt.',
    restart: false,
  },
} as const satisfies Record<string, SettingRow>
