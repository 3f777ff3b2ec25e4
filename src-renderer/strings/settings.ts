import { count } from './format.js'

/** Words of the Settings page. */
export const settingsStrings = {
  sentence: (changed: number) =>
    changed === 0
      ? 'Everything runs with its default settings.'
      : `${count(changed, 'setting')} ${changed === 1 ? 'differs' : 'differ'} from the default.`,
  search: 'Search settings',
  noMatch: 'No setting fits this search.',
  appearance: 'Appearance',
  theme: { label: 'Theme', auto: 'As the system', light: 'Light', dark: 'Dark' },
  app: {
    title: 'This app',
    closeToTray: {
      label: 'Keep running when the window is closed',
      help: 'The node stays in the tray, so that peers can go on using what you share.',
    },
    notifications: {
      label: 'Show notifications',
      help: 'Short messages of the system, such as the first request that was served.',
    },
    autostart: {
      label: 'Start when I log in',
      help: 'The node starts without a window.',
    },
    updates: {
      label: 'Look for a newer version once a day',
      help: 'It is downloaded and installed by a restart, when you ask for it.',
    },
  },
  origin: { default: 'Default', file: 'File', environment: 'Environment', flag: 'Flag' },
  overridden: 'Given by a flag or the environment, which count more than what is saved here.',
  restart: 'Counts after a restart',
  next: (value: string) => `After the next start: ${value === '' ? 'not set' : value}`,
  pending: (n: number) => `${count(n, 'change')} ${n === 1 ? 'waits' : 'wait'} for the next start of the node.`,
  notSet: 'not set',
  onlyChanged: 'Only what differs from the default',
  column: { name: 'Setting', value: 'Value', origin: 'From' },
  edit: 'Change',
  editLabel: (name: string) => `Change ${name}`,
  save: 'Save',
  cancel: 'Cancel',
  reset: 'Back to default',
  resetLabel: (name: string) => `Back to default: ${name}`,
  saved: (name: string) => `Saved: ${name}.`,
  savedLater: (name: string) => `Saved: ${name}. It counts after the next start.`,
  resetDone: (name: string) => `${name} is back to its default.`,
  on: 'on',
  off: 'off',
  expected: (what: string) => `It has to be ${what}.`,
  listHint: 'Separate them with commas.',
  secretHint: 'What is set is not shown again.',
  log: 'Log',
  logLevel: 'From level',
  logSearch: 'Search log',
  logCopy: 'Copy lines',
  logEmpty: 'No line fits this choice yet.',
  logTail: (n: number) => `Log, ${count(n, 'line')}`,
  about: 'About this node',
  version: 'Version',
  mode: 'Mode',
  started: 'Started',
  licences: 'Licences of what it is made of',
  licenceTexts: 'The texts of these licences',
  licencesNone: 'The list is made when the dashboard is built; this build has none.',
}
