import { count, formatNumber } from './format.js'

/** Settings of the short page, as people call them; what is left out keeps its key and its help. */
const NAMED: Readonly<
  Record<string, { label: string; help?: string; placeholder?: string; choices?: Readonly<Record<string, string>> }>
> = {
  'pause.schedule': {
    label: 'Share only at these hours',
    help: 'By this computer’s clock. Click or drag, or move with the arrow keys and press Space.',
  },
  'pause.user-active': {
    label: 'Pause while I use this computer',
    help: 'Only the desktop app can see keyboard and mouse.',
  },
  'pause.on-battery': { label: 'Pause on battery', help: 'Sharing resumes once the computer is plugged in.' },
  'pause.gpu-busy': {
    label: 'Pause while something else uses the GPU',
    help: 'At this load or more, while no request runs here.',
  },
  'pause.programs': {
    label: 'Pause while one of these programs runs',
    help: 'File names, separated by commas: blender, game.exe',
  },
  'limits.concurrent': {
    label: 'Requests from peers at the same time',
    help: 'The more run at once, the slower each gets. Yours always go first.',
  },
  'limits.requests-per-minute': {
    label: 'Requests per peer',
    help: 'Any more are refused until a minute has passed.',
  },
  'limits.tokens-per-day': { label: 'Tokens per peer and day', help: 'Prompts and answers together, until midnight.' },
  'limits.max-tokens': { label: 'Longest answer', help: 'Answers stop there, even when a request asks for more.' },
  name: {
    label: 'Name of this computer',
    help: 'People you trust see it. Strangers never do.',
    placeholder: 'Your first name',
  },
  network: {
    label: 'Public network',
    help: 'Anyone can be on one: strangers’ computers answer you there.',
    choices: { none: 'None' },
  },
  'go-network': {
    label: 'OpenTela network',
    choices: { off: 'Don’t take part', use: 'Use its models', share: 'Use its models and offer mine' },
  },
  mdns: { label: 'Find computers on the local network', help: 'Automatically, with multicast DNS.' },
  'people.nearby': {
    label: 'Let computers nearby ask to pair',
    help: 'Both screens then show a code. You can ask them even when this is off.',
  },
  upnp: { label: 'Open ports on the router', help: 'With UPnP, so that peers reach this computer directly.' },
  relay: {
    label: 'Relay for others',
    help: 'Passes on encrypted data between peers that can’t reach each other.',
    choices: { auto: 'When the internet can reach me', on: 'Always', off: 'Never' },
  },
  'use.reach': {
    label: 'Who may answer my requests',
    help: 'The computer that answers can read what you send.',
    choices: { own: 'Only this computer', trusted: 'Only people I trust', anyone: 'Anyone' },
  },
  'use.exposure': {
    label: 'Strangers that may read one request',
    help: 'If the first one fails or is slow, the next is asked.',
  },
  'chats.keep': {
    label: 'Keep chats on this computer',
    help: 'Encrypted, in the data folder. Otherwise they are gone when you close or reload the page.',
  },
  'cors-origins': {
    label: 'Web pages that may use the models',
    help: 'Addresses separated by commas; * is any page you open in a browser.',
  },
  'api-key': {
    label: 'API key for apps',
    help: 'Whether apps must show a key. Other computers reach the gateway only if you open it to them.',
    choices: { auto: 'Only from other computers', required: 'Always', none: 'Never' },
  },
}

const tokensOf = (n: number): string => (n === 0 ? 'unlimited' : `${formatNumber(n)} tokens`)

