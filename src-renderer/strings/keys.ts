import { count } from './format.js'

/** Words about the API keys of apps. */
export const keysStrings = {
  title: 'API keys',
  hint: (required: boolean) =>
    required
      ? 'The gateway is open to other machines, so every app needs a key. Give each its own: one can then be revoked without the others.'
      : 'The gateway asks for no key. An app that shows one is counted under its name in Traffic.',
  none: 'No API keys yet.',
  noneHint: (required: boolean) =>
    required
      ? 'No app can use the gateway until you make one.'
      : 'You don’t need any while the gateway is on localhost.',
  column: {
    name: 'Name',
    id: 'Id',
    created: 'Made',
    used: 'Last used',
    today: 'Today',
    sinceStart: 'Since the start',
    revoke: 'Revoke',
  },
  never: 'never',
  usage: (requests: number, tokens: number) => `${count(requests, 'request')} · ${count(tokens, 'token')}`,
  add: {
    open: 'New key…',
    title: 'New API key',
    name: 'Name',
    nameHelp: 'Which app or machine it is for.',
    missing: 'Enter a name.',
    do: 'Make key',
    made: (name: string) => `Key of ${name}`,
    once: 'Copy it now: it is kept nowhere and won’t be shown again. Apps take it as their API key.',
    copy: 'Copy key',
    close: 'Done',
  },
  revoke: {
    open: 'Revoke…',
    label: (name: string) => `Revoke the key of ${name}`,
    title: (name: string) => `Revoke the key of ${name}?`,
    consequence: 'The app that uses it is refused from its next request on. This can’t be undone.',
    do: 'Revoke key',
    done: (name: string) => `The key of ${name} is revoked.`,
  },
}
