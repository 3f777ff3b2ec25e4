import { count } from './format.js'

/** Words of the Settings page. */
export const settingsStrings = {
  sentence: (changed: number) =>
    changed === 0
      ? 'Everything runs with its default settings.'
      : `${count(changed, 'setting')} ${changed === 1 ? 'differs' : 'differ'} from the default.`,
  search: 'Search settings',
  noMatch: 'No matching settings.',
  appearance: 'Appearance',
  theme: { label: 'Theme', auto: 'System', light: 'Light', dark: 'Dark' },
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
      help: 'An update is installed only when you ask for it, by a restart.',
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
  licenceTexts: 'Licence texts',
  licencesNone: 'The list is made with the dashboard; this build has none.',
}