/** Words of the short page of settings. */
const basicStrings = {
  sentence: 'Changes are saved as you make them.',
  index: 'Sections of the settings',
  advanced: 'Advanced',
  back: 'Back to settings',
  section: {
    general: 'General',
    sharing: 'When to share',
    limits: 'Limits for peers',
    network: 'Network',
    privacy: 'Privacy',
    keys: 'API keys',
    identity: 'Identity',
    about: 'About',
  },
  of: (name: string, help: string) => ({ label: NAMED[name]?.label ?? name, help: NAMED[name]?.help ?? help }),
  placeholder: (name: string, usual: string) => NAMED[name]?.placeholder ?? usual,
  choice: (name: string, choice: string) => NAMED[name]?.choices?.[choice] ?? choice,
  overridden: (where: string) => `Set by ${where}, so it can’t be changed here.`,
  unit: {
    slots: (n: number) => (n === 0 ? 'none: all refused' : `${n} at once`),
    perMinute: (n: number) => (n === 0 ? 'unlimited' : `${n} per minute`),
    tokens: tokensOf,
    percent: (n: number) => (n === 0 ? 'never' : `from ${n} %`),
    strangers: (n: number) => count(n, 'stranger'),
  },
  hours: {
    label: 'Hours in which this computer shares',
    days: ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'],
    cell: (day: string, hour: number) => `${day} ${hour}:00 to ${hour + 1}:00`,
    always: 'Always',
    never: 'Choose at least one hour. To share nothing, pause sharing instead.',
    all: 'Whole week',
    clear: 'Clear',
    save: 'Save hours',
    odd: (value: string) => `${value}: not in whole hours, so change it under Advanced.`,
  },
}

/** Words of the Settings page. */
export const settingsStrings = {
  basic: basicStrings,
  sentence: (changed: number) =>
    changed === 0
      ? 'Everything runs with its default settings.'
      : `${count(changed, 'setting')} ${changed === 1 ? 'differs' : 'differ'} from the default.`,
  search: 'Search settings',
  noMatch: 'No matching settings.',
  appearance: 'Appearance',
  theme: { label: 'Theme', auto: 'System', light: 'Light', dark: 'Dark' },
  language: { label: 'Language', auto: 'System' },
  app: {
    title: 'This app',
    closeToTray: {
      label: 'Keep running when the window is closed',
      help: 'The node stays in the tray, so peers can keep using what you share.',
    },
    notifications: {
      label: 'Show notifications',
      help: 'System notifications, such as the first request you serve.',
    },
    autostart: {
      label: 'Start when I log in',
      help: 'The node starts without a window.',
    },
    updates: {
      label: 'Check for updates once a day',
      help: 'Updates are installed only when you ask, with a restart.',
    },
  },
  origin: { default: 'Default', file: 'File', environment: 'Environment', flag: 'Flag' },
  overridden: 'Set by a flag or environment variable, which overrides what is saved here.',
  restart: 'Takes effect after restart',
  next: (value: string) => `After the next start: ${value === '' ? 'not set' : value}`,
  pending: (n: number) => `${count(n, 'change')} ${n === 1 ? 'takes' : 'take'} effect after the next start.`,
  notSet: 'not set',
  onlyChanged: 'Only changed settings',
  column: { name: 'Setting', value: 'Value', origin: 'From' },
  edit: 'Change',
  editLabel: (name: string) => `Change ${name}`,
  save: 'Save',
  cancel: 'Cancel',
  reset: 'Back to default',
  resetLabel: (name: string) => `Back to default: ${name}`,
  saved: (name: string) => `Saved: ${name}.`,
  savedLater: (name: string) => `Saved: ${name}. It takes effect after the next start.`,
  resetDone: (name: string) => `${name} is back to its default.`,
  on: 'on',
  off: 'off',
  expected: (what: string) => `It must be ${what}.`,
  listHint: 'Separate them with commas.',
  secretHint: 'The stored value is not shown.',
  log: 'Log',
  logLevel: 'Minimum level',
  logSearch: 'Search log',
  logCopy: 'Copy lines',
  logEmpty: 'No matching lines',
  logTail: (n: number) => `Log, ${count(n, 'line')}`,
  about: 'About this node',
  version: 'Version',
  mode: 'Mode',
  started: 'Started',
  licences: 'Third-party licences',
  licencesShow: 'Show the list',
  licenceTexts: 'Licence texts',
  licencesNone: 'The list is made with the dashboard; this build has none.',
}
